"""A case that had ended is taken up again (重新办理): its clock, its custody, its findings, what was told and is told anew."""

from itertools import permutations

from router_lives import EVERY_DAY_WORKS, event

from router.case import fold
from router.decide import decide, triggered
from router.law import LawProfile
from schemas.asof import as_of
from schemas.case import Case, Outcome, Phase
from schemas.clock import Reading, explain, facts_of, read
from schemas.deadlines import deadlines
from schemas.instants import local_date
from schemas.rules import Subject

PLAIN = LawProfile(terms=EVERY_DAY_WORKS)
LIMITS = {"promised_days": 10, "statutory_days": 20}
CITY = "quality@500000"
#: Decided on day 5, revoked on day 8, taken up again on day 30.
FIRST = [
    event("Applied", 0, header_region="500103", **LIMITS),
    event("Accepted", 1, **LIMITS),
    event("HandedUp", 2),
    event("Received", 3, hand_over="H1", header_authority=CITY),
    event("Decided", 5, header_authority=CITY),
    event("Revoked", 8, header_authority=CITY),
]
REOPENED = event("Reopened", 30, ground="COURT", reason="judgment 12", header_authority=CITY)


def at(day: float) -> int:
    return event("Applied", day).occurred_at


def clock(case: Case, day: float) -> Reading:
    rules, calendar, zone = EVERY_DAY_WORKS
    return read(facts_of(as_of(case, at(day)), None, rules), rules, calendar, zone, at(day))


def codes(case: Case) -> list[str]:
    return [finding.code for finding in case.findings]


def test_a_reopened_case_is_open_again_and_lies_with_who_decided():
    """What had ended it stands with the reopening and counts no more; the custody does not move by itself."""
    case = fold([*FIRST, REOPENED], PLAIN)
    assert (case.phase, case.outcome, case.stopped_at, case.ended_at, case.holder) == (Phase.ACCEPTED, None, None, None, CITY)
    (former,) = case.reopenings
    assert (former.ground, former.outcome, former.stopped_at) == ("COURT", Outcome.REVOKED, at(5))
    assert codes(case) == []


def test_its_limits_run_anew_from_the_reopening():
    """Four days until the first decision; 25 days nobody counts; then from one again, and red after 20 of them."""
    case = fold([*FIRST, REOPENED], PLAIN)
    assert (clock(case, 10).elapsed_days, clock(case, 10).running) == (4, False)
    assert [clock(case, day).elapsed_days for day in (30, 31, 38)] == [0, 1, 8]
    assert [clock(case, day).overdue_legal for day in (50, 51)] == [False, True]
    anew = fold([*FIRST, REOPENED, event("Decided", 33, header_authority=CITY)], PLAIN)
    assert (clock(anew, 60).elapsed_days, anew.outcome, anew.stopped_at, codes(anew)) == (3, Outcome.GRANTED, at(33), [])


def test_the_account_of_the_clock_begins_with_the_reopening_and_its_article():
    """Whoever asks why it is green on day 35 reads it in the first line."""
    rules, calendar, zone = EVERY_DAY_WORKS
    first, *rest = explain(facts_of(fold([*FIRST, REOPENED], PLAIN), None, rules), rules, calendar, zone, at(35))
    assert (first.day, first.text) == (
        local_date(at(30), zone),
        "reopened: the limits run anew from this day, which itself is not counted",
    )
    assert "art. 49" in first.article
    assert all(line.day > first.day for line in rest)


def test_procedures_and_extensions_of_the_first_life_do_not_count_in_the_second():
    """A pause left open at the withdrawal ended with it; one extension may be granted in each life."""
    first = [event("Applied", 0), event("Accepted", 1, **LIMITS), event("LimitExtended", 2), event("ClockPaused", 3)]
    case = fold([*first, event("Withdrawn", 5), event("Reopened", 30), event("LimitExtended", 31)], PLAIN)
    assert (case.paused, codes(case)) == (False, [])
    reading = clock(case, 40)
    assert (reading.elapsed_days, reading.paused_days, reading.statutory_limit) == (10, 0, 25)


def test_a_refusal_at_the_door_that_fell_is_answered_anew():
    """Never accepted: the papers count as received on the day of the reopening, and art. 32 runs from it."""
    case = fold([event("Applied", 0), event("NotAccepted", 1, reason="x"), event("Revoked", 20), event("Reopened", 30)], PLAIN)
    assert case.phase is Phase.RECEIVED
    answers = [one for one in deadlines(case, None, EVERY_DAY_WORKS, at(31)) if one.kind is Subject.ANSWER]
    assert [(one.started_at, one.open) for one in answers] == [(at(0), False), (at(30), True)]
    assert clock(case, 36).deemed


def test_what_was_on_its_way_in_the_first_life_is_not_waited_for_in_the_second():
    """A step and a hand-over left open when the case was withdrawn do not turn late after it was reopened."""
    first = [event("Applied", 0), event("Accepted", 1), event("StepStarted", 2, limit_days=1), event("HandedUp", 3)]
    case = fold([*first, event("Withdrawn", 3.5), event("Reopened", 30)], PLAIN)
    found = {one.kind: one for one in deadlines(case, None, EVERY_DAY_WORKS, at(60))}
    assert not found[Subject.STEP].open
    assert not found[Subject.HAND_OVER].open
    assert Subject.HAND_UP not in found


def test_the_case_as_it_stood_between_end_and_reopening_is_ended():
    """Looked at as of day 10, the decision of day 5 stands."""
    case = fold([*FIRST, REOPENED], PLAIN)
    then = as_of(case, at(10))
    assert (then.stopped_at, then.ended_at, then.outcome, then.reopenings) == (at(5), at(5), Outcome.REVOKED, [])
    assert as_of(case, at(30)) == case


def test_what_comes_between_end_and_reopening_is_after_the_end():
    """A pause on day 20 is flagged, one on day 31 is in order."""
    assert codes(fold([*FIRST, event("ClockPaused", 20), REOPENED], PLAIN)) == ["event_after_end"]
    assert codes(fold([*FIRST, REOPENED, event("ClockPaused", 31)], PLAIN)) == []


def test_any_order_of_arrival_gives_the_same_life():
    """The reopening may be heard of before the decision that fell."""
    told = [*FIRST[3:], REOPENED, event("Decided", 33, header_authority=CITY)]
    whole = fold([*FIRST[:3], *told], PLAIN)
    assert all(fold([*order, *FIRST[:3]], PLAIN) == whole for order in permutations(told))


def test_papers_given_back_are_contradicted_by_a_reopening_and_everyone_learns_it():
    """The bureau returned the papers; reopened, `papers_returned` stands no more and the hall hears of the reopening."""
    window = "hall@500103"
    told = [event("Applied", 0, header_authority=window), event("Accepted", 1), event("Returned", 2)]
    before, after = (decide(fold(events, PLAIN)) for events in (told, [*told, event("Reopened", 9)]))
    assert [(one.move.kind, one.move.to) for one in before] == [("papers_returned", window)]
    assert [(one.move.kind, one.move.to) for one in after] == [("case_reopened", window)]


def test_every_rule_that_a_reopening_contradicts_looks_again():
    """Papers given back, work stopped, a part of a visit done: who told it takes it back at once, not by the next event."""
    hall = {"header_authority": "hall@500103"}
    begun = [event("TicketTaken", 0, **hall), event("Applied", 0, **hall), *FIRST[1:4]]
    for end in ("Returned", "Withdrawn", "Decided"):
        ended = [*begun, event("HandedAcross", 4, hand_over="H2", part="fire"), event(end, 5, header_authority=CITY)]
        before, after = (set(decide(fold(told, PLAIN))) for told in (ended, [*ended, REOPENED]))
        assert {"give_back", "withdraw", "hall"} & {one.rule for one in before - after}
        assert {one.rule for one in before ^ after} <= {rule.name for rule in triggered("Reopened")}
