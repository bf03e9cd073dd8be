"""The real log: a municipality that breaks our law now and then. What breaks it is found, nothing of it is refused."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from router_story import CODEC, Story

from bus.memory import Cluster, ManualClock
from bus.topics import EVENTS, standard
from casebus.deployment import Deployment
from connectors.config import load
from connectors.runner import Runner
from router.journal import verify

EXAMPLE = Path(__file__).parents[2] / "examples" / "receipt"


@pytest.fixture(scope="module")
def published(shared):
    """The events of the five departments, as their connectors publish them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEBUS_SHARED", str(shared))
        connectors = load(EXAMPLE / "connectors", "Europe/Amsterdam")
        cluster = Cluster(ManualClock(1_760_000_000_000_000))
        cluster.create(standard(1))
        for connector in connectors:
            Runner(connector, cluster, CODEC, cluster.clock, replay=True).run_once()
    return [CODEC.decode(record.value or b"") for record in cluster.records(EVENTS.name)]


@pytest.mark.parametrize("shuffled", [False, True], ids=["as exported", "shuffled"])
def test_the_log_gives_its_cases_its_events_and_its_findings(published, tmp_path, shuffled):
    """1,434 cases, 8,577 effective events; 131 never accepted, 4 accepted twice, 28 with an opinion before acceptance."""
    events = list(published)
    if shuffled:
        Random(3).shuffle(events)
    story = Story(tmp_path, Deployment.load(EXAMPLE).settings.rules.law, batch=500)
    story.publish(events)
    story.end()
    story.work()
    states = [state for state in story.states().values() if not state.forwards_to]
    found = Counter(code for state in states for code in {finding.code for finding in state.case.findings})
    assert len(states) == 1434
    assert sum(state.case.events for state in states) == 8577
    assert (found["never_accepted"], found["accepted_twice"], found["opinion_before_acceptance"]) == (131, 4, 28)
    journals = story.journal()
    assert all(verify(journals[state.case.key], state.head, state.sequence) == [] for state in states)
