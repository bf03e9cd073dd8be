"""Why the clock shows what it shows: every counted day, day off, procedure and extension, with the article of law."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from schemas.calendar import Calendar
from schemas.count import Count, local_date
from schemas.limits import Facts, Terms, count_at, counting, ended, known_at
from schemas.rules import ClockRules, Limit, Unit


class Kind(StrEnum):
    """What a line of an explanation tells."""

    START = "start"
    COUNTED = "counted"
    OFF = "off"
    PAUSED = "paused"
    PAUSE = "pause"
    EXTENSION = "extension"
    LATE_EXTENSION = "late_extension"
    STOP = "stop"
    DUE = "due"


class Line(NamedTuple):
    """One line. `number` counts the counted days from 1; for an extension or a limit it is its days."""

    day: date
    kind: Kind
    text: str
    number: int | None = None
    article: str = ""


#: Which of the rules' articles stands behind a kind of line.
_ARTICLE = {
    Kind.START: "start",
    Kind.COUNTED: "day",
    Kind.OFF: "day",
    Kind.PAUSED: "pause",
    Kind.PAUSE: "pause",
    Kind.EXTENSION: "extension",
    Kind.LATE_EXTENSION: "extension",
    Kind.DUE: "due",
}


def explain(facts: Facts, rules: ClockRules, calendar: Calendar, zone: tzinfo, now: int) -> list[Line]:
    """The clock's account up to a time, day by day; empty for a case not accepted by then."""
    if facts.accepted_at is None or facts.accepted_at > now:
        return []
    terms = Terms(rules, calendar, zone)
    main = facts.promised or facts.statutory
    count = count_at(facts, main.unit if main else rules.unit, terms, now)
    facts = known_at(facts, now)
    lines = [Line(count.start, Kind.START, "accepted: the clock starts, the day itself is not counted")]
    lines += [*_pauses(facts, terms), *_extensions(facts, main, terms, now), *_days(count)]
    lines += [*_stop(facts, count, zone), *_dues(facts, terms, now, count)]
    order = list(Kind)
    lines.sort(key=lambda line: (line.day, order.index(line.kind)))
    return [line._replace(article=rules.articles.get(_ARTICLE.get(line.kind, ""), "")) for line in lines]


def _days(count: Count) -> Iterator[Line]:
    number = 0
    for offset in range(1, (count.till - count.start).days + 1):
        day = count.start + timedelta(offset)
        before = day - timedelta(1)
        if not count.days(before, day):
            yield Line(day, Kind.OFF, "no working day: not counted")
        elif not count.counted(before, day):
            yield Line(day, Kind.PAUSED, "in a special procedure: not counted")
        else:
            number += 1
            yield Line(day, Kind.COUNTED, f"{'working' if count.unit is Unit.WORKING else 'natural'} day {number}", number)


def _pauses(facts: Facts, terms: Terms) -> Iterator[Line]:
    for pause in facts.pauses:
        start = local_date(pause.start, terms.zone)
        name = " ".join(filter(None, (pause.procedure.lower().replace("_", " "), pause.id)))
        end = "open" if pause.end is None else f"until {local_date(pause.end, terms.zone)}"
        effect = "" if terms.rules.pauses(pause.procedure) else ": it does not stop the clock here"
        yield Line(start, Kind.PAUSE, f"special procedure {name} begins, {end}{effect}")


def _extensions(facts: Facts, main: Limit | None, terms: Terms, now: int) -> Iterator[Line]:
    good = counting(facts, main, terms, now) if main else []
    for extension in facts.extensions:
        day = local_date(extension.at, terms.zone)
        if any(extension is other for other in good):
            yield Line(day, Kind.EXTENSION, f"extended by {extension.days}", extension.days)
        else:
            yield Line(
                day, Kind.LATE_EXTENSION, f"extension by {extension.days} after the limit: it does not count", extension.days
            )


def _stop(facts: Facts, count: Count, zone: tzinfo) -> Iterator[Line]:
    if facts.stopped_at is not None:
        yield Line(
            local_date(facts.stopped_at, zone), Kind.STOP, f"the clock stops after {count.counted(count.start, count.till)} days"
        )


def _dues(facts: Facts, terms: Terms, now: int, count: Count) -> Iterator[Line]:
    for name, limit in (("promised", facts.promised), ("statutory", facts.statutory)):
        end = ended(facts, limit, terms, now, count)
        if end and end.due:
            verdict = ": passed" if end.passed else ""
            unsure = ", provisional: beyond the last official notice" if terms.calendar.provisional(end.due) else ""
            yield Line(end.due, Kind.DUE, f"the {name} limit of {end.days} days ends{verdict}{unsure}", end.days)
