"""What has a limit in a case, and from when to when: one small function for each row of the table `limits:`.

Pure, over a case as it stood at a time. A span says who has to act, what the case itself names as the limit, and when the
wait ended without what was waited for (the case ended, the visit took place).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, Protocol

from schemas.case import Case, Outcome
from schemas.limits import Item, Terms, receipts_of
from schemas.rules import Limit, Subject

#: `Span.who` where the applicant has to act, and not an authority.
APPLICANT = "applicant"
_GRANTS = frozenset({Outcome.GRANTED, Outcome.GRANTED_WITH_GAPS})


class StepLimit(Protocol):
    """What a limit of a step is read from."""

    @property
    def limit(self) -> Limit | None: ...


class Planned(Item, Protocol):
    """What the limits ask of an item: `schemas.catalogue.Item` is one."""

    @property
    def hands_up(self) -> bool: ...
    def step(self, name: str, /) -> StepLimit | None: ...


class Span(NamedTuple):
    """From `start` until `met` or `ends` (microseconds UTC). `name` tells spans of one kind in one case apart."""

    name: str
    who: str
    start: int
    met: int | None = None
    ends: int | None = None
    limit: Limit | None = None
    #: The limit as a moment that was told, in place of a number of days.
    due: int | None = None


class View(NamedTuple):
    """What spans are read from: the case as it stood, its item, the start of its clock by the authority or by law."""

    case: Case
    item: Planned | None
    terms: Terms
    started: int | None


def _in_its_unit(days: int, view: View) -> Limit:
    """Days that an event names, in the item's unit (`StepStarted`, `ClockPaused`); in the region's where no item says one."""
    listed = view.item.promised or view.item.statutory if view.item else None
    return Limit(days, listed.unit if listed else view.terms.rules.unit)


def _answers(view: View) -> Iterator[Span]:
    """Each time papers came. Not by the applicant's silence, which ends the wait."""
    for one in receipts_of(view.case, view.terms.rules):
        yield Span(str(one.number), view.case.authority, one.at, one.answered_at, one.closed_at)


def _supplements(view: View) -> Iterator[Span]:
    for one in view.case.supplements:
        if one.asked_at is not None:
            ends = view.case.life(one.asked_at).stopped_at
            yield Span(str(one.round), APPLICANT, one.asked_at, one.received_at, ends, due=one.due_at)


def _steps(view: View) -> Iterator[Span]:
    for one in view.case.steps:
        if one.started_at is not None:
            listed = view.item.step(one.name) if view.item else None
            own = _in_its_unit(one.limit_days, view) if one.limit_days is not None else (listed.limit if listed else None)
            name = f"{one.name} {one.part}" if one.part else one.name
            yield Span(name, one.authority, one.started_at, one.completed_at, view.case.life(one.started_at).ended_at, own)


def _hand_overs(view: View) -> Iterator[Span]:
    """An opinion on a part proves that its papers came."""
    for one in view.case.hand_overs:
        signed = one.received_at if one.received_at is not None else one.answered_at
        yield Span(one.id, one.receiver, one.sent_at, signed, view.case.life(one.sent_at).ended_at)


def _parts(view: View) -> Iterator[Span]:
    for one in view.case.hand_overs:
        if one.part:
            start = one.received_at if one.received_at is not None else one.sent_at
            yield Span(one.part, one.receiver, start, one.answered_at, view.case.life(start).stopped_at)


def _hand_up(view: View) -> Iterator[Span]:
    """From the acceptance below to the first time it went up (art. 43); a part that goes up is not the case.

    A reopened case lies where it was decided, so nobody has to hand it up again.
    """
    case = view.case
    moves = [one for one in case.hand_overs if one.kind == "up" and not one.part and one.sent_at >= case.reopened_at]
    expected = not case.reopenings and (case.form == "HANDED_UP" or bool(view.item and view.item.hands_up))
    if view.started is not None and (moves or expected):
        first = min(moves, key=lambda one: one.sent_at, default=None)
        who = first.sender if first and first.sender else case.authority
        yield Span("", who, view.started, first.sent_at if first else None, case.stopped_at)


def _delivery(view: View) -> Iterator[Span]:
    case = view.case
    if case.stopped_at is not None and case.outcome in _GRANTS:
        yield Span("", case.holder or case.authority, case.stopped_at, case.collected_at)


def _call_backs(view: View) -> Iterator[Span]:
    """Who came without having been called back waits no longer, but was not called back."""
    for one in view.case.appointments:
        if one.requested_at is not None:
            yield Span(one.id, one.by or view.case.authority, one.requested_at, one.confirmed_at, view.case.applied_at)


def _pauses(view: View) -> Iterator[Span]:
    for one in view.case.pauses:
        planned = _in_its_unit(one.planned_days, view) if one.planned_days is not None else None
        yield Span(one.id, one.by or view.case.authority, one.start, one.end, view.case.life(one.start).stopped_at, planned)


FINDERS: Mapping[Subject, Callable[[View], Iterator[Span]]] = {
    Subject.CALL_BACK: _call_backs,
    Subject.ANSWER: _answers,
    Subject.SUPPLEMENT: _supplements,
    Subject.STEP: _steps,
    Subject.HAND_OVER: _hand_overs,
    Subject.PART: _parts,
    Subject.HAND_UP: _hand_up,
    Subject.PAUSE: _pauses,
    Subject.DELIVERY: _delivery,
}
