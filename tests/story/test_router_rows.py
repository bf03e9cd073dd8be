"""A row that is corrected to another case number: the old case gives it up, whatever came first and whatever breaks."""

from itertools import permutations
from random import Random

import pytest
from router_story import Story, event

from router.case import fold
from router.journal import verify
from router.law import LawProfile

PLAIN = LawProfile()


def row(case: str, version: int, kind: str = "Accepted", name: str = "R"):
    return event(kind, version, case=case, row=name, kind="k", version=version)


def whole(story: Story) -> None:
    states = story.states()
    for key, entries in story.journal().items():
        assert verify(entries, states[key].head, states[key].sequence) == []


@pytest.mark.parametrize("order", list(permutations(range(4))))
@pytest.mark.parametrize("newest", ["city:2", "city:1"])
def test_only_the_newest_version_of_a_row_counts_wherever_it_is(tmp_path, order, newest):
    """The row went from case 1 to case 2, and perhaps back: as if it had been there from the start."""
    applied = [event("Applied", case=case) for case in ("city:1", "city:2")]
    first, second = row("city:1", 1), row("city:2", 2)
    third = row(newest, 3)
    parts = [applied, [first], [second], [third]]
    story = Story(tmp_path)
    for index in order:
        story.play(parts[index])
    states = story.states()
    for case in ("city:1", "city:2"):
        own = [one for one in applied if one.case == case] + ([third] if case == newest else [])
        found, expected = states[case].case, fold(own, PLAIN, case)
        assert (found.accepted_at, found.events, found.phase) == (expected.accepted_at, expected.events, expected.phase)
    whole(story)


@pytest.mark.parametrize("seed", range(12))
def test_rows_that_wander_end_in_one_case_whatever_breaks(tmp_path, seed):
    """Many rows, many cases, versions in any order, routers that die and lose their stores."""
    random = Random(seed)
    cases = [f"city:{number}" for number in range(5)]
    events = [event("Applied", case=case) for case in cases]
    newest = {}
    for name in range(6):
        for version in range(1, random.randint(2, 5)):
            newest[name] = row(random.choice(cases), version, "StepStarted", f"R{name}")
            events.append(newest[name])
    random.shuffle(events)
    story = Story(tmp_path, routers=2)
    for start in range(0, len(events), 4):
        story.play(events[start : start + 4], random)
    story.work()
    states = story.states()
    for case in cases:
        assert len(states[case].case.steps) == sum(one.case == case for one in newest.values()), case
        whole(story)


def test_a_row_of_an_appointment_that_is_tied_to_a_case_moves_too(tmp_path):
    """The case gets what its appointment gets; when the row turns out to be another appointment's, the case loses it."""
    asked = event("AppointmentRequested", 1, case="visit:1", row="R", kind="k", version=1)
    moved = event("AppointmentRequested", 1, case="visit:2", row="R", kind="k", version=2)
    link = event("Linked", 2, case="city:1", other="visit:1", relation="APPOINTMENT")
    for number, order in enumerate(permutations([asked, moved, link, event("Applied", 3)])):
        story = Story(tmp_path / str(number))
        for one in order:
            story.play([one])
        states = story.states()
        assert states["city:1"].case.appointments == []
        assert [one.id for one in states["visit:2"].case.appointments] == ["A1"]
        whole(story)


def test_what_was_decided_on_a_row_that_moved_is_compensated(tmp_path):
    """The authority that got the case by mistake is told so."""
    story = Story(tmp_path)
    up = event("HandedUp", 2, case="city:1", row="R", kind="k", version=1)
    right = event("HandedUp", 2, case="city:2", row="R", kind="k", version=2)
    story.play([event("Applied", case="city:1"), event("Applied", case="city:2"), up])
    story.play([right])
    told = sorted((one["case"], one["kind"]) for one in story.deliveries())
    assert told == [("city:1", "handed_up"), ("city:1", "withdrawn"), ("city:2", "handed_up")]
