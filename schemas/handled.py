"""What was done about a dead letter: acts, oldest first, each by somebody and for a reason. Nothing of them is ever taken away.

They stand as one JSON record for each letter in `approval.deadletters.handling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec


class State(StrEnum):
    """Where a letter stands: after its last act, as far as the router has spoken."""

    OPEN = "open"
    #: Published again; the router has not been heard on it yet.
    REPLAYED = "replayed"
    #: Its events count: they stand in the journal.
    MENDED = "mended"
    REFUSED_AGAIN = "refused again"
    DISMISSED = "dismissed"


#: Somebody has still to act on these, or to wait for the router.
PENDING = frozenset({State.OPEN, State.REPLAYED, State.REFUSED_AGAIN})


class Told(msgspec.Struct, frozen=True):
    """An event that was published for a letter, by the case it went to, its id and the hash of what it says."""

    case: str
    id: str
    body_hash: str


class Act(msgspec.Struct, frozen=True, omit_defaults=True):
    """One act. `at` is in microseconds since 1970-01-01 UTC.

    `row` is the corrected row, where somebody mended it (`connectors.rowtext`); `beyond` says, by partition of the dead
    letters, from which offset on a letter is the answer to this act; `reason` and `text` are those of a new refusal.
    """

    state: State
    at: int
    by: str
    why: str = ""
    row: dict[str, Any] | None = None
    events: list[Told] = msgspec.field(default_factory=list)
    beyond: dict[str, int] = msgspec.field(default_factory=dict)
    reason: str = ""
    text: str = ""


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(list[Act])


def encoded(acts: Sequence[Act]) -> bytes:
    return _encoder.encode(list(acts))


def decoded(data: bytes) -> list[Act]:
    """Raises ValueError where the bytes hold no acts."""
    return _decoder.decode(data)


def state_of(acts: Sequence[Act]) -> State:
    return acts[-1].state if acts else State.OPEN


def row_of(acts: Sequence[Act]) -> dict[str, Any] | None:
    """The row as it was corrected last; None where nobody has."""
    return next((act.row for act in reversed(acts) if act.row is not None), None)
