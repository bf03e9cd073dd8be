"""What may stand in a connector's YAML file. The model says the shape; `connectors.build` checks what it means."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from connectors.columns import ColumnSettings
from connectors.gathering import GatherSettings
from connectors.lookups import LookupSettings
from connectors.times import FormatError, zone_of
from schemas.yamlfile import Settings

IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"


class CaseSettings(Settings):
    """Which case a row belongs to: the key is `<namespace>:<number>`; `case` is the platform's own number."""

    namespace: str = Field("case", pattern=r"^[a-z][a-z0-9_-]*$")
    number: Any


def _case(value: Any) -> Any:
    return value if isinstance(value, dict) or value is None else {"number": value}


class EventSettings(Settings):
    """One event that a row gives. `on` are the codes (of `choose`) that give it, `when` a further condition.

    `name` tells apart the events of one row; it is part of their identity and must not change later. `cancels` belongs to
    a `Corrected`: the name of the event, given by the same row, that no longer counts.
    """

    type: str
    name: str = "event"
    on: list[str] | None = None
    when: Any = None
    cancels: str | None = None
    case: CaseSettings | None = None
    header: dict[str, Any] = Field(default_factory=dict)
    body: dict[str, Any] = Field(default_factory=dict)

    _short_case = field_validator("case", mode="before")(_case)

    @field_validator("on", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        found = value if isinstance(value, list) or value is None else [value]
        return found if found is None else [str(code) for code in found]


class SampleSettings(Settings):
    """A row of the source with what it must give: events (only the fields named are compared), or the reason of its refusal."""

    row: dict[str, Any]
    gives: list[dict[str, Any]] | None = None
    refused: str | None = None

    @model_validator(mode="after")
    def _one(self) -> SampleSettings:
        if (self.gives is None) == (self.refused is None):
            raise ValueError("write either gives: or refused:")
        return self


class DeliverSettings(Settings):
    """Where this system takes deliveries, and for whom. `to` are authorities; `*` stands for any department or region."""

    to: list[str] = Field(min_length=1)
    kind: str
    target: dict[str, Any] = Field(default_factory=dict, repr=False)
    #: With the pauses between them twenty are two hours.
    attempts: int = Field(20, ge=1, le=100)

    @field_validator("to", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]


class ConnectorSettings(Settings):
    """One department's system: how to read it, and what its rows mean."""

    include: list[str] = Field(default_factory=list)
    profile: str | None = None
    about: str = ""
    system: str = Field(pattern=r"^[^\s:/]+$")
    table: str | None = None
    kind: str
    source: dict[str, Any] = Field(repr=False)  # as it was written, secrets too
    zone: str | None = None
    every: float = Field(5.0, gt=0)
    batch: int = Field(2000, ge=1, le=100_000)
    missing: list[Any] = Field(default_factory=list)
    gather: GatherSettings | None = None
    lookups: dict[str, LookupSettings] = Field(default_factory=dict)
    columns: dict[str, ColumnSettings] = Field(default_factory=dict)
    skip: Any = None
    key: Any
    version: Any = 1
    case: CaseSettings | None = None
    conflict: Literal["reject", "replace"] = "reject"
    choose: Any = None
    ignore: list[str] = Field(default_factory=list)
    ahead_hours: float = Field(24.0, ge=0)
    header: dict[str, Any]
    events: list[EventSettings] = Field(min_length=1)
    samples: list[SampleSettings] = Field(default_factory=list)
    deliver: DeliverSettings | None = None

    _short_case = field_validator("case", mode="before")(_case)

    @field_validator("include", "missing", "ignore", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return value if isinstance(value, list) else [value]

    @field_validator("zone")
    @classmethod
    def _zone(cls, name: str | None) -> str | None:
        try:
            zone_of(name or "UTC")
        except FormatError as error:
            raise ValueError(str(error)) from None
        return name

    @field_validator("columns", "lookups")
    @classmethod
    def _names(cls, named: dict[str, Any]) -> dict[str, Any]:
        for name in named:
            if not (name.isidentifier() and name.isascii()):
                raise ValueError(f"`{name}` cannot stand in an expression, write a name of ASCII letters, digits and _")
        return named
