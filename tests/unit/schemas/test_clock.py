"""The legal clock, rule by rule: what is counted, what is not, and which article says so."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.calendar import Calendar, CalendarSettings
from schemas.case import Case, Extension, Pause
from schemas.clock import ClockRules, Facts, Kind, Light, Limit, Reading, Unit, explain, facts_of, read
from schemas.count import united
from schemas.hours import due_after, passed
from schemas.limits import Terms, count_at

ZONE = ZoneInfo("Asia/Shanghai")
CHINA = Calendar.from_settings(CalendarSettings())
LAW = ClockRules()
NATURAL = Unit.NATURAL
FIVE = Limit(5)


def at(text: str) -> int:
    """Microseconds of a local moment; a date is ten in the morning."""
    moment = datetime.fromisoformat(text if "T" in text else f"{text}T10:00")
    return int(moment.replace(tzinfo=ZONE).timestamp()) * 1_000_000


def facts(accepted: str = "2026-03-02", stopped: str | None = None, promised: Limit | None = FIVE, **more: Any) -> Facts:
    plain = Facts(at(accepted), at(stopped) if stopped else None, promised=promised, statutory=Limit(20))
    return plain._replace(**more)


def pause(start: str, end: str | None = None, procedure: str = "HEARING") -> Pause:
    return Pause(f"p{start}", at(start), at(end) if end else None, procedure)


def shown(case: Facts, now: str, rules: ClockRules = LAW) -> Reading:
    return read(case, rules, CHINA, ZONE, at(now))


def test_the_day_of_the_event_is_not_counted() -> None:
    """Accepted on Monday, the fifth working day is the next Monday."""
    reading = shown(facts(), "2026-03-02T17:00")
    assert (reading.elapsed_days, reading.due, reading.light) == (0, date(2026, 3, 9), Light.GREEN)
    assert shown(facts(), "2026-03-09T23:59").overdue_promise is False
    assert shown(facts(), "2026-03-10T00:00").overdue_promise is True


def test_the_local_day_counts_not_the_utc_one() -> None:
    """Half past midnight in Shanghai is the day before in UTC."""
    assert shown(facts("2026-03-03T00:30"), "2026-03-04T00:10").elapsed_days == 1


def test_moved_working_days_and_holidays_are_counted_as_the_notice_says() -> None:
    """From 30 September 2026: the first working day is the 8th, the third is Saturday the 10th."""
    reading = shown(facts("2026-09-30", promised=Limit(3)), "2026-10-10")
    assert (reading.elapsed_days, reading.due) == (3, date(2026, 10, 10))


def test_nothing_is_shown_before_acceptance() -> None:
    """No clock, no light."""
    assert shown(Facts(None), "2026-03-03") == Reading()
    assert shown(facts("2026-03-05"), "2026-03-04") == Reading()


def test_the_clock_stops_with_the_decision() -> None:
    """What comes after it does not count, and a verdict in time stays green."""
    reading = shown(facts(stopped="2026-03-06"), "2026-06-01")
    assert (reading.elapsed_days, reading.running, reading.light) == (4, False, Light.GREEN)
    assert shown(facts(stopped="2026-03-10"), "2026-06-01").light is Light.YELLOW
    assert shown(facts(stopped="2026-04-10"), "2026-06-01").light is Light.RED


def test_a_decision_before_the_acceptance_counts_no_day() -> None:
    """Real data has it; it is a finding, not a crash."""
    reading = shown(facts("2026-03-05", stopped="2026-03-02"), "2026-03-20")
    assert (reading.elapsed_days, reading.paused_days, reading.overdue_promise) == (0, 0, False)


def test_lights_turn_yellow_near_the_promise_and_red_after_the_law() -> None:
    """Two days before the promise ends, and the day after the statutory limit."""
    days = ["2026-03-04", "2026-03-05", "2026-03-30", "2026-03-31"]
    assert [shown(facts(), day).light for day in days] == [Light.GREEN, Light.YELLOW, Light.YELLOW, Light.RED]


def test_a_limit_of_one_day_is_not_yellow_from_the_start() -> None:
    """On the spot is the rule there, not an alarm."""
    assert shown(facts(promised=Limit(1)), "2026-03-02T15:00").light is Light.GREEN
    assert shown(facts(promised=Limit(1)), "2026-03-03").light is Light.YELLOW


def test_the_threshold_of_yellow_is_data() -> None:
    """Configured, not built in."""
    rules = ClockRules.model_validate({"thresholds": {"yellow_days": 0}})
    assert shown(facts(), "2026-03-06", rules).light is Light.GREEN
    assert shown(facts(), "2026-03-09", rules).light is Light.YELLOW


def test_procedures_that_overlap_are_united() -> None:
    """Two hearings over the same days take them off once (art. 45)."""
    case = facts(pauses=(pause("2026-03-03", "2026-03-06"), pause("2026-03-05", "2026-03-10"), pause("2026-03-04", "2026-03-05")))
    reading = shown(case, "2026-03-11")
    assert (reading.elapsed_days, reading.paused_days, reading.due) == (2, 5, date(2026, 3, 16))


def test_an_open_procedure_leaves_the_end_unknown() -> None:
    """The days so far are not counted, and nobody can say when it is due."""
    reading = shown(facts(pauses=(pause("2026-03-04"),)), "2026-03-20")
    assert (reading.elapsed_days, reading.due, reading.statutory_due, reading.paused) == (2, None, None, True)


def test_a_procedure_that_ends_later_is_open_now() -> None:
    """Reading an earlier day knows nothing of what came after."""
    case = facts(pauses=(pause("2026-03-04", "2026-03-06"),), extensions=(Extension(at("2026-03-06"), 3),), stopped="2026-03-09")
    reading = shown(case, "2026-03-05")
    assert (reading.paused, reading.due, reading.promised_limit, reading.running) == (True, None, 5, True)


def test_a_procedure_does_not_heal_what_was_passed_before_it() -> None:
    """Overdue stays overdue in the pause."""
    reading = shown(facts(promised=Limit(1), pauses=(pause("2026-03-05"),)), "2026-03-20")
    assert reading.overdue_promise


def test_only_the_procedures_of_the_rules_stop_the_clock() -> None:
    """A region may count the days of a public notice."""
    rules = ClockRules.model_validate({"pausing": ["HEARING"]})
    case = facts(pauses=(pause("2026-03-03", "2026-03-06", "PUBLIC_NOTICE"),))
    assert shown(case, "2026-03-06", rules).paused_days == 0
    assert shown(case, "2026-03-06").paused_days == 3


def test_natural_days_count_every_day_and_an_end_on_a_holiday_moves() -> None:
    """Seven days from Friday 25 September end in the National Day week, so on 8 October."""
    case = facts("2026-09-25", promised=Limit(7, NATURAL))
    reading = shown(case, "2026-10-05")
    assert (reading.elapsed_days, reading.due, reading.overdue_promise) == (10, date(2026, 10, 8), False)
    assert not shown(case, "2026-10-08T23:00").overdue_promise
    assert shown(case, "2026-10-09").overdue_promise
    stays = ClockRules.model_validate({"end_on_holiday": "stays"})
    assert shown(case, "2026-10-03", stays).overdue_promise
    assert shown(case, "2026-10-03", stays).due == date(2026, 10, 2)


def test_a_limit_that_moved_has_no_days_left_and_is_not_over() -> None:
    """Five natural days from Monday 2 March end on Monday the 9th; what runs is never "-1 days left"."""
    case = facts(promised=Limit(5, NATURAL))
    left = [(one.left, one.due) for day in ("06", "07", "08", "09", "10") if (one := shown(case, f"2026-03-{day}").shown)]
    assert left == [(number, date(2026, 3, 9)) for number in (1, 0, 0, 0, -3)]


def test_each_limit_is_shown_with_the_days_in_its_own_unit() -> None:
    """Fifteen working days promised, twenty natural ones by law: the law's is passed when the promise still has days."""
    case = facts(promised=Limit(15), statutory=Limit(20, NATURAL))
    reading = shown(case, "2026-03-24")
    assert reading.light is Light.RED
    assert reading.shown == reading.law == (20, NATURAL, 22, date(2026, 3, 23), True)
    assert reading.promise == (15, Unit.WORKING, 16, date(2026, 3, 23), True)
    before = shown(case._replace(promised=Limit(18)), "2026-03-24")
    assert before.promise
    assert before.shown
    assert (before.promise.left, before.shown.left, before.elapsed_days, before.unit) == (2, -2, 16, Unit.WORKING)


def test_a_procedure_takes_natural_days_off_natural_limits() -> None:
    """Weekends in it too."""
    case = facts("2026-03-02", promised=Limit(10, NATURAL), pauses=(pause("2026-03-05", "2026-03-09"),))
    reading = shown(case, "2026-03-12")
    assert (reading.elapsed_days, reading.paused_days, reading.due) == (6, 4, date(2026, 3, 16))


def test_an_extension_in_time_moves_the_limit() -> None:
    """Granted on the last day is in time."""
    reading = shown(facts(extensions=(Extension(at("2026-03-09T17:00"), 3),)), "2026-03-12")
    assert (reading.promised_limit, reading.due, reading.overdue_promise) == (8, date(2026, 3, 12), False)


def test_an_extension_after_the_limit_does_not_heal() -> None:
    """The case stays overdue (art. 42), though for the statutory limit it came in time; a region may count it all the same."""
    case = facts(extensions=(Extension(at("2026-03-10"), 3),))
    reading = shown(case, "2026-03-10")
    assert (reading.promised_limit, reading.statutory_limit, reading.overdue_promise) == (5, 23, True)
    counted = ClockRules.model_validate({"extension": {"late": "counted"}})
    assert shown(case, "2026-03-10", counted).overdue_promise is False


FOUR = Limit(4)


@pytest.mark.parametrize(("granted", "limit"), [("03-06T23:00", 9), ("03-07", 4), ("03-08", 4), ("03-09", 4)])
def test_an_extension_on_the_weekend_after_the_last_day_is_too_late(granted: str, limit: int) -> None:
    """The last day is Friday; the law asks for the leave before the limit ends (art. 42), counted days or not."""
    case = facts(promised=None, statutory=FOUR, extensions=(Extension(at(f"2026-{granted}"), 5),))
    assert shown(case, "2026-03-13").statutory_limit == limit
    assert shown(case, "2026-03-07").overdue_legal is False
    assert shown(case, "2026-03-10").overdue_legal is (limit == 4)
    kinds = {line.kind for line in explain(case, LAW, CHINA, ZONE, at("2026-03-10"))}
    assert (Kind.LATE_EXTENSION in kinds) is (limit == 4)


@pytest.mark.parametrize(
    ("pauses", "limit"),
    [
        ([("03-06", None)], 9),
        ([("03-06", "03-10"), ("03-06", "03-14")], 9),
        ([("03-06", "03-13")], 4),
        ([("03-07", None)], 4),
    ],
    ids=["open since the last day", "one after the other", "over the day before", "begun after the last day"],
)
def test_a_procedure_that_began_by_the_last_day_puts_off_the_end(pauses: list[tuple[str, str | None]], limit: int) -> None:
    """Saturday 14 March: what began on Friday the 6th still holds the limit; what began on Saturday found it ended."""
    known = tuple(pause(f"2026-{start}", end and f"2026-{end}") for start, end in pauses)
    case = facts(promised=None, statutory=FOUR, pauses=known, extensions=(Extension(at("2026-03-14"), 5),))
    assert shown(case, "2026-03-14T12:00").statutory_limit == limit


def test_natural_days_that_end_on_a_weekend_can_be_extended_until_the_day_they_move_to() -> None:
    """Five days from Monday end on Saturday, so on Monday the 9th."""
    for granted, limit in (("03-08", 8), ("03-09", 8), ("03-10", 5)):
        case = facts(promised=Limit(5, NATURAL), extensions=(Extension(at(f"2026-{granted}"), 3),))
        assert shown(case, "2026-03-10").promised_limit == limit


def test_a_second_extension_is_judged_by_the_limit_as_extended() -> None:
    """Whatever order they are listed in."""
    case = facts(extensions=(Extension(at("2026-03-11"), 2), Extension(at("2026-03-09"), 3)))
    assert shown(case, "2026-03-12").promised_limit == 10


def test_extensions_count_no_more_than_the_rules_allow() -> None:
    """Ten days in all, fifteen for a joint approval (art. 42)."""
    long = (Extension(at("2026-03-04"), 8), Extension(at("2026-03-05"), 30))
    assert shown(facts(extensions=long), "2026-03-06").promised_limit == 15
    assert shown(facts(extensions=long, joint=True), "2026-03-06").promised_limit == 20


def test_dates_beyond_the_last_notice_make_the_reading_provisional() -> None:
    """A due date in a year without a notice may still move."""
    assert shown(facts("2026-12-28"), "2026-12-29").provisional
    assert not shown(facts(), "2026-03-03").provisional


def test_a_case_without_limits_is_never_overdue() -> None:
    """Days are counted all the same, in the rules' unit."""
    reading = shown(facts(promised=None, statutory=None), "2026-06-01")
    assert (reading.promised_limit, reading.due, reading.light, reading.elapsed_days > 50) == (None, None, Light.GREEN, True)


class Item:
    """What a catalogue would say."""

    promised: Limit | None = Limit(7, NATURAL)
    statutory: Limit | None = Limit(30)
    joint = False


def test_limits_come_from_the_case_then_the_item_then_the_law() -> None:
    """And the rules can turn the first two round."""
    case = Case("case:1", level=4, accepted_at=at("2026-03-02"), promised_days=3)
    assert facts_of(case, Item(), LAW).promised == Limit(3, NATURAL)
    assert facts_of(case, Item(), LAW).statutory == Limit(30)
    assert facts_of(case).promised == Limit(3)
    assert facts_of(case).statutory == Limit(20)
    item_first = ClockRules.model_validate({"limit_source": "item"})
    assert facts_of(case, Item(), item_first).promised == Limit(7, NATURAL)


@pytest.mark.parametrize(("level", "form", "days"), [(3, "", 15), (4, "", 20), (4, "JOINT", 20)])
def test_chongqing_s_rules_of_2007_depend_on_who_accepts(level: int, form: str, days: int) -> None:
    """15 days if the municipal department accepts, 20 if a district does or for a joint approval, +5 with approval."""
    rules = ClockRules.model_validate({"profile": "chongqing-2007"})
    case = Case("case:1", level=level, form=form, accepted_at=at("2026-03-02"), extensions=[Extension(at("2026-03-04"), 9)])
    assert facts_of(case, None, rules).statutory == Limit(days)
    assert shown(facts_of(case, None, rules), "2026-03-05", rules).statutory_limit == days + 5


def test_the_law_has_another_limit_for_joint_handling() -> None:
    """45 days (art. 42)."""
    assert facts_of(Case("case:1", form="JOINT", accepted_at=at("2026-03-02"))).statutory == Limit(45)


def test_an_unknown_profile_names_the_known_ones() -> None:
    """A typing error must not fall back to the law in silence."""
    with pytest.raises(ValidationError, match="write one of chongqing-2007, national-law"):
        ClockRules.model_validate({"profile": "chongqing"})


def test_own_rules_go_over_the_profile_mapping_by_mapping() -> None:
    """What is not named stays the profile's."""
    rules = ClockRules.model_validate({"profile": "chongqing-2007", "statutory": {"days": 18}})
    assert (rules.statutory.days, rules.statutory.joint, rules.statutory.levels, rules.extension.days) == (
        18,
        20,
        {3: 15, 4: 20},
        5,
    )


def test_the_explanation_tells_each_day_in_order_with_its_article() -> None:
    """Start, counted day, procedure, weekend, extension, stop, both limits."""
    case = facts(
        pauses=(pause("2026-03-03", "2026-03-04"),),
        extensions=(Extension(at("2026-03-05"), 1), Extension(at("2026-03-30"), 4)),
        stopped="2026-03-09",
    )
    lines = explain(case, LAW, CHINA, ZONE, at("2026-04-01"))
    assert [(line.day.day, line.kind, line.number) for line in lines[:10]] == [
        (2, Kind.START, None),
        (3, Kind.COUNTED, 1),
        (3, Kind.PAUSE, None),
        (4, Kind.PAUSED, None),
        (5, Kind.COUNTED, 2),
        (5, Kind.EXTENSION, 1),
        (6, Kind.COUNTED, 3),
        (7, Kind.OFF, None),
        (8, Kind.OFF, None),
        (9, Kind.COUNTED, 4),
    ]
    assert [line.kind for line in lines[10:]] == [Kind.STOP, Kind.DUE, Kind.EXTENSION, Kind.DUE]
    assert lines[0].article == "Administrative Licensing Law art. 42"
    assert lines[2].article == "Administrative Licensing Law art. 45"
    assert lines == sorted(lines, key=lambda line: line.day)


def test_the_explanation_tells_the_planned_days_in_the_unit_of_the_limit() -> None:
    """As the deadline of the procedure counts them."""
    planned = pause("2026-03-03")
    planned.planned_days = 3
    for unit, said in ((Unit.WORKING, "3 working days"), (NATURAL, "3 days")):
        case = facts(promised=Limit(5, unit), pauses=(planned,))
        (text,) = (line.text for line in explain(case, LAW, CHINA, ZONE, at("2026-03-04")) if line.kind is Kind.PAUSE)
        assert said in text


def test_the_explanation_says_which_extension_came_too_late_and_what_is_provisional() -> None:
    """And that a procedure does not stop the clock where the rules say so."""
    rules = ClockRules.model_validate({"pausing": []})
    case = facts("2026-12-21", extensions=(Extension(at("2026-12-30"), 2),), pauses=(pause("2026-12-22"),))
    texts = {line.kind: line.text for line in explain(case, rules, CHINA, ZONE, at("2026-12-31"))}
    assert "it does not count" in texts[Kind.LATE_EXTENSION]
    assert "open: it does not stop the clock here" in texts[Kind.PAUSE]
    assert "provisional" in texts[Kind.DUE]
    assert explain(Facts(None), rules, CHINA, ZONE, at("2026-12-31")) == []


DATES = st.dates(date(2025, 1, 1), date(2026, 6, 30))
SPANS = st.lists(st.tuples(DATES, st.integers(0, 40)).map(lambda pair: (pair[0], pair[0] + timedelta(pair[1]))), max_size=5)


@given(SPANS, DATES)
def test_united_spans_cover_the_same_days_once(spans: list[tuple[date, date]], first: date) -> None:
    """A day is in the union when it is in any span, and never twice."""
    days = [day for start, end in united(spans, first) for day in _days(start, end)]
    assert sorted(days) == sorted({day for start, end in spans for day in _days(start, end) if day > first})


def _days(start: date, end: date) -> list[date]:
    """The days d with start < d <= end."""
    return [start + timedelta(number) for number in range(1, (end - start).days + 1)]


def moments(start: date, end: date) -> st.SearchStrategy[int]:
    return st.datetimes(datetime.combine(start, time()), datetime.combine(end, time())).map(lambda moment: at(moment.isoformat()))


CASE_MOMENTS = moments(date(2026, 1, 1), date(2026, 6, 30))


@st.composite
def cases(draw: st.DrawFn) -> Facts:
    """Accepted cases with any pauses, extensions and ends, sensible or not."""
    ends = st.none() | CASE_MOMENTS
    pauses = draw(st.lists(st.builds(lambda a, b: Pause("p", a, b), CASE_MOMENTS, ends), max_size=3))
    extensions = draw(st.lists(st.builds(Extension, CASE_MOMENTS, st.integers(1, 9)), max_size=2))
    unit = draw(st.sampled_from(Unit))
    promised, statutory = (Limit(draw(st.integers(0, 20)), unit) for _ in range(2))
    return Facts(draw(CASE_MOMENTS), draw(ends), pauses, extensions, promised, statutory)


@given(cases(), CASE_MOMENTS, CASE_MOMENTS)
def test_the_clock_never_goes_back(case: Facts, a: int, b: int) -> None:
    """Later is never fewer days; and what is overdue under the law's rules stays so, whatever comes."""
    a, b = sorted((a, b))
    before, after = read(case, LAW, CHINA, ZONE, a), read(case, LAW, CHINA, ZONE, b)
    if all(known.end is None or known.start <= known.end <= a for known in case.pauses):
        assert before.elapsed_days <= after.elapsed_days
        assert after.overdue_promise or not before.overdue_promise
    assert before.elapsed_days + before.paused_days <= after.elapsed_days + after.paused_days


@given(cases(), CASE_MOMENTS)
def test_the_reading_agrees_with_counting_each_day_by_hand(case: Facts, now: int) -> None:
    """Elapsed, due and overdue against a plain loop over the days."""
    reading = read(case, LAW, CHINA, ZONE, now)
    if case.accepted_at is None or case.accepted_at > now:
        assert reading == Reading()
        return
    assert case.promised is not None
    tally = count_at(case, case.promised.unit, Terms(LAW, CHINA, ZONE), now)
    free = [
        day
        for day in _days(tally.start, tally.till + timedelta(400))
        if (case.promised.unit is NATURAL or CHINA.is_working(day)) and not any(start < day <= end for start, end in tally.spans)
    ]
    counted = [day for day in free if day <= tally.till]
    assert reading.elapsed_days == len(counted)
    assert tally.over(reading.promised_limit or 0) or not reading.overdue_promise
    limit = reading.promised_limit or 0
    if case.promised.unit is Unit.WORKING:
        assert reading.overdue_promise is (len(counted) > limit)
        assert reading.due in (None, free[limit - 1] if limit else tally.start)


def test_only_office_hours_count_for_limits_in_hours() -> None:
    """Two hours from 11:30 end at 15:30; from Friday evening, on Monday at 11."""
    assert due_after(at("2026-03-02T11:30"), 2, CHINA, ZONE) == at("2026-03-02T15:30")
    assert due_after(at("2026-03-06T19:00"), 2, CHINA, ZONE) == at("2026-03-09T11:00")
    assert due_after(at("2026-03-07T09:00"), 8, CHINA, ZONE) == at("2026-03-10T10:00")
    assert due_after(at("2026-03-02T11:30"), 0, CHINA, ZONE) == at("2026-03-02T11:30")


def test_hours_passed_are_office_hours_only() -> None:
    """The night and the weekend pass for nothing; backwards is none."""
    assert passed(at("2026-03-06T17:00"), at("2026-03-09T10:30"), CHINA, ZONE) == 2.5
    assert passed(at("2026-03-06T12:15"), at("2026-03-06T13:00"), CHINA, ZONE) == 0
    assert passed(at("2026-03-06T17:00"), at("2026-03-06T10:00"), CHINA, ZONE) == 0


def test_a_calendar_without_office_hours_says_so() -> None:
    """A limit in hours would never end."""
    closed = Calendar.from_settings(CalendarSettings(office_hours=()))
    assert passed(at("2026-03-06T09:00"), at("2026-03-06T10:00"), closed, ZONE) == 0
    with pytest.raises(ValueError, match=r"calendar\.office_hours"):
        due_after(at("2026-03-06T09:00"), 2, closed, ZONE)


@given(CASE_MOMENTS, st.integers(1, 40))
def test_the_end_of_a_limit_in_hours_is_that_many_hours_on(start: int, hours: int) -> None:
    """The two functions agree."""
    assert passed(start, due_after(start, hours, CHINA, ZONE), CHINA, ZONE) == hours
