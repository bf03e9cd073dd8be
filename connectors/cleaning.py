"""The cleanings that a column's `clean:` may name: each takes a text and gives one, or refuses it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from connectors import identifiers, values

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
    """One function for these cleanings, in this order. KeyError names an unknown one."""
    steps = [_kind(name) for name in names]
    if len(steps) == 1:
        return steps[0]

    def clean(text: str) -> str:
        for step in steps:
            text = step(text)
        return text

    return clean


def _kind(name: str) -> Clean:
    step = CLEANERS[name]
    return step if name not in _PROVEN else lambda text: step(text) if text.strip() else ""
