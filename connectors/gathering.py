"""What may stand under `gather:` in a connector's YAML, and when two rows have the same key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, field_validator, model_validator

from connectors import values
from connectors.values import Refusal
from schemas.yamlfile import Settings

Key = tuple[str | None, ...]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class ChildrenSettings(Settings):
    """Where the children are: a table or a query of the same database, or of another (`url`), in the order of `order`."""

    url: str | None = Field(None, repr=False)
    table: str | None = None
    query: str | None = None
    by: list[str] = Field(default_factory=list)
    order: list[str] = Field(default_factory=list)

    _listed = field_validator("by", "order", mode="before")(_listed)

    @model_validator(mode="after")
    def _one(self) -> ChildrenSettings:
        if (self.table is None) == (self.query is None):
            raise ValueError("write either table: or query:")
        return self


class GatherSettings(Settings):
    """Rows with the same values in `by` are one row; `into` names the field with the list of them.

    With `children` the list comes from there, by a second query for each batch; `once` lets rows that ask for the same
    children give one row a batch.
    """

    by: list[str] = Field(min_length=1)
    into: str
    children: ChildrenSettings | None = None
    once: bool = False

    _listed = field_validator("by", mode="before")(_listed)

    @model_validator(mode="after")
    def _as_many(self) -> GatherSettings:
        if self.children is not None and len(self.children.by or self.by) != len(self.by):
            raise ValueError("by: of the children must name as many columns as by: of the rows")
        return self


def key_of(row: Mapping[str, Any], by: Sequence[str]) -> Key:
    return tuple(_text(row.get(name)) for name in by)


def _text(value: Any) -> str | None:
    """What the database's own comparison would take as one: blanks around it aside."""
    try:
        return (values.text_of(value) or "").strip() or None
    except Refusal:
        return None
