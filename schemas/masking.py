"""People's names where a case is explained: enough to talk about a person, not enough to look one up."""

from __future__ import annotations

#: How a personal field is told that is sealed with its case's key.
SEALED = "sealed:"


def masked(name: str) -> str:
    """`王小明` becomes `王**`, a sealed name `(***)`, none stays none."""
    if name.startswith(SEALED):
        return "(***)"
    return name[:1] + "**" if name else ""
