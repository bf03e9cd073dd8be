"""Values of records in topics: how they are written, and the rows they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from bus.errors import ConfigurationError
from bus.registry import HttpRegistry
from bus.settings import RegistrySettings
from connectors.formats import envelopes, objects, textlines
from connectors.formats.avro import AvroReader
from connectors.formats.delimited import known_encoding
from connectors.formats.objects import Origin
from connectors.source import Context, SourceRecord
from connectors.values import key_text
from schemas.codec import CONFLUENT
from schemas.yamlfile import Settings

Form = Literal["json", "debezium", "avro", "csv", "text"]
#: The rows of one value. Raises Refusal or ValueError for one that cannot be read.
Rows = Callable[[Origin], list[SourceRecord]]
_LINES = ("csv", "text")
#: The settings that each form takes: those of another would be without effect, and somebody would wonder.
_TAKES: dict[Form, tuple[str, ...]] = {
    "json": ("record",),
    "debezium": ("record", "schemas", "registry"),
    "avro": ("record", "schemas", "registry"),
    "csv": ("encoding", "delimiter", "quote", "names"),
    "text": ("encoding",),
}


class MessageSettings(Settings):
    """`value`: JSON objects, Avro, CSV lines, plain text (each line a row with the field `line`), or Debezium's envelopes.

    `record` leads to the row inside each value (`case.steps`), as in JSON lines. Avro, and Debezium's envelopes in Avro, need
    `registry` (its address) or `schemas`: files below the deployment's folder, in a list or by the registry's id. `names` are
    the columns of CSV; without them the first line of each value heads the others.
    """

    value: Form = "json"
    record: str | None = None
    schemas: list[Path] | dict[int, Path] = Field(default_factory=list)
    registry: Annotated[RegistrySettings | None, BeforeValidator(lambda one: {"url": one} if isinstance(one, str) else one)] = (
        None
    )
    encoding: str = "utf-8"
    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str | None = Field('"', min_length=1, max_length=1)
    names: list[str] | None = Field(None, min_length=1)

    _known_encoding = field_validator("encoding")(known_encoding)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        foreign = {name for names in _TAKES.values() for name in names} - set(_TAKES[self.value])
        if wrong := sorted(foreign & self.model_fields_set):
            raise ValueError(f"{', '.join(f'{name}:' for name in wrong)} says nothing about values in {self.value}")
        return self

    @property
    def nested(self) -> bool:
        return self.value not in _LINES

    @property
    def in_avro(self) -> bool:
        return self.value == "avro" or bool(self.schemas or self.registry)

    def placed(self, base: Path) -> dict[str, Any]:
        """What of these settings depends on the deployment's folder."""
        files = self.schemas
        schemas = (
            {number: base / path for number, path in files.items()} if isinstance(files, dict) else [base / one for one in files]
        )
        registry = self.registry
        if registry is not None and registry.cafile is not None:
            registry = registry.model_copy(update={"cafile": base / registry.cafile})
        return {"schemas": schemas, "registry": registry}


def rows(settings: MessageSettings, context: Context) -> Rows:
    """How values are read. Raises ConfigurationError for a schema file that cannot be."""
    if settings.value in _LINES:
        return _of_lines(settings, context)
    read = _avro(settings, context) if settings.in_avro else json_in
    way = settings.record.split(".") if settings.record else []
    if settings.value == "debezium":
        return lambda origin: _of_envelope(envelopes.row(read(origin.raw)), way, origin)
    return lambda origin: objects.rows_of(read(origin.raw), way, origin)


def _of_envelope(row: Any, way: Sequence[str], origin: Origin) -> list[SourceRecord]:
    return [] if row is None else objects.rows_of(row, way, origin)


def _avro(settings: MessageSettings, context: Context) -> Callable[[bytes], Any]:
    registry = _registry(settings.registry) if settings.registry else None
    return AvroReader(settings.schemas, registry, context.where).read


@lru_cache(64)
def _registry(settings: RegistrySettings) -> HttpRegistry:
    """A source is opened for each look; what its registry said stays known."""
    return HttpRegistry(settings)


def json_in(raw: bytes) -> Any:
    """JSON, with the schema's id before it where a registry's serializer wrote it (no JSON begins with a NUL)."""
    return objects.decoded(raw[5:] if raw.startswith(CONFLUENT) else raw)


def _of_lines(settings: MessageSettings, context: Context) -> Rows:
    fields = [field for field in context.fields if isinstance(field, str)]
    names = settings.names if settings.value == "csv" else [textlines.LINE]
    there = {key_text(name) for name in names or ()}
    if names and (missing := [field for field in fields if key_text(field) not in there]):
        known = ", ".join(names)
        raise ConfigurationError(
            f"{context.where}: values in {settings.value} have {known}, not {', '.join(missing)}. Correct from:."
        )
    delimiter = settings.delimiter if settings.value == "csv" else None
    writing = textlines.Writing(settings.encoding, delimiter, settings.quote, settings.names)
    return lambda origin: textlines.rows_of(origin, writing, fields)
