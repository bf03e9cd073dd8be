"""What may stand under `columns:` in a connector's YAML; `connectors.reading` compiles it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from connectors.cleaning import CLEANERS
from connectors.times import PRECISIONS, FormatError, TimeReader, zone_of
from schemas.yamlfile import Settings


class ColumnSettings(Settings):
    """One column. `from` is the source's own field (a path in nested rows), `value` an expression over columns above.

    `python` names a function that takes the cleaned value; with `of` it takes the values of those columns instead. A column
    of type `rows` is a list of rows, each with `columns` of its own.
    """

    source: str | list[str | int] | None = Field(None, alias="from")
    value: Any = None
    python: str | None = Field(None, pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")
    of: list[str] = Field(default_factory=list)
    columns: dict[str, ColumnSettings] = Field(default_factory=dict)
    clean: list[str] = Field(default_factory=lambda: ["trim"])
    type: Literal["text", "whole", "number", "money", "bool", "list", "time", "rows", "any"] = "text"
    required: bool = False
    #: The source may have no such column; it is as empty then.
    optional: bool = False
    missing: list[Any] = Field(default_factory=list)
    default: Any = None
    pattern: str | None = None
    lookup: str | None = None
    within: str | None = None
    formats: list[str] = Field(default_factory=list)
    zone: str | None = None
    precision: str | None = None
    not_before: str | None = None
    not_after: str | None = None
    digits: int = Field(2, ge=0, le=9)
    decimal: Literal[".", ","] = "."

    @field_validator("clean", "formats", "missing", "of", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    @field_validator("not_before", "not_after", mode="before")
    @classmethod
    def _written(cls, edge: Any) -> Any:
        """YAML reads a bare date as one."""
        return edge.isoformat() if isinstance(edge, date) else edge

    @field_validator("clean")
    @classmethod
    def _cleaners(cls, names: list[str]) -> list[str]:
        unknown = [name for name in names if name not in CLEANERS]
        if unknown:
            raise ValueError(f"there is no cleaning `{unknown[0]}`, write some of {', '.join(CLEANERS)}")
        return names

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"no regular expression ({error})") from None
        return pattern

    @field_validator("formats", "zone", "precision")
    @classmethod
    def _times(cls, value: Any) -> Any:
        try:
            if isinstance(value, list) and value:
                TimeReader(value, None)
            elif isinstance(value, str) and value not in PRECISIONS:
                zone_of(value)
        except FormatError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _whole(self) -> ColumnSettings:
        if self.source is not None and self.value is not None:
            raise ValueError("write either from: or value:, not both")
        if self.of and (self.python is None or self.source is not None or self.value is not None):
            raise ValueError("of: names the columns that python: takes, instead of from: and value:")
        if bool(self.columns) != (self.type == "rows"):
            raise ValueError("columns: belong to `type: rows`, which needs them")
        if any(inner.computed or inner.edges or inner.columns for inner in self.columns.values()):
            raise ValueError("columns of inner rows are read from the row: write no value:, of:, columns: or edges there")
        if self.optional and (self.required or self.computed):
            raise ValueError("optional: says that the source may lack the column, so it is neither required: nor computed")
        timely = self.formats or self.precision or self.not_before or self.not_after
        if timely and self.type != "time":
            raise ValueError("formats, precision and not_before/not_after belong to `type: time`")
        return self

    @property
    def computed(self) -> bool:
        """Made of other columns, not read from the source."""
        return self.value is not None or bool(self.of)

    @property
    def edges(self) -> set[str]:
        """The columns that bound this one: `not_after: sent`."""
        return {edge for edge in (self.not_before, self.not_after) if edge is not None and not edge[:1].isdigit()}


def must_have(fields: Sequence[Any], columns: Mapping[str, ColumnSettings]) -> list[Any]:
    """The fields, among those that a mapping reads, without which a source cannot be read."""
    optional = [name if one.source is None else one.source for name, one in columns.items() if one.optional]
    return [field for field in fields if field not in optional]
