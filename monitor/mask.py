"""People's names on screen: enough to talk about a case, not enough to look somebody up.

A sealed value cannot be read here at all; its key stands for the person, so that counts by person still hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SEALED = "sealed:"


def person(personal: Mapping[str, Any] | None) -> str:
    """What the view keeps of a personal field: the clear value, or the name of the key that seals it."""
    if not personal:
        return ""
    return str(personal["value"]) if "value" in personal else f"{SEALED}{personal['key']}"


def masked(name: str) -> str:
    """`王小明` becomes `王**`; a sealed one `(sealed)`."""
    if not name:
        return ""
    return "(sealed)" if name.startswith(SEALED) else name[0] + "**"
