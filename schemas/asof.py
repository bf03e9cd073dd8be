"""A case as it stood at a time: what happened later is left out. Pure; the argument is never changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from schemas.case import Case

_ENDS = ("revoked_at", "gaps_filled_at", "received_at", "accepted_at", "stopped_at", "ended_at", "collected_at")
#: What each life of a reopened case has of its own.
_LIFE = ("stopped_at", "ended_at", "collected_at")

Item = TypeVar("Item", bound=msgspec.Struct)


def as_of(case: Case, now: int) -> Case:
    """The times, pauses, extensions, supplements, steps, hand-overs and appointments known at `now` (microseconds UTC).

    The application stays even if it lies ahead. An outcome that is still to come is none; that of a revoked decision
    before its revocation cannot be known from the case alone, for that fold its events up to then.
    """
    if case.last is not None and case.last.occurred_at <= now:
        return case
    case = _in_its_life(case, now)
    changes: dict[str, Any] = {name: _until(getattr(case, name), now) for name in _ENDS}
    changes["stopped_until"] = None if changes["stopped_at"] is None else case.stopped_until
    changes["ended_until"] = None if changes["ended_at"] is None else case.ended_until
    changes["outcome"] = None if changes["stopped_at"] is None else case.outcome
    return replace(
        case,
        **changes,
        pauses=_known(case.pauses, "start", ("end",), now),
        extensions=[one for one in case.extensions if one.at <= now],
        supplements=_known(case.supplements, "asked_at", ("received_at",), now),
        steps=_known(case.steps, "started_at", ("completed_at",), now),
        hand_overs=_known(case.hand_overs, "sent_at", ("received_at", "answered_at"), now),
        tickets=[one for one in case.tickets if one.at <= now],
        appointments=_known(case.appointments, "requested_at", ("confirmed_at",), now),
    )


def _in_its_life(case: Case, now: int) -> Case:
    """Before a reopening, what ended the case until then."""
    later = next((one for one in case.reopenings if one.at > now), None)
    if later is None:
        return case
    ends = {name: getattr(later, name) for name in (*_LIFE, "stopped_until", "ended_until", "outcome")}
    return replace(case, **ends, reopenings=[one for one in case.reopenings if one.at <= now])


def _until(at: int | None, now: int) -> int | None:
    return at if at is not None and at <= now else None


def _known(items: Iterable[Item], start: str, ends: tuple[str, ...], now: int) -> list[Item]:
    """Those begun by now, without ends that are to come; what has no beginning is known by its end."""
    kept = []
    for one in items:
        known = {name: _until(getattr(one, name), now) for name in ends}
        began = getattr(one, start)
        if (began <= now) if began is not None else any(end is not None for end in known.values()):
            kept.append(replace(one, **known))
    return kept
