"""Whole made-up cities with a known truth, read by the example's connector: every case folds to it, in whatever order."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from router_story import CODEC, Story

from bus.memory import Cluster
from bus.topics import DEADLETTERS, EVENTS, standard
from casebus.deployment import Deployment
from connectors.config import load
from connectors.runner import Runner
from router.case import fold
from schemas.case import Case, Phase
from schemas.envelope import Event

EXAMPLE = Path(__file__).parents[2] / "examples" / "generated-city"
#: Bad lines that a connector cannot see through: each is the router's to judge, with this reason.
REASONS = {"after_final": "event_after_end", "conflicting_id": "conflicting_id", "orphan_case": "no_application"}


class City(NamedTuple):
    """What the connector published, the rows it rejected, the truth of each case, the bad lines."""

    events: list[Event]
    rejected: Counter
    truth: dict[str, dict]
    bad: list[dict]


@pytest.fixture(scope="module")
def profile(shared, tmp_path_factory):
    """The law as the example sets it."""
    return Deployment.load(EXAMPLE).settings.rules.law


@pytest.fixture(scope="module", params=[1, 2, 3], ids="seed {}".format)
def city(request, shared: Path, tmp_path_factory) -> City:
    """A small city with many bad lines, through the connector of the example."""
    out = tmp_path_factory.mktemp("city")
    command = [sys.executable, str(shared / "tools" / "gen_city.py"), "--cases", "150", "--days", "200", "--bad", "0.05"]
    subprocess.run([*command, "--seed", str(request.param), "--out", str(out)], check=True, capture_output=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEBUS_CITY", str(out))
        (connector,) = load(EXAMPLE / "connectors", "Asia/Shanghai")
        cluster = Cluster()
        cluster.create(standard(1))
        Runner(connector, cluster, CODEC, cluster.clock, replay=True).run_once()
    events = [CODEC.decode(record.value or b"") for record in cluster.records(EVENTS.name)]
    truth = [json.loads(line) for line in (out / "truth_cases.jsonl").read_text("utf-8").splitlines()]
    bad = [json.loads(line) for line in (out / "truth_bad.jsonl").read_text("utf-8").splitlines()]
    by_key = {f"case:{one['case_no']}": one for one in truth}
    letters = [CODEC.decode_record(record.value or b"")[1] for record in cluster.records(DEADLETTERS.name)]
    return City(events, Counter(letter["key"] for letter in letters), by_key, bad)


def state_of(case: Case) -> str:
    """The city's word for where a case stands."""
    if case.phase is Phase.ENDED:
        return {"granted": "closed_approved", "refused": "closed_denied"}.get(str(case.outcome), str(case.outcome))
    if case.paused:
        return "paused"
    return {"applied": "submitted", "in_progress": "reviewing"}.get(str(case.phase), str(case.phase))


def told(case: Case) -> dict:
    return {
        "state": state_of(case),
        "submitted": case.applied_at,
        "accepted": case.accepted_at,
        "clock_stop": case.stopped_at if case.accepted_at is not None else None,
        "closed": case.ended_at,
        "pauses": sorted((pause.start, pause.end) for pause in case.pauses),
        "extension_days": sum(one.days for one in case.extensions),
        "events": case.events,
        "limits": (case.promised_days, case.statutory_days) if case.accepted_at is not None else None,
    }


def true(row: dict) -> dict:
    def at(name: str) -> int | None:
        return micros(row[name]) if row[name] else None

    return {
        "state": row["state"],
        **{name: at(name) for name in ("submitted", "accepted", "clock_stop", "closed")},
        "pauses": sorted((micros(start), micros(end) if end else None) for start, end in row["pauses"]),
        "extension_days": row["extension_days"],
        "events": row["events"],
        "limits": (row["promise_days"], row["legal_days"]) if row["accepted"] else None,
    }


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def test_every_bad_line_that_is_no_copy_is_rejected_by_the_connector_or_left_to_the_router(city):
    """The connector rejects what it can see through, and lines whose body does not fit the type they claim."""
    kinds = Counter(bad["kind"] for bad in city.bad)
    of_connector = sum(count for kind, count in kinds.items() if kind not in {*REASONS, "duplicate"})
    assert sum(city.rejected.values()) == of_connector + sum(left_to(city, rejected=True).values())
    assert all(kinds[kind] for kind in REASONS)


def left_to(city: City, *, rejected: bool) -> Counter:
    """The rows of the kinds that are the router's to judge, by row and reason: those the connector rejected, or passed."""
    rows = Counter((bad["event_id"], REASONS[bad["kind"]]) for bad in city.bad if bad["kind"] in REASONS)
    return Counter({row: count for row, count in rows.items() if (row[0] in city.rejected) is rejected})


def test_every_case_of_the_city_folds_to_its_truth(city, profile):
    """State, acceptance, stop, end, pauses, extensions, limits, count of events: of all cases, bad lines and all."""
    by_case = defaultdict(list)
    for one in city.events:
        by_case[one.case].append(one)
    random = Random(1)
    for key, row in city.truth.items():
        random.shuffle(by_case[key])
        assert told(fold(by_case[key], profile, key)) == true(row), key


@pytest.mark.parametrize("shuffled", [False, True], ids=["as sent", "shuffled"])
def test_the_router_brings_the_whole_city_to_its_truth_and_rejects_the_bad_lines(city, profile, tmp_path, shuffled):
    """Through topics, forwarding and the end of input. Each bad line that passes a connector has a fit reason."""
    events = list(city.events)
    if shuffled:
        Random(5).shuffle(events)
    story = Story(tmp_path, profile, batch=400)
    story.publish(events)
    story.end()
    story.work()
    states = story.states()
    assert {key: told(states[key].case) for key in city.truth} == {key: true(row) for key, row in city.truth.items()}
    assert {key for key, state in states.items() if state.case.opened} == set(city.truth)
    assert standing_rejections(story, city.events) == left_to(city, rejected=False)


def standing_rejections(story: Story, events: list[Event]) -> Counter:
    """The rows whose events do not count at the end, with the reason. Each has a dead letter."""
    rows = {one.id: one.header["source"]["key"] for one in events}
    letters = {(letter["reason"], letter["event_id"]) for letter in story.letters()}
    found: Counter = Counter()
    for state in story.states().values():
        for entry in state.ledger:
            standing = state.case.set_aside.get(entry.event_id, entry.standing)
            reason = {"conflicting": "conflicting_id", "expired": "no_application"}.get(standing, standing)
            if reason not in {"effective", "forwarded"}:
                assert (reason, entry.event_id) in letters
                found[rows[entry.event_id], reason] += 1
    return found
