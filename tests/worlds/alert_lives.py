"""Made-up lives of cases, each with one irregularity planted on purpose or a near miss beside it, and the truth about them.

A second opinion: it imports nothing of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from random import Random

from alert_life import ANSWER, DAY, FIRST, HAND_UP, HOUR, MINUTE, PART, SIGN, Fact, Life, Says, after, opens, passes

Plant = Callable[[Life, date], None]
PLANTS: dict[str, Plant] = {}


def planted(plant: Plant) -> Plant:
    PLANTS[plant.__name__] = plant
    return plant


def lives(seed: int, each: int = 2) -> list[Life]:
    """So many lives of each kind, from different days on."""
    rng = Random(seed)
    made: list[Life] = []
    for name, plant in PLANTS.items():
        for _ in range(each):
            life = Life(name, f"city:{len(made):04}", Random(rng.random()))
            plant(life, after(FIRST, rng.randint(0, 12)))
            made.append(life)
    return made


def shuffled(life: Life, seed: int) -> list[Fact]:
    facts = list(life.facts)
    Random(seed).shuffle(facts)
    return facts


def _limits(life: Life, day: date, used: int, pause: bool = False, extended: int = 0) -> None:
    """Promised 8, statutory 14 working days, decided on the so-manieth counted day."""
    promised, statutory = 8, 14
    start = life.accepted(day, promised, statutory)
    skipped = None
    if pause:
        skipped = after(day, 1), after(day, 4)
        life.put("ClockPaused", life.on(skipped[0]), pause="p1", procedure="EXPERT_REVIEW", planned_days=10)
        life.put("ClockResumed", life.on(skipped[1]), pause="p1")
    if extended:
        life.put("LimitExtended", life.on(after(day, 3)), days=extended)
    end = life.decided(life.on(passes(start, used - 1, skipped).date(), 16))
    promised, statutory = promised + extended, statutory + extended
    over = [passes(start, limit, skipped) for limit in (promised, statutory)]
    life.must("promise_near", passes(start, promised - 3, skipped), min(end, over[0]))
    life.must("promise_passed", over[0], min(end, over[1]))
    life.must("statute_near", passes(start, statutory - 3, skipped), min(end, over[1]))
    life.must("statute_passed", over[1], end)


@planted
def decided_in_good_time(life: Life, day: date) -> None:
    _limits(life, day, 5)


@planted
def decided_two_days_before_the_promise(life: Life, day: date) -> None:
    _limits(life, day, 6)


@planted
def decided_on_the_last_day_of_the_promise(life: Life, day: date) -> None:
    _limits(life, day, 8)


@planted
def decided_a_day_after_the_promise(life: Life, day: date) -> None:
    _limits(life, day, 9)


@planted
def decided_on_the_last_day_of_the_law(life: Life, day: date) -> None:
    _limits(life, day, 14)


@planted
def decided_after_the_laws_limit(life: Life, day: date) -> None:
    _limits(life, day, 17)


@planted
def a_pause_moves_the_limits(life: Life, day: date) -> None:
    _limits(life, day, 16, pause=True)


@planted
def an_extension_moves_the_limits(life: Life, day: date) -> None:
    _limits(life, day, 12, extended=4)


def _answered(life: Life, day: date, used: int) -> None:
    applied = life.put("Applied", life.on(day, 9))
    answered = life.put("Accepted", life.on(after(day, used)), promised_days=30, statutory_days=40)
    life.must("answer_late", passes(applied, ANSWER), answered)
    life.decided(life.on(after(day, used + 2)))


@planted
def answered_on_the_fifth_day(life: Life, day: date) -> None:
    _answered(life, day, 5)


@planted
def answered_on_the_seventh_day(life: Life, day: date) -> None:
    _answered(life, day, 7)


@planted
def no_answer_to_the_papers_brought_later(life: Life, day: date) -> None:
    life.put("Applied", life.on(day, 9))
    life.put("SupplementRequested", life.on(after(day, 3)), round=1, missing=["plan"])
    brought = life.put("SupplementReceived", life.on(after(day, 9)), round=1)
    answered = life.put("Accepted", life.on(after(day, 16)), promised_days=30, statutory_days=40)
    life.must("answer_late", passes(brought, ANSWER), answered)
    life.decided(life.on(after(day, 18)))


@planted
def papers_asked_for_once(life: Life, day: date) -> None:
    life.put("Applied", life.on(day, 9))
    life.put("SupplementRequested", life.on(after(day, 2)), round=1)
    life.put("SupplementReceived", life.on(after(day, 4)), round=1)
    life.put("Accepted", life.on(after(day, 5)), promised_days=30, statutory_days=40)
    life.decided(life.on(after(day, 7)))


@planted
def papers_asked_for_twice(life: Life, day: date) -> None:
    life.put("Applied", life.on(day, 9))
    for number in (1, 2):
        asked = life.put("SupplementRequested", life.on(after(day, 2 * number)), round=number)
        life.put("SupplementReceived", life.on(after(day, 2 * number + 1)), round=number)
    life.must("second_supplement_notice", asked)
    life.must("findings_of_law", asked)
    life.put("Accepted", life.on(after(day, 6)), promised_days=30, statutory_days=40)
    life.decided(life.on(after(day, 8)))


@planted
def refused_without_a_reason(life: Life, day: date) -> None:
    life.accepted(day)
    end = life.decided(life.on(after(day, 3)), result="REFUSED")
    life.must("refusal_without_reason", end)
    life.must("findings_of_law", end)


@planted
def refused_with_a_reason(life: Life, day: date) -> None:
    life.accepted(day)
    life.decided(life.on(after(day, 3)), result="REFUSED", reason="The plan breaks the building line.")


def _paused(life: Life, day: date, began: int, *, last_day: bool) -> None:
    start = life.accepted(day, 8, 14)
    pause = life.put("ClockPaused", life.on(after(day, began)), pause="p1", procedure="HEARING", planned_days=10)
    life.put("ClockResumed", life.on(after(day, 10), 9), pause="p1")
    end = life.decided(life.on(after(day, 10), 15))
    life.must("promise_near", passes(start, 5), end)
    if last_day:
        life.must("pause_on_the_last_day", pause)


@planted
def paused_on_the_last_day(life: Life, day: date) -> None:
    _paused(life, day, 8, last_day=True)


@planted
def paused_on_the_day_before(life: Life, day: date) -> None:
    _paused(life, day, 7, last_day=False)


def _unplanned(life: Life, day: date, length: timedelta) -> None:
    life.accepted(day)
    start = life.put("ClockPaused", life.on(after(day, 1)), pause="p1", procedure="HEARING")
    end = life.put("ClockResumed", start + length, pause="p1")
    life.must("pause_without_end", start + 16 * DAY, end)
    life.decided(life.on(after(end.date(), 2)))


@planted
def an_unplanned_pause_of_three_weeks(life: Life, day: date) -> None:
    _unplanned(life, day, 21 * DAY)


@planted
def an_unplanned_pause_of_less_than_sixteen_days(life: Life, day: date) -> None:
    _unplanned(life, day, 16 * DAY - MINUTE)


def _planned(life: Life, day: date, used: int) -> None:
    life.accepted(day)
    start = life.put("ClockPaused", life.on(after(day, 1)), pause="p1", procedure="HEARING", planned_days=6)
    end = life.put("ClockResumed", life.on(after(start.date(), used)), pause="p1")
    life.must("pause_without_end", passes(start, 6), end)
    life.decided(life.on(after(end.date(), 2)))


@planted
def a_pause_two_days_over_its_plan(life: Life, day: date) -> None:
    _planned(life, day, 8)


@planted
def a_pause_as_planned(life: Life, day: date) -> None:
    _planned(life, day, 6)


def _step(life: Life, day: date, end: datetime, limit: int | None = None) -> None:
    life.accepted(day)
    start = life.put("StepStarted", life.on(after(day, 1)), step="review", limit_days=limit)
    life.put("StepCompleted", end, step="review")
    life.must("step_stuck", start + 11 * DAY if limit is None else passes(start, limit), end)
    life.decided(life.on(after(end.date(), 1)))


@planted
def a_step_of_two_weeks(life: Life, day: date) -> None:
    _step(life, day, life.on(after(day, 1) + 14 * DAY))


@planted
def a_step_of_ten_days(life: Life, day: date) -> None:
    _step(life, day, life.on(after(day, 1) + 10 * DAY))


@planted
def a_step_over_its_own_limit(life: Life, day: date) -> None:
    _step(life, day, life.on(after(day, 6)), 3)


@planted
def a_step_on_the_last_day_of_its_own_limit(life: Life, day: date) -> None:
    _step(life, day, life.on(after(day, 4), 17), 3)


def _signed(life: Life, day: date, used: int) -> None:
    life.accepted(day)
    sent = life.put("HandedAcross", life.on(after(day, 1)), hand_over="h1", to="fire@991201")
    signed = life.put("Received", life.on(after(sent.date(), used), 17), hand_over="h1", authority="fire@991201")
    life.must("sent_not_received", passes(sent, SIGN), signed)
    life.decided(life.on(after(signed.date(), 2)), authority="fire@991201")


@planted
def signed_for_on_the_fourth_day(life: Life, day: date) -> None:
    _signed(life, day, 4)


@planted
def signed_for_on_the_second_day(life: Life, day: date) -> None:
    _signed(life, day, 2)


def _up(life: Life, day: date, used: int) -> None:
    start = life.accepted(day, 45, 60, form="HANDED_UP")
    sent = life.put("HandedUp", life.on(after(day, used)), hand_over="h1", to="quality@991200")
    life.put("Received", life.on(after(day, used + 1)), hand_over="h1", authority="quality@991200")
    life.must("hand_up_late", passes(start, HAND_UP), sent)
    if used > HAND_UP:
        life.must("findings_of_law", sent)
    life.decided(life.on(after(day, used + 3)), authority="quality@991200")


@planted
def handed_up_on_the_twentieth_day(life: Life, day: date) -> None:
    _up(life, day, 20)


@planted
def handed_up_on_the_twenty_third_day(life: Life, day: date) -> None:
    _up(life, day, 23)


def _part(life: Life, day: date, used: int) -> None:
    life.accepted(day, form="JOINT")
    life.put("HandedAcross", life.on(after(day, 1), 9), hand_over="h1", to="fire@991201", part="fire")
    signed = life.put("Received", life.on(after(day, 2)), hand_over="h1", part="fire", authority="fire@991201")
    said = life.put("StepCompleted", life.on(after(day, 2 + used)), step="opinion", part="fire", authority="fire@991201")
    life.must("part_unanswered", passes(signed, PART), said)
    life.decided(life.on(after(said.date(), 2)))


@planted
def a_part_answered_on_the_fifth_day(life: Life, day: date) -> None:
    _part(life, day, 5)


@planted
def a_part_answered_on_the_eighth_day(life: Life, day: date) -> None:
    _part(life, day, 8)


def _visit(life: Life, day: date, wanted: timedelta, called: timedelta) -> None:
    """Office hours are nine to twelve and two to six. Two of them may pass."""
    asked = life.put("AppointmentRequested", opens(day) + wanted, appointment="a1")
    back = life.put("AppointmentConfirmed", opens(day) + called, appointment="a1")
    over = asked + 4 * HOUR if asked.hour < 12 <= asked.hour + 2 else asked + 2 * HOUR
    life.must("appointment_not_called_back", over + timedelta(microseconds=1), back)


@planted
def called_back_in_the_last_minute(life: Life, day: date) -> None:
    _visit(life, day, 9 * HOUR + 10 * MINUTE, 11 * HOUR + 9 * MINUTE)


@planted
def called_back_over_the_noon_in_time(life: Life, day: date) -> None:
    _visit(life, day, 11 * HOUR, 14 * HOUR + 59 * MINUTE)


@planted
def called_back_in_the_evening(life: Life, day: date) -> None:
    _visit(life, day, 11 * HOUR, 22 * HOUR)


def _delayed(life: Life, day: date, delay: timedelta) -> None:
    life.accepted(day)
    at = life.on(after(day, 1))
    life.put("StepCompleted", at, keyed=at + delay, step="review")
    if delay > 3 * DAY:
        life.must("late_entry", at)
    life.decided(life.on(after(day, 8)))


@planted
def keyed_in_five_days_late(life: Life, day: date) -> None:
    _delayed(life, day, 5 * DAY)


@planted
def keyed_in_three_days_later(life: Life, day: date) -> None:
    _delayed(life, day, 3 * DAY)


def _burst(life: Life, day: date, hours: tuple[int, ...], apart: timedelta) -> datetime:
    """Steps so many hours after a morning, keyed in one after the other; returns when the last one happened."""
    life.accepted(day)
    first = life.on(after(day, 1), 9)
    at = first
    for number, hour in enumerate(hours):
        at = first + hour * HOUR
        life.put("StepCompleted", at, keyed=first + 60 * HOUR + number * apart, step=f"s{number}")
    life.decided(life.on(after(day, 8)))
    return at


@planted
def four_steps_keyed_in_at_once(life: Life, day: date) -> None:
    life.must("keyed_in_a_burst", _burst(life, day, (0, 5, 24, 50), 2 * MINUTE))


@planted
def four_steps_keyed_in_within_the_hour(life: Life, day: date) -> None:
    _burst(life, day, (0, 5, 24, 50), 6 * MINUTE)


@planted
def three_steps_keyed_in_at_once(life: Life, day: date) -> None:
    _burst(life, day, (0, 5, 50), 2 * MINUTE)


@planted
def four_steps_of_one_day_keyed_in_at_once(life: Life, day: date) -> None:
    _burst(life, day, (0, 1, 3, 7), 2 * MINUTE)


def _even(life: Life, day: date, gaps: tuple[timedelta, ...]) -> datetime:
    life.accepted(day)
    at = life.put("StepCompleted", life.on(after(day, 1), 9), step="s")
    for number, gap in enumerate(gaps):
        at = life.put("StepCompleted", at + gap, step=f"s{number}")
    life.decided(life.on(after(at.date(), 2)))
    return at


@planted
def five_steps_at_equal_intervals(life: Life, day: date) -> None:
    life.must("equal_intervals", _even(life, day, (37 * MINUTE,) * 4))


@planted
def four_steps_at_equal_intervals(life: Life, day: date) -> None:
    _even(life, day, (37 * MINUTE,) * 3)


@planted
def intervals_that_differ_by_a_second(life: Life, day: date) -> None:
    _even(life, day, (37 * MINUTE, 37 * MINUTE, 37 * MINUTE + timedelta(seconds=1), 37 * MINUTE))


@planted
def a_step_each_day_at_the_same_hour(life: Life, day: date) -> None:
    _even(life, day, (DAY,) * 4)


def _quick(life: Life, day: date, span: timedelta, promised: int = 10) -> datetime:
    at = life.put("Applied", life.on(day, 9))
    life.put("Accepted", at + span / 3, promised_days=promised, statutory_days=30)
    life.put("StepCompleted", at + span / 2, step="s")
    return life.decided(at + span)


@planted
def all_done_within_minutes(life: Life, day: date) -> None:
    """The licence is collected two days later, which makes the case no slower."""
    life.must("done_within_minutes", _quick(life, day, 8 * MINUTE))


@planted
def all_done_within_a_quarter_of_an_hour(life: Life, day: date) -> None:
    _quick(life, day, 15 * MINUTE)


@planted
def all_done_on_the_spot_as_promised(life: Life, day: date) -> None:
    _quick(life, day, 8 * MINUTE, promised=1)


def _unapplied(life: Life, day: date, applied: timedelta) -> None:
    """A fee is charged for a case that nobody applied for; the application is keyed in so much later."""
    fee = life.put("FeeCharged", life.on(day), amount=100)
    came = fee + 2 * MINUTE
    at = fee - HOUR
    life.put("Applied", at, keyed=came + applied)
    said = {"promised_days": 80, "statutory_days": 90}
    life.put("Accepted", fee + HOUR, keyed=came + applied - 2 * MINUTE, **said)
    life.must("late_entry", at)
    if applied > 31 * DAY:
        life.lies.append(Says("no_application", came + 31 * DAY, came + applied + MINUTE))


@planted
def work_that_nobody_applied_for(life: Life, day: date) -> None:
    """A second row of the same day comes after forty days: it starts the wait anew, and takes nothing back."""
    fee = life.put("FeeCharged", life.on(day), amount=100)
    second = life.put("FeeCharged", fee + HOUR, keyed=fee + 40 * DAY, amount=50)
    life.must("late_entry", second)
    life.must("no_application", fee + 2 * MINUTE + 31 * DAY, fee + 40 * DAY + MINUTE)
    life.must("no_application", fee + 40 * DAY + MINUTE + 31 * DAY)


@planted
def an_application_that_comes_after_five_weeks(life: Life, day: date) -> None:
    _unapplied(life, day, 35 * DAY)


@planted
def an_application_that_comes_after_thirty_days(life: Life, day: date) -> None:
    _unapplied(life, day, 30 * DAY)


def _rated(life: Life, day: date, score: int, followed: int) -> None:
    life.accepted(day)
    end = life.decided(life.on(after(day, 3)))
    rated = life.put("Rated", life.on(after(end.date(), 3)), score=score)
    taken = life.put("SupervisionOpened", life.on(after(rated.date(), followed), 16), supervision="v1", authority="bureau@991200")
    if score >= 4:
        life.must("bad_rating_unfollowed", passes(rated, 2), taken)


@planted
def a_bad_rating_followed_up_on_the_second_day(life: Life, day: date) -> None:
    _rated(life, day, 5, 2)


@planted
def a_bad_rating_followed_up_on_the_fifth_day(life: Life, day: date) -> None:
    _rated(life, day, 4, 5)


@planted
def a_fair_rating(life: Life, day: date) -> None:
    _rated(life, day, 3, 5)


@planted
def a_decision_keyed_in_after_the_limit(life: Life, day: date) -> None:
    """It was in time; until somebody said so it looked late, and late entry is what it was."""
    start = life.accepted(day, 8, 14)
    at = life.on(after(day, 5))
    keyed = life.on(after(day, 12))
    life.put("Decided", at, keyed=keyed, result="GRANTED")
    life.put("Collected", life.on(after(day, 12), 16))
    came = keyed + MINUTE
    life.must("late_entry", at)
    life.lies.append(Says("promise_near", passes(start, 5), passes(start, 8)))
    life.lies.append(Says("promise_passed", passes(start, 8), came))
    life.lies.append(Says("statute_near", passes(start, 11), came))


@planted
def a_refusal_taken_back(life: Life, day: date) -> None:
    """A refusal without a reason that was a slip of the pen: the correction takes it away, and what was said of it."""
    life.accepted(day)
    refused = life.put("Decided", life.on(after(day, 3)), result="REFUSED", row="slip")
    taken = life.put("Corrected", life.on(after(day, 5)), corrects="slip", cancels=True)
    life.lies.append(Says("refusal_without_reason", refused + 2 * MINUTE, taken + 2 * MINUTE))
    life.decided(life.on(after(day, 6)))


def kinds() -> Iterator[str]:
    """Indicators that some life makes speak."""
    for life in lives(1, 1):
        for one in (*life.says, *life.lies):
            yield one.indicator
