"""Conditions of steps (`when:` in an item's file): CEL over what the case itself says, checked when the item is loaded.

The names are those of `FIELDS`. The language does not check names when compiling and knows no dates here; so names are
checked against `FIELDS`, and what fails for the values of one case (a null that is compared) does not hold for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from schemas.case import Case

#: What a condition may ask of a case, all of it said by the application, the acceptance and the opinions.
FIELDS: Mapping[str, Callable[[Case], Any]] = {
    "applicant_kind": lambda case: (case.applicant or {}).get("kind") or "",
    "channel": lambda case: case.channel,
    "form": lambda case: case.form,
    "item_version": lambda case: case.item_version,
    "level": lambda case: case.level,
    "materials": lambda case: case.materials,
    "opinions": lambda case: {step.name: step.opinion for step in case.steps if step.completed_at is not None},
    "promised_days": lambda case: case.promised_days,
    "project": lambda case: case.project,
    "region": lambda case: case.region,
    "statutory_days": lambda case: case.statutory_days,
}


class ConditionError(ValueError):
    """A condition that cannot be used; the message says what to write."""


class Condition:
    """One compiled condition."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._program = _compiled(text)
        self.names = tuple(sorted(_names(self._program, text)))

    def holds(self, case: Case) -> bool:
        """Whether it is true of the case; what cannot be answered is not."""
        try:
            return self._program.execute({name: FIELDS[name](case) for name in self.names}) is True
        except (ValueError, TypeError, RuntimeError, LookupError):
            return False

    def values(self, case: Case) -> tuple[tuple[str, str], ...]:
        """What it looked at, for whoever asks why."""
        return tuple((name, str(FIELDS[name](case))) for name in self.names)


@lru_cache(maxsize=1024)
def condition(text: str) -> Condition:
    """The condition of a text, compiled once. Raises ConditionError."""
    return Condition(text)


def _compiled(text: str) -> Any:
    import cel  # only where an item has conditions

    try:
        return cel.compile(text)
    except ValueError as error:
        detail = (str(error).partition("ERROR: ")[2].splitlines() or [str(error)])[0]
        raise ConditionError(f"`{text}` is no condition ({detail}). Write CEL, such as channel == 'WINDOW'") from None


def _names(program: Any, text: str) -> set[str]:
    known = program.references()
    for name in known["functions"]:
        if name in {"size", "timestamp", "duration"}:
            raise ConditionError(f"`{text}` uses {name}, which is not for conditions. Compare values, or ask `'x' in materials`")
    strange = sorted(set(known["variables"]) - FIELDS.keys())
    if strange:
        raise ConditionError(f"`{text}` asks for {', '.join(strange)}, which no case says. Ask for {', '.join(FIELDS)}")
    return set(known["variables"])
