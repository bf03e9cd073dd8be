"""People's names on screen: enough to talk about a case, not enough to look somebody up.

The view keeps no sealed value; its key stands for the person.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

SEALED = "sealed:"


def person(personal: Mapping[str, Any] | None) -> str:
    """What the view keeps of a personal field: the clear value, or the name of the key that seals it."""
    if not personal:
        return ""
    return str(personal["value"]) if "value" in personal else f"{SEALED}{personal['key']}"


def masked(name: str, lost: Container[str] = ()) -> str:
    """`王小明` becomes `王**`; a sealed one `(sealed)`, and `(destroyed)` where its key is among those that are lost."""
    if name.startswith(SEALED):
        return "(destroyed)" if name.removeprefix(SEALED) in lost else "(sealed)"
    return f"{name[0]}**" if name else ""


def told(personal: Mapping[str, Any] | None, *, clear: bool) -> str:
    """A personal field for somebody who may see people's names (`clear`), or may not; an empty seal is one without a key."""
    if personal and "cipher" in personal:
        return "(sealed)" if personal["cipher"] else "(destroyed)"
    return person(personal) if clear else masked(person(personal))
