"""What was known then: as if nothing had been received since, whatever was taken back, moved or tied later."""

from __future__ import annotations

from random import Random

import pytest
from router_story import CODEC, Story, event

from bus.ports import Partition
from bus.topics import JOURNAL, STATE
from monitor.statistics.source import Folding, Window, case_at, known
from monitor.view import View
from router.case import fold
from router.hindsight import another_name, counted
from router.law import UNCOUNTED, LawProfile

LAW = LawProfile()
FOLDING = Folding(
    lambda events, key: fold(events, LAW, key), counted, UNCOUNTED, lambda events, key: another_name(events, key, ())
)


def told(at, **fields):
    """When the bus received it, in seconds."""
    return {"header_received_at": 1_750_000_000_000_000 + at * 1_000_000, **fields}


def seen(folder, events, until=None):
    """Every case of a view over these events, as known at a time."""
    story = Story(folder / f"story-{until}")
    story.play(events)
    view = View.at(folder / f"view-{until}-{len(events)}.db")
    records = [*story.cluster.records(JOURNAL.name), *story.cluster.records(STATE.name)]
    view.apply_batch(records, {Partition(one.topic, one.partition): 0 for one in records}, CODEC)
    window = Window(None, None if until is None else 1_750_000_000_000_000 + until * 1_000_000)
    with view.snapshot() as snapshot:
        found = {one.trace.case: one for one in known(snapshot, CODEC, FOLDING, window)}
        for key, one in found.items():
            assert one.case == case_at(snapshot, CODEC, FOLDING, key, window)
    view.close()
    return {key: _plain(one) for key, one in found.items() if one.case is not None and one.case.last is not None}


def _plain(one):
    """The case, and the events counted; the place among ties of a copy is the journal's business."""
    return one.case, [row.event_id for row in one.trace.rows]


def as_if(folder, events, until):
    """As known then, beside a bus that has received nothing since."""
    short = [one for one in events if one.received_at <= 1_750_000_000_000_000 + until * 1_000_000]
    return seen(folder, events, until), seen(folder, short)


def row(case, version, at, name="R"):
    return event("StepCompleted", version, case=case, row=name, kind="k", version=version, **told(at))


def test_a_row_that_moved_to_another_case_counts_where_it_stood_then(tmp_path):
    """Until its second version came, it was the first case's step; then only the second's."""
    applied = [event("Applied", 0, case=case, **told(1)) for case in ("city:1", "city:2")]
    events = [*applied, row("city:1", 1, 5), row("city:2", 2, 9)]
    for until, steps in ((4, (0, 0)), (6, (1, 0)), (9, (0, 1))):
        found, expected = as_if(tmp_path / str(until), events, until)
        assert found == expected
        assert tuple(len(found[case][0].steps) for case in ("city:1", "city:2")) == steps


def test_a_link_forwards_nothing_before_it_came_and_takes_nothing_back_before_it_was_cancelled(tmp_path):
    """Two numbers of a case: apart, one, apart again."""
    link = event("Linked", 3, case="city:1", other="city:2", relation="SAME_CASE", **told(5))
    events = [
        event("Applied", 0, case="city:1", **told(1)),
        event("Applied", 0, case="city:2", **told(2)),
        event("StepCompleted", 1, case="city:2", **told(3)),
        link,
        event("Corrected", 9, case="city:1", corrects=link.id, **told(9)),
    ]
    for until, cases in ((4, 2), (6, 1), (9, 2)):
        found, expected = as_if(tmp_path / str(until), events, until)
        assert found == expected
        assert len(found) == cases


@pytest.mark.parametrize("seed", range(10))
def test_whatever_moved_was_tied_or_cancelled_since_is_as_if_it_had_not_come(tmp_path, seed):
    """Rows that wander, links that come and go, steps taken back: at any moment, read in the order of receipt."""
    random = Random(seed)
    keys = [f"city:{number}" for number in range(4)]
    events = [event("Applied", 0, case=key, **told(random.randint(1, 30))) for key in keys]
    for name in ("R", "S"):
        events += [row(random.choice(keys), version, random.randint(1, 30), name) for version in (1, 2, 3)]
    links = [
        event("Linked", 3, case=keys[0], other=other, relation="SAME_CASE", **told(random.randint(1, 30)))
        for other in random.sample(keys[1:], 2)
    ]
    wrong = random.choice([*links, events[0], events[-1]])
    events += [*links, event("Corrected", 9, case=wrong.case, corrects=wrong.id, **told(random.randint(1, 30)))]
    events.sort(key=lambda one: one.received_at)
    for until in (8, 16, 24):
        found, expected = as_if(tmp_path / str(until), events, until)
        assert found == expected
