"""The journal: what was recorded, in recording order, gapless and chained by hash within each case.

The hash of an entry covers the hash before it, every field, and the published bytes. So an entry that was changed, left
out, doubled or moved is found by anyone who has the entries, and a shortened end by anyone who knows the head.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any

import msgspec

from schemas.problem import Problem

_said_of = itemgetter("case", "sequence", "kind", "recorded_at", "event_id", "rule", "target", "facts")
_REPAIR = "Compare with the other places where the case is kept (casebus audit), then restore it from the topic case.journal"
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def hash_of(entry: Mapping[str, Any]) -> bytes:
    """SHA-256 over the previous hash, the fields in a fixed packing, and the event's bytes."""
    said = _encode((*_said_of(entry), entry["event"] is None))
    return hashlib.sha256(entry["previous"] + said + (entry["event"] or b"")).digest()


def chained(entry: dict[str, Any], previous: bytes) -> dict[str, Any]:
    """The entry as it is recorded after the one whose hash is `previous` (empty for the first)."""
    entry["previous"] = previous
    entry["hash"] = hash_of(entry)
    return entry


def verify(entries: Iterable[Mapping[str, Any]], head: bytes | None = None, length: int | None = None) -> list[Problem]:
    """What is wrong with the entries of one case, given in the order in which they stand; nothing is wrong: empty.

    `head` and `length` are what another place knows of the end (`CaseState.head`, `.sequence`): they find a shortened one.
    """
    problems: list[Problem] = []
    previous, expected = b"", 1
    for entry in entries:
        problems += _faults(entry, previous, expected)
        previous, expected = entry["hash"], entry["sequence"] + 1
    if length is not None and expected - 1 != length:
        problems.append(Problem("journal", f"it ends at entry {expected - 1}, entry {length} is known elsewhere", _REPAIR))
    elif head is not None and previous != head:
        problems.append(Problem("journal", "its last hash is not the head known elsewhere", _REPAIR))
    return problems


def _faults(entry: Mapping[str, Any], previous: bytes, expected: int) -> list[Problem]:
    where = f"{entry['case']}, entry {entry['sequence']}"
    found = []
    if entry["sequence"] != expected:
        found.append(f"it stands where entry {expected} should be")
    if entry["previous"] != previous:
        found.append("it does not continue the entry before it")
    if entry["hash"] != hash_of(entry):
        found.append("its content does not give its hash")
    return [Problem(where, what, _REPAIR) for what in found]
