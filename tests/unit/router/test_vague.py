"""Moments told as a day or a minute: no false finding against one of the same time that was told exactly."""

from itertools import permutations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from router_lives import NEEDED, START, event, moment, on_day

from router.case import apply, fold, in_order
from router.findings import FINDINGS
from router.law import PRESUPPOSES, LawProfile
from schemas.case import Case
from schemas.codec import default

PLAIN = LawProfile()
TYPES = sorted(set(default().types) - {"AlertRaised", "AlertWithdrawn", "Corrected"})
#: What is told exactly on a day, and what is known only to be of that day: none of it proves a broken order.
PAIRS = [
    ("Applied", "Accepted"),
    ("Accepted", "StepCompleted"),
    ("Accepted", "ClockPaused"),
    ("Accepted", "LimitExtended"),
    ("Accepted", "Decided"),
    ("ClockPaused", "ClockResumed"),
    ("SupplementRequested", "SupplementReceived"),
    ("SupplementRequested", "Accepted"),
    ("HandedUp", "Received"),
    ("Decided", "Collected"),
    ("Decided", "Revoked"),
    ("Withdrawn", "Reopened"),
]
BEFORE = {
    "ClockResumed": ["Accepted"],
    "Decided": [],
    "Collected": ["Accepted"],
    "Revoked": ["Accepted"],
    "Reopened": [],
    "ClockPaused": [],
}
BODIES = {"StepCompleted": {"opinion": "PASS"}, "Received": {"hand_over": "H1", "header_authority": "quality@500000"}}


def codes(case: Case) -> list[str]:
    return [finding.code for finding in case.findings]


@pytest.mark.parametrize(("exact", "vague"), PAIRS)
def test_a_day_is_not_before_what_happened_on_it(exact, vague):
    """Told exactly and late on the day, against the day as a whole: no finding; told as the day before: a finding."""
    base = [event("Applied", -3), *(event(name, -2) for name in BEFORE.get(vague, []))]
    base = base if exact != "Applied" else []
    body = BODIES.get(vague, {})
    same = fold([*base, event(exact, 0.1), on_day(vague, 0, **body)], PLAIN)
    assert [code for code in codes(same) if code != "never_accepted"] == []
    before = fold([*base, event(exact, 0.1), on_day(vague, -1, **body)], PLAIN)
    assert codes(before) or (exact, vague) == ("SupplementRequested", "Accepted"), (exact, vague)


def test_two_days_of_two_systems_stand_in_the_order_of_the_law():
    """The office is named before the hall, its decision is of the day on which the hall accepted."""
    accepted = on_day("Accepted", 1, system="hall")
    decided = on_day("Decided", 1, system="a-office")
    for order in permutations([event("Applied", 0), accepted, decided]):
        assert codes(fold(order, PLAIN)) == []


def test_a_source_that_tells_days_keeps_its_own_order():
    """Two events of one source and day: its sequence says which was first, even where the law is broken."""
    events = [on_day("Decided", 1, header_sequence=1), on_day("Accepted", 1, header_sequence=2)]
    assert "decision_before_acceptance" in codes(fold([event("Applied"), *events], PLAIN))


def test_an_answer_on_the_day_of_the_decision_is_not_late():
    """The lead is not told of an answer after the decision that may have come before it."""
    case = fold([event("Applied", -2), event("Accepted", -1), on_day("Decided", 1)], PLAIN)
    assert case.stopped_at < event("Applied", 1).occurred_at <= case.stopped_until


def test_a_minute_is_not_before_its_seconds():
    """10:05 may be 10:05:59."""
    minute = moment(START // 60_000_000 * 60_000_000, "MINUTE")
    lives = [event("Applied", -1), event("Accepted", 0.0004), event("Decided", 0, header_occurred_at=minute)]
    assert codes(fold(lives, PLAIN)) == []


def test_what_is_presupposed_is_an_event_type_and_never_itself():
    """A misspelt name in the table would never match anything."""
    assert PRESUPPOSES.keys() <= set(default().types)
    for name, before in PRESUPPOSES.items():
        assert before <= set(default().types)
        assert name not in before
    assert NEEDED.keys() <= set(default().types)
    assert FINDINGS


@st.composite
def told(draw):
    """Lives of a few days, told exactly, by minutes, days or months, by two systems."""
    events = []
    for _ in range(draw(st.integers(1, 10))):
        fields = {"system": draw(st.sampled_from(["hall", "office"])), "header_sequence": draw(st.integers(0, 2))}
        precision = draw(st.sampled_from(["MICROSECOND", "DAY", "DAY", "MONTH"]))
        name, at = draw(st.sampled_from(TYPES)), draw(st.integers(0, 5)) / 2
        one = event(name, at, **fields)
        start = {"DAY": 86_400_000_000, "MONTH": 10 * 86_400_000_000}.get(precision, 1)
        fields["header_occurred_at"] = moment(one.occurred_at // start * start, precision)
        events.append(event(name, at, **fields))
    return events


@given(told(), st.randoms(use_true_random=False))
def test_applying_what_is_in_order_equals_the_fold_however_coarse_the_times(events, random):
    """Where an event may belong before one that was applied, `in_order` says so, and the fold of any order is the same."""
    whole = fold(events, PLAIN, "city:1")
    random.shuffle(events)
    assert msgspec.to_builtins(fold(events, PLAIN, "city:1")) == msgspec.to_builtins(whole)
    known, case = [], Case("city:1")
    for one in events:
        known.append(one)
        case = apply(case, one, PLAIN) if in_order(case, one.order) else fold(known, PLAIN, "city:1")
        assert case == fold(known, PLAIN, "city:1")
