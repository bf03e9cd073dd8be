"""Which of the recorded events count: copies, conflicts, versions, corrections. Independent of the order of arrival.

1. One id with one body is one event, however often it came; the earliest report of it gives its place.
2. One id with two bodies is a conflict: the earliest report stands (ties: the smaller hash). Where every body says
   REPLACE, the latest does, and the others are superseded.
3. A source row counts as a whole, in its highest version.
4. A correction takes its target away. A correction can be taken away itself, by one that comes after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from schemas.case import Entry
from schemas.envelope import Event

EFFECTIVE = "effective"
SUPERSEDED = "superseded"
CONFLICTING = "conflicting"
CANCELLED = "cancelled"
STALE = "stale"
EXPIRED = "expired"
FORWARDED = "forwarded"
MOVED = "moved"
ALERTS = frozenset({"AlertRaised", "AlertWithdrawn"})

T = TypeVar("T")


def entry_of(event: Event, sequence: int = 0) -> Entry:
    """The ledger's line of an event; `sequence` is that of its journal entry."""
    header, body = event.header, event.body
    cancels = str(body["corrects"]) if event.type == "Corrected" and body.get("cancels") else ""
    return Entry(
        event.id,
        header["body_hash"],
        event.origin,
        header["version"],
        event.reported_at,
        event.order,
        sequence,
        cancels=cancels,
        replaces=header["conflict"] == "REPLACE",
        alert=event.type in ALERTS,
        tie=(event.case, str(body["other"]), body["relation"]) if event.type == "Linked" else None,
    )


def earlier(one: Entry, other: Entry) -> bool:
    """True when `one` is an earlier report of the same event than `other`."""
    return (one.reported_at, one.order) < (other.reported_at, other.order)


def waits(entry: Entry) -> bool:
    """True for what waits with a provisional case and expires with it."""
    return entry.standing in {EFFECTIVE, EXPIRED} and not entry.alert


def standings(entries: Sequence[Entry]) -> list[str]:
    """The standing of each entry. A stale alert stays stale: it is refused when it comes, whatever comes later."""
    result = [STALE if entry.standing == STALE else EFFECTIVE for entry in entries]
    _conflicts(entries, result)
    _versions(entries, result)
    _corrections(entries, result)
    return [MOVED if entry.away and one == EFFECTIVE else one for entry, one in zip(entries, result, strict=True)]


def effective(pairs: Iterable[tuple[Entry, T]]) -> list[tuple[Entry, T]]:
    """The pairs whose entries count, in business order. Copies of one event are one."""
    first: dict[tuple[str, str], tuple[Entry, T]] = {}
    for pair in pairs:
        identity = (pair[0].event_id, pair[0].body_hash)
        known = first.get(identity)
        if known is None or earlier(pair[0], known[0]):
            first[identity] = pair
    rows = list(first.values())
    counted = zip(rows, standings([entry for entry, _ in rows]), strict=True)
    return sorted((row for row, standing in counted if standing == EFFECTIVE), key=lambda row: row[0].order)


def _conflicts(entries: Sequence[Entry], result: list[str]) -> None:
    """Two bodies under one id: one stands."""
    same: dict[str, list[int]] = {}
    for index, entry in enumerate(entries):
        if result[index] == EFFECTIVE:
            same.setdefault(entry.event_id, []).append(index)
    for rivals in same.values():
        if len(rivals) > 1:
            replaces = all(entries[index].replaces for index in rivals)
            stands = _winner(entries, rivals, latest=replaces)
            for index in rivals:
                result[index] = EFFECTIVE if index == stands else SUPERSEDED if replaces else CONFLICTING


def _winner(entries: Sequence[Entry], rivals: Sequence[int], *, latest: bool) -> int:
    sign = -1 if latest else 1
    return min(rivals, key=lambda index: (sign * entries[index].reported_at, entries[index].body_hash))


def _versions(entries: Sequence[Entry], result: list[str]) -> None:
    """Of the versions of one source row the highest counts, as a whole."""
    highest: dict[str, int] = {}
    for index, entry in enumerate(entries):
        if result[index] == EFFECTIVE:
            highest[entry.origin] = max(highest.get(entry.origin, entry.version), entry.version)
    for index, entry in enumerate(entries):
        if result[index] == EFFECTIVE and entry.version < highest[entry.origin]:
            result[index] = SUPERSEDED


def _corrections(entries: Sequence[Entry], result: list[str]) -> None:
    """From the last correction back, so that each is judged before it acts. A correction never takes away a later one."""
    acting = [index for index, entry in enumerate(entries) if entry.cancels and not entry.away and result[index] == EFFECTIVE]
    for index in sorted(acting, key=lambda index: entries[index].order, reverse=True):
        if result[index] == EFFECTIVE:
            _cancel(entries, result, entries[index])


def _cancel(entries: Sequence[Entry], result: list[str], correction: Entry) -> None:
    for index, entry in enumerate(entries):
        hit = entry.event_id == correction.cancels and result[index] == EFFECTIVE
        if hit and (not entry.cancels or entry.order < correction.order):
            result[index] = CANCELLED
