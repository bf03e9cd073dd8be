"""A ledger with a row for each case and a column for the time of each step: which columns are such times, and their events."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

#: What a type of event, its body and the name of the event are for some words; None for words that hint at nothing.
Hinted = Callable[[str], tuple[str, dict[str, str]] | None]
_RESULT = r"结果|result|outcome|decision$"


class Stage(NamedTuple):
    """A column with the time of one step. `name` is the column's in expressions."""

    name: str
    field: str
    form: str
    kind: str
    body: Mapping[str, str]


def stages(times: Mapping[str, str], one_row_a_case: bool, hinted: Hinted) -> list[Stage]:
    """Those of a ledger of cases; none where a row is a step. `times` are formats by field."""
    found: dict[str, Stage] = {}
    for field, form in times.items():
        hint = hinted(field)
        if hint is not None and hint[0] not in found:
            found[hint[0]] = Stage(f"{_snake(hint[0])}_at", field, form, *hint)
    return list(found.values()) if one_row_a_case and len(found) > 1 else []


def result_of(fields: Mapping[str, Sequence[Any]]) -> str | None:
    """The column that says how a case was decided."""
    return next((field for field in fields if re.search(_RESULT, field, re.IGNORECASE)), None)


def events(found: Sequence[Stage], results: Sequence[str], hinted: Hinted, more: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """One for each time that is there. A decision is a refusal where the result's words say so. `more`: bodies by type."""
    refusals = [text for text in results if "REFUSED" in str(hinted(text))]
    for stage in found:
        there, body = f"{stage.name} != null", {**stage.body, **more.get(stage.kind, {})}
        if stage.kind == "Decided" and refusals:
            words = ", ".join(map(repr, refusals))
            refused = f"result in [{words}]"
            yield _event(stage, f"{there} && !({refused})", body)
            yield _event(stage, f"{there} && {refused}", {**body, "result": "'REFUSED'"}, name="refused")
        else:
            yield _event(stage, there, body)


def _event(stage: Stage, when: str, body: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    """With a name of its own: one row gives several events."""
    named = {"type": stage.kind, "name": name or _snake(stage.kind)}
    return {**named, "when": when, "header": {"occurred_at": stage.name}} | ({"body": body} if body else {})


def _snake(kind: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind).lower()
