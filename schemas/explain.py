"""Why the clock shows what it shows: every counted day, day off, procedure and extension, with the article of law."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta, tzinfo
from enum import StrEnum
from typing import NamedTuple

from schemas.calendar import Calendar
from schemas.case import Extension, Pause
from schemas.count import Count
from schemas.instants import local_date
from schemas.language import Amount, Phrase, Word, language
from schemas.limits import Facts, Terms, count_at, counting, ended, forgiven, known_at, started
from schemas.masking import masked
from schemas.rules import ClockRules, Limit, Unit


class Kind(StrEnum):
    """What a line of an explanation tells."""

    START = "start"
    DEEMED = "deemed"
    COUNTED = "counted"
    OFF = "off"
    PAUSED = "paused"
    PAUSE = "pause"
    EXTENSION = "extension"
    LATE_EXTENSION = "late_extension"
    STOP = "stop"
    DUE = "due"


class Line(NamedTuple):
    """One line. `number` counts the counted days from 1; for an extension or a limit it is its days.

    `text` is English; `phrases` say the same in any language (`schemas.language`).
    """

    day: date
    kind: Kind
    text: str
    number: int | None = None
    article: str = ""
    phrases: tuple[Phrase, ...] = ()


#: Which of the rules' articles stands behind a kind of line.
_ARTICLE = {
    Kind.START: "start",
    Kind.DEEMED: "deemed",
    Kind.COUNTED: "day",
    Kind.OFF: "day",
    Kind.PAUSED: "pause",
    Kind.PAUSE: "pause",
    Kind.EXTENSION: "extension",
    Kind.LATE_EXTENSION: "extension",
    Kind.DUE: "due",
}


def explain(facts: Facts, rules: ClockRules, calendar: Calendar, zone: tzinfo, now: int) -> list[Line]:
    """The clock's account up to a time, day by day; empty for a case not accepted by then, nor by law."""
    terms = Terms(rules, calendar, zone)
    told = facts.accepted_at
    facts = started(facts, terms, now)
    if facts.accepted_at is None:
        return []
    main = facts.promised or facts.statutory
    count = count_at(facts, main.unit if main else rules.unit, terms, now)
    facts = known_at(facts, now)
    lines = [*_start(facts, told, terms, now), *_pauses(facts, count.unit, terms), *_extensions(facts, main, terms, now)]
    lines += [*_days(count), *_stop(facts, count, terms, now), *_dues(facts, terms, now, count)]
    order = list(Kind)
    lines.sort(key=lambda line: (line.day, order.index(line.kind)))
    return [line if line.article else line._replace(article=_article(line.kind, rules)) for line in lines]


def _article(kind: Kind, rules: ClockRules) -> str:
    return rules.articles.get(_ARTICLE.get(kind, ""), "")


def _line(day: date, kind: Kind, *phrases: Phrase, number: int | None = None) -> Line:
    return Line(day, kind, language("en").say(*phrases), number, phrases=phrases)


def _start(facts: Facts, told: int | None, terms: Terms, now: int) -> Iterator[Line]:
    """The start; and where the law set it, the acceptance in writing that came too late."""
    first = local_date(facts.accepted_at or 0, terms.zone)
    if facts.reopened and not facts.deemed:
        yield _line(first, Kind.START, Phrase("line.start_reopened"))._replace(article=terms.rules.articles.get("reopened", ""))
        return
    if not facts.deemed:
        yield _line(first, Kind.START, Phrase("line.start"))
        return
    yield _line(first, Kind.START, Phrase("line.start_deemed"))._replace(article=_article(Kind.DEEMED, terms.rules))
    if told is not None and told <= now:
        yield _line(local_date(told, terms.zone), Kind.DEEMED, Phrase("line.deemed"))


def _days(count: Count) -> Iterator[Line]:
    number = 0
    for offset in range(1, (count.till - count.start).days + 1):
        day = count.start + timedelta(offset)
        before = day - timedelta(1)
        if not count.days(before, day):
            yield _line(day, Kind.OFF, Phrase("line.off"))
        elif not count.counted(before, day):
            yield _line(day, Kind.PAUSED, Phrase("line.paused"))
        else:
            number += 1
            yield _line(day, Kind.COUNTED, Phrase(f"day.{count.unit}", {"number": number}), number=number)


def _pauses(facts: Facts, unit: Unit, terms: Terms) -> Iterator[Line]:
    for pause in facts.pauses:
        named = {"procedure": Word("procedure", pause.procedure.lower() or "other"), "id": pause.id}
        phrases = [Phrase("line.pause", named), _until(pause, terms.zone)]
        if not terms.rules.pauses(pause.procedure):
            phrases.append(Phrase("line.pause_counted"))
        if pause.planned_days is not None:
            phrases.append(Phrase("line.planned", {"days": Amount(pause.planned_days, unit)}))
        yield _line(local_date(pause.start, terms.zone), Kind.PAUSE, *phrases, *_grounds(pause))


def _until(pause: Pause, zone: tzinfo) -> Phrase:
    return Phrase("line.pause_open") if pause.end is None else Phrase("line.pause_until", {"day": local_date(pause.end, zone)})


def _grounds(granted: Pause | Extension) -> Iterator[Phrase]:
    """Why, and by whose leave: the law asks for both (art. 42, 45)."""
    if granted.reason:
        yield Phrase("line.reason", {"reason": granted.reason})
    yield Phrase("line.approved", {"approver": masked(granted.approver)}) if granted.approver else Phrase("line.unapproved")


def _extensions(facts: Facts, main: Limit | None, terms: Terms, now: int) -> Iterator[Line]:
    good = counting(facts, main, terms, now) if main else []
    lawful = counting(facts, facts.statutory, terms, now) if facts.statutory else []
    unit = main.unit if main else terms.rules.unit
    granted = sum(one.days for one in good)
    bound = terms.rules.bounded(granted, joint=facts.joint)
    bounding = [Phrase("line.extension_bound", {"days": Amount(bound, unit)})] if bound < granted else []
    for extension in facts.extensions:
        key = _worth(extension, good, lawful)
        kind = Kind.EXTENSION if key == "extension" else Kind.LATE_EXTENSION
        said = Phrase(f"line.{key}", {"days": Amount(extension.days, unit)})
        more = [*(bounding if kind is Kind.EXTENSION else ()), *_grounds(extension)]
        yield _line(local_date(extension.at, terms.zone), kind, said, *more, number=extension.days)


def _worth(extension: Extension, good: Iterable[Extension], lawful: Iterable[Extension]) -> str:
    """Too late for the promise may be in time for the law."""
    if any(extension is other for other in good):
        return "extension"
    return "extension_law_only" if any(extension is other for other in lawful) else "extension_late"


def _stop(facts: Facts, count: Count, terms: Terms, now: int) -> Iterator[Line]:
    if facts.stopped_at is not None:
        phrases = [Phrase("line.stop", {"days": count.counted(count.start, count.till)})]
        phrases += [Phrase("line.forgiven")] if forgiven(facts, terms.rules, now) else []
        yield _line(local_date(facts.stopped_at, terms.zone), Kind.STOP, *phrases)


def _dues(facts: Facts, terms: Terms, now: int, count: Count) -> Iterator[Line]:
    for name, limit in (("promised", facts.promised), ("statutory", facts.statutory)):
        end = ended(facts, limit, terms, now, count)
        if end and end.due:
            phrases = [Phrase(f"line.due_{name}", {"days": end.days})]
            phrases += [Phrase("line.passed")] if end.passed else []
            phrases += [Phrase("line.provisional")] if terms.calendar.provisional(end.due) else []
            yield _line(end.due, Kind.DUE, *phrases, number=end.days)
