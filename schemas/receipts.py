"""Receipts and their answers: each time papers came in, the authority owes an answer (Administrative Licensing Law art. 32).

An answer is a supplement notice, an acceptance, a refusal at the door, a return, or the decision itself. An applicant who
withdraws, or does not come back, ends the wait without one. The papers of a case that is reopened before any acceptance
count as received on that day.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schemas.case import Case, Outcome

#: Outcomes by which the wait ends and the authority has not answered.
_UNANSWERED = frozenset({Outcome.WITHDRAWN, Outcome.LAPSED, Outcome.TERMINATED})


class Receipt(NamedTuple):
    """Papers came at `at` (microseconds UTC) and were answered, or the wait ended without an answer."""

    number: int
    at: int
    answered_at: int | None = None
    closed_at: int | None = None


def receipts(case: Case, *, application: bool = True) -> tuple[Receipt, ...]:
    """The receipts up to the acceptance, in order.

    `application`: a case whose receipt nobody reported counts as received when it was applied for.
    """
    found: list[Receipt] = []
    waiting: int | None = None
    for turn in sorted(_turns(case, application)):
        if turn.came:
            waiting = turn.at if waiting is None else waiting
        elif waiting is not None:
            found.append(_ended(len(found) + 1, waiting, turn))
            waiting = None
        if turn.order == _ACCEPTED:
            return tuple(found)
    return tuple(found) if waiting is None else (*found, Receipt(len(found) + 1, waiting))


class _Turn(NamedTuple):
    """Papers came, or the wait for an answer ended. `order` is theirs within one moment (some sources tell only days)."""

    at: int
    order: int
    came: bool
    answers: bool = False


_ACCEPTED, _STOPPED, _REOPENED = 1 << 30, 1 << 31, 1 << 32


def _ended(number: int, since: int, turn: _Turn) -> Receipt:
    return Receipt(number, since, turn.at) if turn.answers else Receipt(number, since, None, turn.at)


def _turns(case: Case, application: bool) -> Iterator[_Turn]:
    first = _first(case, application)
    if first is not None:
        yield _Turn(first, 0, came=True)
    for index, notice in enumerate(case.supplements):
        if notice.asked_at is not None:
            yield _Turn(notice.asked_at, 2 * index + 1, came=False, answers=True)
        if notice.received_at is not None:
            yield _Turn(notice.received_at, 2 * index + 2, came=True)
    for one in case.reopenings:
        if one.stopped_at is not None:
            yield _Turn(one.stopped_at, _STOPPED, came=False, answers=one.outcome not in _UNANSWERED)
        yield _Turn(one.at, _REOPENED, came=True)
    if case.accepted_at is not None:
        yield _Turn(case.accepted_at, _ACCEPTED, came=False, answers=True)
    if case.stopped_at is not None:
        yield _Turn(case.stopped_at, _STOPPED, came=False, answers=case.outcome not in _UNANSWERED)


def _first(case: Case, application: bool) -> int | None:
    """When the papers first came. A receipt keyed in after the acceptance is no receipt: the application is."""
    late = case.received_at is not None and case.accepted_at is not None and case.received_at > case.accepted_at
    if case.received_at is not None and not late:
        return case.received_at
    return case.applied_at if application else None
