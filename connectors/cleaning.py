"""The cleanings that a column's `clean:` may name: each takes a text and gives one, or refuses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from connectors import identifiers, values
from connectors.gb18030 import repaired

_SPACES = re.compile(r"\s+")
Clean = Callable[[str], Any]

CLEANERS: dict[str, Clean] = {
    "none": str,
    "trim": str.strip,
    "width": values.width,
    "apostrophe": values.apostrophe,
    "spaces": lambda text: _SPACES.sub(" ", text).strip(),
    "upper": str.upper,
    "lower": str.lower,
    "casefold": str.casefold,
    "key": values.key_text,
    "identity": identifiers.identity,
    "credit_code": identifiers.credit_code,
    "phone": identifiers.phone,
}
#: What proves its own digits must not be asked about a text of nothing.
_PROVEN = frozenset({"identity", "credit_code", "phone"})


def cleaner(names: Sequence[str]) -> Clean:
    """One function for these cleanings, in this order, behind the repair of characters that a codec misplaced.

    Only `none` leaves a text wholly as it came. KeyError names an unknown cleaning.
    """
    steps = [_kind(name) for name in names]
    if len(steps) == 1:
        (only,) = steps
        return only if list(names) == ["none"] else lambda text: only(text if text.isascii() else repaired(text))

    def clean(text: str) -> str:
        text = repaired(text)
        for step in steps:
            text = step(text)
        return text

    return clean


def _kind(name: str) -> Clean:
    step = CLEANERS[name]
    return step if name not in _PROVEN else lambda text: step(text) if text.strip() else ""
