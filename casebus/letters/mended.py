"""A corrected row as it stands in the act on its letter: sealed where its connector seals what it publishes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from casebus.letters.ledger import Ledger
from connectors import rowtext
from connectors.config import Connector
from connectors.deadletters import Letter
from schemas.handled import Act
from schemas.sealing import Ring, revealed

#: The only name in a row that is sealed.
WHOLE = "$sealed"
Row = dict[str, Any]


def written(letter: Letter, row: Mapping[str, Any] | None, connectors: Sequence[Connector]) -> Row | None:
    """What is kept of it. Raises as the sealing does."""
    if row is None:
        return None
    text = rowtext.encoded(row)
    sealing = next((one.sealing for one in connectors if one.name == letter.value["system"]), None)
    if sealing is None:
        kept: Row = json.loads(text)
        return kept
    return {WHOLE: sealing.concealed(letter.value["position"], "mended", text.encode()).hex()}


def read(row: Row | None, ring: Ring) -> Row | None:
    """The row again; what does not open here is its own only value, `(sealed)` or `(destroyed)`."""
    if row is None or row.keys() != {WHOLE}:
        return row
    text = revealed(bytes.fromhex(row[WHOLE]), ring)
    try:
        found: Row = json.loads(text)
    except ValueError:
        return {WHOLE: text.decode()}
    return found


def shown(acts: Ledger, ring: Ring) -> dict[str, list[Act]]:
    """All acts, their rows as far as the ring opens them."""
    return {name: [_shown(act, ring) for act in done] for name, done in acts.items()}


def _shown(act: Act, ring: Ring) -> Act:
    return act if act.row is None else msgspec.structs.replace(act, row=read(act.row, ring))
