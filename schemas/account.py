"""A case's clock told to people: one sentence why its light is what it is, then the days in a few lines, each with its law.

    account(case, item, Terms(rules, calendar, zone), now, language("zh")) -> Account

Days in a row that counted for the same reason are one line; procedures come with reason and approver (masked), extensions
too, and the calendar with its version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from schemas.asof import as_of
from schemas.calendar import Calendar
from schemas.case import Case
from schemas.clock import Light, Reading, read
from schemas.deadlines import Deadline, deadlines
from schemas.explain import Kind, Line, explain
from schemas.headline import headline, told
from schemas.language import Amount, Language, Phrase
from schemas.limits import Terms, facts_of
from schemas.rules import Unit
from schemas.spans import Planned

#: Kinds of lines of which there is one a day.
_DAYS = (Kind.COUNTED, Kind.OFF, Kind.PAUSED)


class Passage(NamedTuple):
    """One line for people; `first` to `last` are its days, `days` how many of them count."""

    first: date
    last: date
    kind: Kind
    text: str
    article: str
    days: int = 0


class Told(NamedTuple):
    """One limit with its sentence."""

    deadline: Deadline
    text: str
    article: str


class Account(NamedTuple):
    """A case's clock in one language."""

    light: Light
    #: Why the light is what it is: a sentence that can stand alone.
    headline: str
    passages: tuple[Passage, ...]
    #: Every limit of the case.
    limits: tuple[Told, ...]
    #: The calendar with its version, and from when on it is provisional.
    calendar: str
    reading: Reading


def account(case: Case, item: Planned | None, terms: Terms, now: int, language: Language) -> Account:
    """What is to be said of the case's time at `now` (microseconds UTC)."""
    case = as_of(case, now)
    facts = facts_of(case, item, terms.rules)
    reading = read(facts, *terms, now)
    found = deadlines(case, item, terms, now)
    main = facts.promised or facts.statutory
    passages = grouped(explain(facts, *terms, now), main.unit if main else terms.rules.unit, language)
    return Account(
        reading.light,
        language.sentence(*headline(case, reading, found, terms)),
        tuple(passages),
        tuple(Told(one, told(one, language), language.article(one.article)) for one in found),
        language.sentence(*_calendar(terms.calendar)),
        reading,
    )


def grouped(lines: Sequence[Line], unit: Unit, language: Language) -> Iterator[Passage]:
    """The lines with equal days in a row drawn together; days off join the run before them."""
    run: list[Line] = []
    for line in lines:
        if run and not _joins(line, run):
            yield _passage(run, unit, language)
            run = []
        run.append(line)
    if run:
        yield _passage(run, unit, language)


def _joins(line: Line, run: Sequence[Line]) -> bool:
    if line.kind not in _DAYS or run[-1].kind not in _DAYS:
        return False
    return line.kind in (Kind.OFF, _leading(run).kind)


def _leading(run: Sequence[Line]) -> Line:
    """What a run is about: its first day that is no day off."""
    return next((line for line in run if line.kind is not Kind.OFF), run[0])


def _passage(run: Sequence[Line], unit: Unit, language: Language) -> Passage:
    first = _leading(run)
    days = [line for line in run if line.kind is first.kind]
    said = first.phrases if len(run) == 1 else tuple(_run(days, len(run) - len(days), unit))
    counted = len(days) if first.kind is Kind.COUNTED else 0
    return Passage(run[0].day, run[-1].day, first.kind, language.say(*said), language.article(first.article), counted)


def _run(days: Sequence[Line], off: int, unit: Unit) -> Iterator[Phrase]:
    if days[0].kind is Kind.COUNTED and len(days) > 1:
        yield Phrase(f"run.{unit}", {"first": days[0].number, "last": days[-1].number})
    elif days[0].kind is Kind.COUNTED:
        yield from days[0].phrases
    else:
        shown = Unit.NATURAL if days[0].kind is Kind.OFF else unit
        yield Phrase(f"run.{days[0].kind}", {"days": Amount(len(days), shown)})
    if off:
        yield Phrase("run.off_between", {"days": Amount(off, Unit.NATURAL)})


def _calendar(calendar: Calendar) -> Iterator[Phrase]:
    yield Phrase("calendar", {"version": calendar.version})
    if calendar.known_until < date.max:
        yield Phrase("calendar_until", {"day": calendar.known_until})
