"""How values stand in the view's columns, the same in all tables."""

from __future__ import annotations

import json
from collections.abc import Mapping


def department(authority: str) -> str:
    """`quality-supervision@500103` is the department quality-supervision."""
    return authority.partition("@")[0]


def text(value: str) -> str:
    """PostgreSQL refuses NUL in text, and a department's export may hold anything."""
    return value.replace("\x00", "\ufffd")


def facts(known: Mapping[str, str]) -> str:
    """Details by name, as JSON."""
    if not known:
        return "{}"
    return text(json.dumps(known, ensure_ascii=False, sort_keys=True))
