"""Every limit of a case, rule by rule: from when to when, how long, whose it is, which light, which article."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.asof import as_of
from schemas.calendar import Calendar, CalendarSettings, Notice
from schemas.case import Appointment, Case, Extension, HandOver, Outcome, Pause, Step, Supplement
from schemas.clock import ClockRules, Light, facts_of, read
from schemas.deadlines import Deadline, Measure, Own, Terms, deadlines, moved, worst
from schemas.receipts import Receipt, receipts
from schemas.rules import Limit, Subject, Unit

ZONE = ZoneInfo("Asia/Shanghai")
CHINA = Calendar.from_settings(CalendarSettings())
TERMS = Terms(ClockRules(), CHINA, ZONE)
LAW = "Administrative Licensing Law art. "


def at(text: str) -> int:
    """Microseconds of a local moment in 2026, `03-02` or `03-02T09:30`; a date is ten in the morning."""
    moment = datetime.fromisoformat(f"2026-{text if 'T' in text else f'{text}T10:00'}")
    return int(moment.replace(tzinfo=ZONE).timestamp()) * 1_000_000


def ruled(**rules: Any) -> Terms:
    return TERMS._replace(rules=ClockRules.model_validate(rules))


def case(**facts: Any) -> Case:
    """Applied for on Monday 2 March; times as `03-02`."""
    times = {name: at(value) if name.endswith("_at") else value for name, value in facts.items()}
    return Case(**{"key": "city:1", "authority": "housing@500103", "applied_at": at("03-02"), **times})


def found(one: Case, now: str, kind: Own | Subject, terms: Terms = TERMS, item: Any = None) -> list[Deadline]:
    return [each for each in deadlines(one, item, terms, at(now)) if each.kind is kind]


def only(one: Case, now: str, kind: Own | Subject, terms: Terms = TERMS, item: Any = None) -> Deadline:
    (single,) = found(one, now, kind, terms, item)
    return single


class Item:
    """What a catalogue would say."""

    promised: Limit | None = Limit(7)
    statutory: Limit | None = Limit(30)
    joint = False
    hands_up = True

    class Approve:
        limit = Limit(3, Unit.NATURAL)

    def step(self, name: str) -> Approve | None:
        return self.Approve() if name == "approve" else None


def test_the_case_has_its_promised_and_its_statutory_limit() -> None:
    """The promise yellow when passed, the law red; both end when the clock stops."""
    one = case(accepted_at="03-02", promised_days=5)
    promise, law = deadlines(one, None, TERMS, at("03-10"))[:2]
    assert (promise.kind, promise.due, promise.elapsed, promise.light) == (Own.PROMISED, date(2026, 3, 9), 6, Light.YELLOW)
    assert (law.kind, law.due, law.limit, law.light, law.article) == (
        Own.STATUTORY,
        date(2026, 3, 30),
        20,
        Light.GREEN,
        LAW + "42",
    )
    assert promise.due_at == at("03-10T00:00")
    assert only(one, "03-31", Own.STATUTORY).light is Light.RED
    done = only(case(accepted_at="03-02", stopped_at="03-30", outcome=Outcome.GRANTED), "05-01", Own.STATUTORY)
    assert (done.met_at, done.open, done.light, done.left) == (at("03-30"), False, Light.GREEN, 0)


def test_the_case_s_own_limits_agree_with_the_clock() -> None:
    """The same days, ends and verdicts as `read` shows."""
    one = case(accepted_at="03-02", promised_days=5, extensions=[Extension(at("03-06"), 3)], pauses=[Pause("p", at("03-03"))])
    reading = read(facts_of(one), *TERMS, at("03-20"))
    promise, law = deadlines(one, None, TERMS, at("03-20"))[:2]
    assert (promise.elapsed, promise.limit, promise.due) == (reading.elapsed_days, reading.promised_limit, reading.due)
    assert (law.passed, law.due, law.paused) == (reading.overdue_legal, None, True)


def test_an_answer_is_due_in_five_working_days_from_the_receipt() -> None:
    """Not from the application, where a receipt is known (art. 32)."""
    one = case(received_at="03-03")
    waiting = only(one, "03-09", Subject.ANSWER)
    assert (waiting.due, waiting.elapsed, waiting.light, waiting.article) == (date(2026, 3, 10), 4, Light.YELLOW, LAW + "32")
    assert only(one, "03-11", Subject.ANSWER).light is Light.RED
    assert only(case(), "03-09", Subject.ANSWER).due == date(2026, 3, 9)
    assert not found(case(), "03-09", Subject.ANSWER, ruled(acceptance={"received_with_application": False}))


def test_each_round_of_papers_has_its_answer() -> None:
    """A notice answers the application, the acceptance answers what the applicant then brought."""
    one = case(received_at="03-02", accepted_at="03-12", supplements=[Supplement(1, at("03-05"), at("03-10"))])
    taken = [(each.name, each.elapsed, each.met_at) for each in found(one, "04-01", Subject.ANSWER)]
    assert taken == [("1", 3, at("03-05")), ("2", 2, at("03-12"))]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"received_at": "03-02", "accepted_at": "03-02"}, [Receipt(1, at("03-02"), at("03-02"))]),
        ({"received_at": "03-09", "accepted_at": "03-04"}, [Receipt(1, at("03-02"), at("03-04"))]),
        ({"stopped_at": "03-04", "outcome": Outcome.NOT_ACCEPTED}, [Receipt(1, at("03-02"), at("03-04"))]),
        ({"stopped_at": "03-04", "outcome": Outcome.WITHDRAWN}, [Receipt(1, at("03-02"), None, at("03-04"))]),
        ({"accepted_at": "03-03", "stopped_at": "03-09", "outcome": Outcome.GRANTED}, [Receipt(1, at("03-02"), at("03-03"))]),
        ({"applied_at": "03-02", "supplements": [Supplement(1, None, at("03-05"))]}, [Receipt(1, at("03-02"))]),
    ],
    ids=["on the spot", "keyed in late", "refused", "withdrawn", "decided", "papers nobody asked for"],
)
def test_what_answers_a_receipt(facts: dict[str, Any], expected: list[Receipt]) -> None:
    """Whatever the authority says does; the applicant's withdrawal ends the wait without an answer."""
    assert list(receipts(case(**facts))) == expected


def test_without_an_answer_in_time_the_case_is_accepted_from_the_day_of_receipt() -> None:
    """The clock's start moves back, whatever acceptance comes later (art. 32); until then there is no clock."""
    silent = case(received_at="03-02", promised_days=5)
    assert read(facts_of(silent), *TERMS, at("03-09")).light is Light.NONE
    moved_back = read(facts_of(silent), *TERMS, at("03-10"))
    assert (moved_back.started, moved_back.deemed, moved_back.elapsed_days) == (date(2026, 3, 2), True, 6)
    late = case(received_at="03-02", accepted_at="03-11", promised_days=5)
    assert only(late, "03-12", Own.PROMISED).started_at == at("03-02")
    in_time = case(received_at="03-02", accepted_at="03-09", promised_days=5)
    assert only(in_time, "03-12", Own.PROMISED).started_at == at("03-09")


def test_a_late_supplement_notice_does_not_stop_the_deemed_acceptance() -> None:
    """A notice in time does; then it is the papers brought that start the five days again."""
    late = case(received_at="03-02", supplements=[Supplement(1, at("03-10"))])
    assert read(facts_of(late), *TERMS, at("03-10")).started == date(2026, 3, 2)
    asked = case(received_at="03-02", supplements=[Supplement(1, at("03-09"))])
    assert read(facts_of(asked), *TERMS, at("04-20")).started is None
    brought = case(received_at="03-02", supplements=[Supplement(1, at("03-09"), at("03-16"))])
    assert read(facts_of(brought), *TERMS, at("03-23")).started is None
    assert read(facts_of(brought), *TERMS, at("03-24")).started == date(2026, 3, 16)


def test_a_region_may_start_the_clock_with_the_acceptance_alone() -> None:
    """A rule of the profile."""
    terms = ruled(acceptance={"deemed": "never"})
    one = case(received_at="03-02", accepted_at="03-20", promised_days=5)
    assert only(one, "03-23", Own.PROMISED, terms).started_at == at("03-20")
    assert only(one, "03-23", Subject.ANSWER, terms).light is Light.RED


def test_an_extension_is_judged_by_the_start_that_the_law_sets() -> None:
    """In time by the acceptance, late by the receipt: it does not heal."""
    one = case(received_at="03-02", accepted_at="03-11", promised_days=5, extensions=[Extension(at("03-12"), 5)])
    assert only(one, "03-13", Own.PROMISED).limit == 5
    assert only(one, "03-13", Own.PROMISED, ruled(acceptance={"deemed": "never"})).limit == 10


def test_an_applicant_who_does_not_come_lets_the_case_finish_on_time() -> None:
    """A rule of the profile; a withdrawal or a refusal as late is late."""
    days = {"accepted_at": "03-02", "promised_days": 5, "stopped_at": "05-20"}
    lapsed = case(**days, outcome=Outcome.LAPSED)
    assert [each.light for each in deadlines(lapsed, None, TERMS, at("06-01"))[:2]] == [Light.GREEN, Light.GREEN]
    assert read(facts_of(lapsed), *TERMS, at("06-01")).light is Light.GREEN
    assert read(facts_of(lapsed), *TERMS, at("05-19")).light is Light.RED
    counted = ruled(lapsed="counted")
    assert read(facts_of(lapsed, None, counted.rules), *counted, at("06-01")).light is Light.RED
    assert read(facts_of(case(**days, outcome=Outcome.REFUSED)), *TERMS, at("06-01")).light is Light.RED


def test_the_applicant_has_until_the_day_that_the_notice_named() -> None:
    """The whole of that day; nobody in the administration is to blame when it passes."""
    one = case(supplements=[Supplement(1, at("03-04"), due_at=at("03-10T00:00"))])
    waiting = only(one, "03-10T18:00", Subject.SUPPLEMENT)
    assert (waiting.who, waiting.due, waiting.passed, waiting.unit) == ("applicant", date(2026, 3, 10), False, Measure.NATURAL)
    over = only(one, "03-11", Subject.SUPPLEMENT)
    assert (over.passed, over.light) == (True, Light.GREEN)
    assert not found(case(supplements=[Supplement(1, at("03-04"))]), "03-11", Subject.SUPPLEMENT)


def test_a_step_has_the_limit_of_its_start_else_of_its_item() -> None:
    """Days in special procedures are not counted against it; a step without a limit is not listed."""
    steps = [
        Step("review", "housing@500103", started_at=at("03-03"), limit_days=3),
        Step("approve", "housing@500100", started_at=at("03-03"), completed_at=at("03-06")),
        Step("file", "housing@500103", started_at=at("03-03")),
        Step("approve", "housing@500103", completed_at=at("03-06")),
    ]
    pauses = [Pause("p", at("03-04"), at("03-06"))]
    review, approve = found(
        case(accepted_at="03-02", steps=steps, pauses=pauses), "03-10", Subject.STEP, ruled(end_on_holiday="stays"), Item()
    )
    assert (review.name, review.elapsed, review.due, review.light) == ("review", 3, date(2026, 3, 10), Light.YELLOW)
    assert (approve.limit, approve.unit, approve.elapsed, approve.who) == (3, Measure.NATURAL, 1, "housing@500100")


def test_the_receiver_of_a_case_signs_for_it_in_time() -> None:
    """Custody: two working days unless the profile says otherwise; an opinion on the part proves the receipt."""
    sent = HandOver("H1", "across", "housing@500103", "fire@500103", at("03-02"), part="fire")
    one = case(accepted_at="03-02", hand_overs=[sent])
    assert [only(one, day, Subject.HAND_OVER).light for day in ("03-03", "03-04", "03-05")] == [
        Light.GREEN,
        Light.YELLOW,
        Light.YELLOW,
    ]
    assert [only(one, day, Subject.HAND_OVER).passed for day in ("03-04", "03-05")] == [False, True]
    assert only(one, "03-05", Subject.HAND_OVER).who == "fire@500103"
    sent.answered_at = at("03-03")
    assert only(one, "03-09", Subject.HAND_OVER).met_at == at("03-03")
    assert only(one, "03-09", Subject.HAND_OVER, ruled(limits={"hand_over": {"days": 0}})).passed


def test_an_assisting_authority_has_the_days_that_the_region_gives_it() -> None:
    """No limit in the law; one row in the region's rules, with the days in procedures taken off."""
    sent = HandOver("H1", "across", "housing@500103", "fire@500103", at("03-02"), at("03-03"), part="fire")
    one = case(accepted_at="03-02", hand_overs=[sent])
    assert not found(one, "03-20", Subject.PART)
    told = only(one, "03-20", Subject.PART, ruled(limits={"part": {"days": 5, "passed": "red"}}))
    assert (told.started_at, told.due, told.light, told.article) == (at("03-03"), date(2026, 3, 10), Light.RED, LAW + "26")


def test_the_lower_level_hands_up_in_twenty_days_from_its_acceptance() -> None:
    """Art. 43; special procedures are not counted (art. 45); a part that goes up is not the case."""
    part = HandOver("H0", "up", "housing@500103", "fire@500100", at("03-03"), part="fire")
    up = HandOver("H1", "up", "housing@500103", "housing@500100", at("04-01"))
    waiting = only(case(accepted_at="03-02", form="HANDED_UP", hand_overs=[part]), "03-31", Subject.HAND_UP)
    assert (waiting.due, waiting.elapsed, waiting.light) == (date(2026, 3, 30), 21, Light.RED)
    done = only(case(accepted_at="03-02", hand_overs=[up]), "05-01", Subject.HAND_UP)
    assert (done.met_at, done.passed, done.who, done.article) == (at("04-01"), True, "housing@500103", LAW + "43")
    paused = case(accepted_at="03-02", hand_overs=[up], pauses=[Pause("p", at("03-03"), at("03-10"))])
    assert not only(paused, "05-01", Subject.HAND_UP).passed
    assert only(case(accepted_at="03-02"), "03-05", Subject.HAND_UP, item=Item()).open
    assert not found(case(accepted_at="03-02"), "03-05", Subject.HAND_UP)


def test_a_grant_is_delivered_in_ten_days_from_the_decision() -> None:
    """Art. 44; a refusal delivers nothing."""
    granted = {"accepted_at": "03-02", "stopped_at": "03-06", "ended_at": "03-06", "outcome": Outcome.GRANTED}
    one = only(case(**granted, holder="housing@500100"), "03-23", Subject.DELIVERY)
    assert (one.due, one.who, one.light, one.article) == (date(2026, 3, 20), "housing@500100", Light.RED, LAW + "44")
    assert only(case(**granted, collected_at="03-20"), "03-23", Subject.DELIVERY).light is Light.GREEN
    assert not found(case(**{**granted, "outcome": Outcome.REFUSED}), "03-23", Subject.DELIVERY)


def test_an_appointment_is_called_back_in_two_office_hours() -> None:
    """From Friday 17:30 that is Monday 10:30; who comes without it waits no longer."""
    asked = Appointment("YY1", at("03-06T17:30"), None, "quality@500103")
    visit = case(applied_at="03-20", appointments=[asked])
    early = only(visit, "03-09T10:15", Subject.CALL_BACK)
    assert (early.due_at, early.elapsed, early.unit, early.light) == (at("03-09T10:30"), 1.75, Measure.HOURS, Light.YELLOW)
    assert (early.who, early.open) == ("quality@500103", True)
    assert only(visit, "03-09T10:31", Subject.CALL_BACK).passed
    ended = only(visit, "03-25", Subject.CALL_BACK)
    assert (ended.open, ended.met_at, ended.passed) == (False, None, True)
    asked.confirmed_at = at("03-09T09:30")
    assert only(visit, "03-25", Subject.CALL_BACK).light is Light.GREEN
    closed = TERMS._replace(calendar=Calendar.from_settings(CalendarSettings(office_hours=())))
    assert not found(visit, "03-25", Subject.CALL_BACK, closed)


def test_a_special_procedure_has_the_days_that_were_planned_for_it() -> None:
    """Its own limit (art. 45); whoever paused answers for it; without a plan there is none."""
    planned = Pause("T1", at("03-03"), None, "EXPERT_REVIEW", planned_days=3, by="fire@500103")
    one = case(accepted_at="03-02", pauses=[planned, Pause("T2", at("03-04"))])
    over = only(one, "03-09", Subject.PAUSE)
    assert (over.name, over.due, over.passed, over.who, over.light) == (
        "T1",
        date(2026, 3, 6),
        True,
        "fire@500103",
        Light.YELLOW,
    )


def test_days_that_an_event_names_are_in_the_item_s_unit() -> None:
    """Of its promise, else of its law, else of the region: three days from Wednesday 4 March."""
    step = Step("review", "housing@500103", started_at=at("03-04"), limit_days=3)
    one = case(accepted_at="03-02", steps=[step], pauses=[Pause("T1", at("03-04"), planned_days=3)])
    by_law, by_promise = Item(), Item()
    by_law.promised, by_law.statutory = None, Limit(30, Unit.NATURAL)
    by_promise.promised, by_promise.statutory = Limit(7), Limit(30, Unit.NATURAL)
    stays = ruled(end_on_holiday="stays")
    region = ruled(end_on_holiday="stays", unit="natural")
    natural, working = (Measure.NATURAL, date(2026, 3, 7)), (Measure.WORKING, date(2026, 3, 9))
    asked = ((by_law, stays, natural), (by_promise, stays, working), (None, stays, working), (None, region, natural))
    for item, terms, expected in asked:
        pause = only(one, "03-05", Subject.PAUSE, terms, item)
        assert (pause.unit, pause.due) == expected
        assert only(one, "03-05", Subject.STEP, terms, item).unit is expected[0]


def test_a_limit_that_moved_has_nothing_left_and_is_not_over() -> None:
    """Five natural days end on Saturday, so on Monday the 9th: no more than nothing is left until then."""
    item = Item()
    item.promised = Limit(5, Unit.NATURAL)
    one = case(accepted_at="03-02")
    left = [only(one, day, Own.PROMISED, item=item).left for day in ("03-06", "03-08", "03-09", "03-10")]
    assert left == [1, 0, 0, -3]


def test_an_end_of_the_case_ends_what_was_waited_for() -> None:
    """Withdrawn on the third day: nobody has to sign or answer any more."""
    sent = HandOver("H1", "down", "housing@500103", "fire@500103", at("03-02"))
    gone = case(
        stopped_at="03-03", ended_at="03-03", outcome=Outcome.WITHDRAWN, hand_overs=[sent], pauses=[Pause("p", at("03-02"))]
    )
    assert [each.open for each in deadlines(gone, None, TERMS, at("05-01"))] == [False, False]


def test_a_row_can_be_changed_or_taken_out_by_the_region() -> None:
    """Rows go over the profile's one by one; two measures in one are a fault with its remedy."""
    one = case(received_at="03-02")
    ten = only(one, "03-05", Subject.ANSWER, ruled(limits={"answer": {"days": 10, "unit": "natural"}}))
    assert (ten.limit, ten.unit, ten.due, ten.article) == (10, Measure.NATURAL, date(2026, 3, 12), LAW + "32")
    assert not found(one, "03-05", Subject.ANSWER, ruled(limits={"answer": None}))
    with pytest.raises(ValidationError, match="write null at the other"):
        ruled(limits={"call_back": {"days": 1}})
    with pytest.raises(ValidationError):
        ruled(limits={"anwser": {"days": 1}})


def test_chongqing_has_the_law_s_other_limits_too() -> None:
    """A profile stands on another one and names only what differs."""
    rules = ClockRules.model_validate({"profile": "chongqing-2007"})
    assert rules.limits == ClockRules().limits
    assert (rules.articles["pause"], rules.articles["due"][:9]) == (LAW + "45", "Chongqing")


def test_a_limit_of_centuries_does_not_break_the_page() -> None:
    """A typing error in a source: the end is never, nothing is passed."""
    one = only(case(accepted_at="03-02", promised_days=2_000_000_000), "03-09", Own.PROMISED)
    assert (one.due, one.due_at, one.passed) == (date.max, None, False)


def test_an_end_beyond_the_last_notice_is_provisional() -> None:
    """It may still move."""
    assert only(case(received_at="12-28"), "12-29", Subject.ANSWER).provisional
    assert not only(case(received_at="03-02"), "03-03", Subject.ANSWER).provisional


def test_the_worst_is_red_before_yellow_and_open_before_closed() -> None:
    """What a supervisor looks at first."""
    one = case(received_at="03-02", accepted_at="03-11", promised_days=5)
    first = worst(deadlines(one, None, TERMS, at("04-10")))
    assert first is not None
    assert (first.kind, first.light, first.open) == (Own.STATUTORY, Light.RED, True)
    assert worst([]) is None


def test_a_past_day_knows_nothing_of_what_came_later() -> None:
    """As of the 4th: not signed for, not accepted, nothing decided."""
    sent = HandOver("H1", "up", "housing@500103", "housing@500100", at("03-03"), at("03-05"))
    full = case(received_at="03-02", accepted_at="03-06", stopped_at="03-09", outcome=Outcome.GRANTED, hand_overs=[sent])
    then = as_of(full, at("03-04"))
    assert (then.accepted_at, then.stopped_at, then.outcome, then.hand_overs[0].received_at) == (None, None, None, None)
    assert (full.hand_overs[0].received_at, full.accepted_at) == (at("03-05"), at("03-06"))
    assert [(one.kind, one.open) for one in deadlines(full, None, TERMS, at("03-04"))] == [
        (Subject.ANSWER, True),
        (Subject.HAND_OVER, True),
    ]


def test_a_changed_calendar_names_the_limits_that_end_on_another_day() -> None:
    """A day off in April more: limits that lie before it stay where they are."""
    notice = Notice(holidays=(date(2026, 3, 12),))
    new = TERMS._replace(calendar=Calendar(CalendarSettings(), [notice]))
    cases = [
        (case(accepted_at="03-02", promised_days=5), None),
        (case(key="city:2", accepted_at="03-10", promised_days=5, pauses=[Pause("p", at("03-11"), planned_days=2)]), None),
    ]
    told = [(one.case, str(one.kind), one.before, one.after) for one in moved(cases, TERMS, new, at("03-11"))]
    assert told == [
        ("city:1", "statutory", date(2026, 3, 30), date(2026, 3, 31)),
        ("city:2", "pause", date(2026, 3, 13), date(2026, 3, 16)),
    ]
    assert list(moved(cases, TERMS, TERMS, at("03-11"))) == []


def test_changed_rules_tell_what_they_move_too() -> None:
    """A shorter time for answers: the same cases under two sets of rules, with both lights."""
    (one,) = moved([(case(), None)], TERMS, ruled(limits={"answer": {"days": 2}}, acceptance={"deemed": "never"}), at("03-05"))
    assert (one.name, one.before, one.after, one.light_before, one.light_after) == (
        "1",
        date(2026, 3, 9),
        date(2026, 3, 4),
        Light.GREEN,
        Light.RED,
    )


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 6, 30)).map(  # noqa: DTZ001  # local moments of the zone above
    lambda moment: int(moment.replace(tzinfo=ZONE).timestamp()) * 1_000_000
)
MAYBE = st.none() | MOMENTS
CASES = st.builds(
    Case,
    key=st.just("city:1"),
    applied_at=MAYBE,
    received_at=MAYBE,
    accepted_at=MAYBE,
    stopped_at=MAYBE,
    ended_at=MAYBE,
    collected_at=MAYBE,
    outcome=st.none() | st.sampled_from(Outcome),
    promised_days=st.none() | st.integers(0, 40),
    supplements=st.lists(st.builds(Supplement, st.just(1), MAYBE, MAYBE, due_at=MAYBE), max_size=2),
    pauses=st.lists(st.builds(Pause, st.just("p"), MOMENTS, MAYBE, planned_days=st.none() | st.integers(0, 30)), max_size=2),
    steps=st.lists(st.builds(Step, st.just("s"), st.just("a@1"), st.just(""), MAYBE, MAYBE, limit_days=st.just(3)), max_size=2),
    hand_overs=st.lists(st.builds(HandOver, st.just("h"), st.just("up"), st.just("a"), st.just("b"), MOMENTS, MAYBE), max_size=2),
    appointments=st.lists(st.builds(Appointment, st.just("y"), MAYBE, MAYBE), max_size=1),
)


@given(CASES, MOMENTS)
def test_any_case_whatsoever_has_its_limits_told(one: Case, now: int) -> None:
    """Ends before starts, answers to nothing: no crash, nothing from the future, and the parts agree with each other."""
    for each in deadlines(one, Item(), TERMS, now):
        assert each.started_at <= now
        assert each.met_at is None or each.met_at <= now
        assert each.elapsed >= 0
        assert not (each.open and each.met_at is not None)
        assert each.due is not None or each.paused or not each.open
        if each.unit is Measure.WORKING:
            assert each.passed is (each.elapsed > each.limit) or (one.outcome is Outcome.LAPSED)


@given(CASES, MOMENTS)
def test_what_is_known_then_is_all_that_counts(one: Case, now: int) -> None:
    """Reading the whole case at a time equals reading the case as it stood."""
    assert deadlines(one, None, TERMS, now) == deadlines(as_of(one, now), None, TERMS, now)
