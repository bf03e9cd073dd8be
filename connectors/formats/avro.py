"""Avro values of other people's topics: which schema wrote a value, and what it holds.

Two framings are read: Avro's single-object encoding (`C3 01`, the schema's fingerprint) and Confluent's wire format (`00`, the
schema's id, four bytes, big-endian). Logical types are decoded: times, dates and decimals come as such.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

from fastavro import parse_schema, schemaless_reader
from fastavro.schema import SchemaParseException

from bus.errors import ConfigurationError, CorruptionError
from connectors.values import Refusal
from schemas import bounds
from schemas.codec import CONFLUENT, SINGLE_OBJECT
from schemas.contract import contract

#: Schema files: by the registry's id of each, or a list of them, known by their fingerprints.
Files = Mapping[int, Path] | Sequence[Path]
#: What fastavro and Python raise on bytes that are not what their schema says.
_FAULTS = (
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    ArithmeticError,
    AttributeError,
    MemoryError,
    RecursionError,
    struct.error,
)
_NO_SCHEMA = (ValueError, TypeError, LookupError, AttributeError, RecursionError, SchemaParseException)


class Registry(Protocol):
    """Where schemas are known by id."""

    def schema_of(self, schema_id: int) -> str: ...


class AvroReader:
    """Reads values by the schemas of files, and by those of a registry where there is one."""

    def __init__(self, files: Files, registry: Registry | None, where: str) -> None:
        self._registry = registry
        self._schemas: dict[bytes, Any] = {}
        self._refused: dict[bytes, Refusal] = {}
        numbered = files.items() if isinstance(files, Mapping) else [(None, path) for path in files]
        for number, path in numbered:
            mark, schema = _loaded(path, where)
            self._schemas[SINGLE_OBJECT + mark] = schema
            if number is not None:
                self._schemas[CONFLUENT + number.to_bytes(4, "big")] = schema

    def read(self, data: bytes) -> Any:
        """Raises Refusal for what is not Avro or whose schema nobody knows; RetryError where the registry does not answer."""
        prefix = _prefix(data)
        schema = self._schemas.get(prefix) or self._asked(prefix)
        stream = BytesIO(data)
        stream.seek(len(prefix))
        try:
            value = schemaless_reader(stream, schema, None)
        except _FAULTS as error:
            found = f"found Avro that its schema does not describe ({error or type(error).__name__})"
            raise Refusal("broken_record", found, "Send the record again, whole") from error
        if left := len(data) - stream.tell():
            raise Refusal("broken_record", f"found {left} bytes behind the Avro value", "Send the record again, whole")
        return value

    def _asked(self, prefix: bytes) -> Any:
        """What was refused once stays so until the source is opened anew: the registry is not asked for each record."""
        if prefix in self._refused:
            raise self._refused[prefix]
        try:
            self._schemas[prefix] = self._looked_up(prefix)
        except Refusal as refusal:
            self._refused[prefix] = refusal
            raise
        return self._schemas[prefix]

    def _looked_up(self, prefix: bytes) -> Any:
        if prefix[:1] != CONFLUENT:
            found = f"found Avro of an unknown schema (fingerprint {prefix[2:].hex()})"
            raise Refusal("unknown_schema", found, "Add its file to schemas: in the mapping")
        number = int.from_bytes(prefix[1:], "big")
        if self._registry is None:
            found = f"found Avro of schema {number}, and no registry is named"
            raise Refusal("unknown_schema", found, f"Write registry: with its address, or schemas: {{{number}: file}}")
        try:
            return _parsed(self._registry.schema_of(number))
        except CorruptionError as error:
            found = f"found Avro of schema {number}, which the registry does not know"
            raise Refusal("unknown_schema", found, "Correct registry:, or send the record with a schema of this one") from error
        except _NO_SCHEMA as error:
            found = f"found a record of schema {number}, which is no Avro schema that stands alone ({error})"
            raise Refusal("unknown_schema", found, "Write schemas: with a whole Avro schema for this id") from error


def _prefix(data: bytes) -> bytes:
    size = 10 if data[:2] == SINGLE_OBJECT else 5 if data[:1] == CONFLUENT else len(data) + 1
    if len(data) < size:
        found = f"found a value without either framing of Avro (it begins with {data[:4].hex(' ') or 'nothing'})"
        raise Refusal("broken_record", found, "Send single-object encoding or Confluent's, or correct value: in the mapping")
    return data[:size]


def _parsed(text: str) -> Any:
    """Raises one of _NO_SCHEMA, for one that would end or hold the process too."""
    schema = json.loads(text)
    if not schema:
        raise ValueError("it is empty")
    parsed: Any = parse_schema(schema, named_schemas={})
    bounds.check(parsed)
    return parsed


def _loaded(path: Path, where: str) -> tuple[bytes, Any]:
    """A file's fingerprint and schema. Raises ConfigurationError."""
    try:
        return _of_file(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise ConfigurationError(
            f"{where}: the schema {path} cannot be read: {error.strerror}. Put it there, or correct schemas:."
        ) from error
    except _NO_SCHEMA as error:
        raise ConfigurationError(f"{where}: {path} is no Avro schema of a record: {error}. Correct it, or schemas:.") from error


@lru_cache(256)
def _of_file(path: Path, changed: int) -> tuple[bytes, Any]:  # noqa: ARG001  a file that changed is another one
    """A source is opened for each look; its schemas are read once."""
    text = path.read_text("utf-8")
    return contract(text).fingerprint, _parsed(text)
