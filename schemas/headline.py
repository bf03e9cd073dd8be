"""Why red, yellow or green? One sentence, before it is said in a language; and one for each limit of the table.

The sentence speaks of the case's own clock, as its light does. Without a clock it tells what is waited for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from schemas.case import Case
from schemas.clock import Light, Reading
from schemas.deadlines import Deadline, Own
from schemas.instants import local_date
from schemas.language import Amount, Language, Phrase, Word
from schemas.limits import Terms
from schemas.rules import Subject


def headline(case: Case, reading: Reading, found: Sequence[Deadline], terms: Terms) -> tuple[Phrase, ...]:
    """`found`: the case's deadlines, and `case` as it stood at the same time as the reading."""
    if reading.light is Light.NONE:
        return tuple(_unlit(case, found, terms))
    own = {one.kind: one for one in found if isinstance(one.kind, Own)}
    return (*_why(case, reading, own, terms), *_remarks(case, reading, _shown(reading, own)))


def told(one: Deadline, language: Language) -> str:
    """One limit as a sentence: what, how much of how much is used, until when."""
    state = "open" if one.open else "met" if one.met_at is not None else "ended"
    late = "late" if one.open else f"{state}_late"
    name = language.say(Phrase("deadline.name", {"name": one.name})) if one.name else ""
    phrases = [Phrase(f"deadline.{late if one.passed else state}", _facts(one) | {"name": name})]
    phrases += [Phrase("headline.due", {"due": one.due})] if one.open and one.due else []
    phrases += [Phrase("headline.stands")] if one.paused else []
    phrases += [Phrase("headline.provisional")] if one.open and one.provisional else []
    return language.sentence(*phrases)


def _facts(one: Deadline) -> dict[str, object]:
    return {
        "kind": Word("kind", one.kind),
        "limit": Amount(one.limit, one.unit),
        "elapsed": Amount(one.elapsed, one.unit),
        "left": Amount(one.left, one.unit),
        "due": one.due,
    }


def _unlit(case: Case, found: Sequence[Deadline], terms: Terms) -> Iterator[Phrase]:
    """No clock yet: whose turn it is."""
    asked = [one.asked_at for one in case.supplements if one.asked_at is not None and one.received_at is None]
    waiting = next((one for one in found if one.kind is Subject.ANSWER and one.open), None)
    if case.stopped_at is not None:
        yield Phrase("headline.closed")
    elif waiting:
        yield Phrase("headline.waiting", _facts(waiting))
        if waiting.due:
            yield Phrase("headline.due", {"due": waiting.due})
    elif asked:
        yield Phrase("headline.applicant", {"day": local_date(asked[-1], terms.zone)})
    else:
        yield Phrase("headline.none")


def _shown(reading: Reading, own: dict[Own, Deadline]) -> Deadline | None:
    """The limit that gave the light: the law's when it is passed, else the promise, else the law's."""
    statutory = own.get(Own.STATUTORY)
    return statutory if reading.overdue_legal else own.get(Own.PROMISED, statutory)


def _why(case: Case, reading: Reading, own: dict[Own, Deadline], terms: Terms) -> Iterator[Phrase]:
    one = _shown(reading, own)
    light = {"light": Word("light", reading.light)}
    if one is None:
        yield Phrase("headline.unlimited", light | {"elapsed": Amount(reading.elapsed_days, terms.rules.unit)})
        return
    facts = _facts(one) | light
    if one.passed:
        yield from _passed(facts, reading, own)
    elif reading.forgiven:
        yield Phrase("headline.forgiven", facts)
    elif not reading.running:
        yield Phrase("headline.stopped", facts)
    elif reading.light is Light.YELLOW:
        yield Phrase("headline.near", facts)
        yield Phrase("headline.stands") if reading.paused else Phrase("headline.until", facts)
    elif reading.paused:
        yield Phrase("headline.paused", facts | _standing(case, terms))
    else:
        yield from (Phrase("headline.running", facts), Phrase("headline.until", facts))


def _passed(facts: dict[str, object], reading: Reading, own: dict[Own, Deadline]) -> Iterator[Phrase]:
    """With the promise broken, whoever decides wants to know until when the law allows."""
    yield Phrase("headline.passed_running" if reading.running else "headline.passed_stopped", facts)
    law = own.get(Own.STATUTORY)
    if reading.running and not reading.overdue_legal and law and law.due:
        yield Phrase("headline.law_until", {"due": law.due})


def _standing(case: Case, terms: Terms) -> dict[str, object]:
    """Since when, and for what, the clock stands: the procedure that has been open the longest."""
    first = min((one for one in case.pauses if one.end is None and terms.rules.pauses(one.procedure)), key=lambda one: one.start)
    return {"day": local_date(first.start, terms.zone), "procedure": Word("procedure", first.procedure.lower() or "other")}


def _remarks(case: Case, reading: Reading, shown: Deadline | None) -> Iterator[Phrase]:
    if reading.deemed:
        yield Phrase("headline.deemed", {"day": reading.started})
    if reading.running and (case.holder or case.authority):
        yield Phrase("headline.holder", {"who": case.holder or case.authority})
    if shown and shown.open and shown.provisional:
        yield Phrase("headline.provisional")
