"""Bytes <-> event.

Two framings are read: Avro's single-object encoding (`C3 01`, the schema's CRC-64-AVRO fingerprint, the body: Avro
specification, "Single-object encoding"), which needs no server, and Confluent's wire format (`00`, schema id, the body).
The first is written, unless a registry is given to write with. Logical types are not decoded: times are integers,
microseconds UTC.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple, Protocol

from fastavro import schemaless_reader, schemaless_writer
from fastavro.read import SchemaResolutionError

from schemas import contract
from schemas.contract import Contract
from schemas.envelope import Event
from schemas.fit import filled, misfits, names_of
from schemas.packing import Pack, packer
from schemas.tagging import Tag, tagger

SINGLE_OBJECT = b"\xc3\x01"
CONFLUENT = b"\x00"
#: The texts of schemas that stand in the cluster.
Published = Callable[[], Iterable[str]]
#: Unknown schemas that one reader asks for.
STRANGE = 1000
#: What fastavro and Python raise on bytes that are not what they claim to be, and on values that do not fit.
_FAULTS = (
    *(ValueError, TypeError, EOFError, LookupError, ArithmeticError, AttributeError, MemoryError),
    *(struct.error, SchemaResolutionError),
)


class CodecError(Exception):
    """Bytes that are no event of ours, or an event that does not fit its schema. The message names field or cause."""


class Registry(Protocol):
    """A schema registry that speaks Confluent's API."""

    def id_of(self, subject: str, schema: str) -> int: ...
    def schema_of(self, schema_id: int) -> str: ...


class _Reading(NamedTuple):
    """How bytes of one writer are read: `reader` is None where the writer's schema is our own."""

    name: str
    is_event: bool
    writer: dict[str, Any]
    reader: dict[str, Any] | None


class Codec:
    """Writes strictly (an unknown or missing field is an error that names it), reads every version ever published.

    `subject` gives the registry's subject of a full name; by default the name itself (RecordNameStrategy). `published`
    gives the schemas that others have published, newer versions of this software among them: it is asked where bytes of
    an unknown schema come. Without `framed` the registry is only read with, and single-object encoding is written.
    """

    def __init__(
        self,
        registry: Registry | None = None,
        subject: Callable[[str], str] = str,
        published: Published = tuple,
        *,
        framed: bool = True,
    ) -> None:
        self._registry = registry
        self._framed = framed
        self._subject = subject
        self._published = published
        self._strange: set[bytes] = set()
        self._prefixes: dict[str, bytes] = {}
        self._readings: dict[bytes, _Reading] = {}
        for known in (*contract.frozen(), *contract.current().values()):
            self._readings[SINGLE_OBJECT + known.fingerprint] = _reading(known)

    @property
    def types(self) -> tuple[str, ...]:
        """Every event type, by name."""
        return tuple(contract.events())

    def complete(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and body with every default filled in, as `encode` wants them and as `body_hash` must see them."""
        plain = _contract(contract.events(), type_name).plain
        record = filled({"header": header, **body}, plain, names_of(plain))
        return record.pop("header"), record

    def encode(self, type_name: str, header: dict[str, Any], body: dict[str, Any]) -> bytes:
        """The published bytes of an event. Raises CodecError naming the field that does not fit."""
        return self._write(_contract(contract.events(), type_name), {**body, "header": header})

    def encode_record(self, name: str, value: dict[str, Any]) -> bytes:
        """The bytes of a record that is no event (JournalEntry, Delivery, DeadLetter, InputEnded)."""
        return self._write(_contract(contract.records(), name), value)

    def decode(self, data: bytes) -> Event:
        """The event of these bytes, which it keeps verbatim. Raises CodecError."""
        how, start = self._how(data)
        if not how.is_event:
            raise CodecError(f"Expected an event, found a {how.name}: read this topic with decode_record.")
        body = _read(how, data, start)
        return Event(how.name, body.pop("header"), body, data)

    def decode_record(self, data: bytes) -> tuple[str, dict[str, Any]]:
        """Name and value of a record that is no event. Raises CodecError."""
        how, start = self._how(data)
        if how.is_event:
            raise CodecError(f"Expected a record, found the event {how.name}: read this topic with decode.")
        return how.name, _read(how, data, start)

    def written(self, data: bytes) -> tuple[str, dict[str, Any] | None, int]:
        """The type of these bytes, its schema where they were written with our own, and where the body begins.

        For whoever reads a few fields of many records (`schemas.projection`). Raises CodecError.
        """
        how, start = self._how(data)
        return how.name, how.writer if how.reader is None else None, start

    def brought(self, data: bytes) -> tuple[int, str] | None:
        """Id and text of the registry's schema that these bytes name; None for a fingerprint, which everybody can look up."""
        if self._registry is None or data[:1] != CONFLUENT:
            return None
        number = int.from_bytes(data[1:5], "big")
        return number, self._registry.schema_of(number)

    def learn(self, text: str) -> None:
        """Read from now on what was written with this schema, which a newer version of the software may have published."""
        try:
            written = contract.contract(text)
        except _FAULTS as error:
            raise CodecError(f"The schema cannot be read: {error}. Publish a valid Avro schema.") from error
        self._readings.setdefault(SINGLE_OBJECT + written.fingerprint, _reading(written))

    def _write(self, form: Contract, value: dict[str, Any]) -> bytes:
        prefix = self._prefixes.get(form.fullname) or self._prefix(form)
        pack = _packer(form.fullname)
        if pack is not None:
            with suppress(*_FAULTS):  # what does not fit is told below
                return prefix + pack(value)
        stream = BytesIO()
        stream.write(prefix)
        tag = _tagger(form.fullname)
        try:
            schemaless_writer(stream, form.plain, tag(value) if tag else value, strict=True)
        except _FAULTS as error:
            raise CodecError(_fault(form, value, error)) from error
        return stream.getvalue()

    def _prefix(self, form: Contract) -> bytes:
        if self._registry is None or not self._framed:
            prefix = SINGLE_OBJECT + form.fingerprint
        else:
            number = self._registry.id_of(self._subject(form.fullname), form.text)
            prefix = CONFLUENT + number.to_bytes(4, "big")
        self._prefixes[form.fullname] = prefix
        return prefix

    def _how(self, data: bytes) -> tuple[_Reading, int]:
        if data[:2] == SINGLE_OBJECT:
            return self._readings.get(data[:10]) or self._learned(data[:10]), 10
        if data[:1] == CONFLUENT and len(data) >= 5:
            return self._readings.get(data[:5]) or self._asked(data[:5]), 5
        raise CodecError(f"Neither Avro framing is there (first bytes {data[:4].hex() or 'none'}): send single-object encoding.")

    def _learned(self, prefix: bytes) -> _Reading:
        """Each unknown schema is asked for once: made-up ones must not keep a reader busy."""
        if prefix not in self._strange and len(self._strange) < STRANGE:
            texts = list(self._published())  # where that fails it is asked again
            self._strange.add(prefix)
            for text in texts:
                with suppress(CodecError):  # a contract that this version does not have yet
                    self.learn(text)
        if prefix not in self._readings:
            raise CodecError(
                f"Written with an unknown schema (fingerprint {prefix[2:].hex()}), which nobody has published: upgrade this "
                "program, or start the one that wrote it, which publishes it."
            )
        return self._readings[prefix]

    def _asked(self, prefix: bytes) -> _Reading:
        number = int.from_bytes(prefix[1:], "big")
        if self._registry is None:
            raise CodecError(f"Written with registry schema {number}, and no registry is set: set kafka.registry.")
        try:
            how = _reading(contract.contract(self._registry.schema_of(number)))
        except (ValueError, TypeError, LookupError) as error:
            raise CodecError(f"Schema {number} of the registry cannot be read: {error}.") from error
        self._readings[prefix] = how
        return how


@cache
def default() -> Codec:
    """The shared codec without a registry."""
    return Codec()


def _contract(forms: dict[str, Contract], name: str) -> Contract:
    try:
        return forms[name]
    except KeyError:
        raise CodecError(f"Unknown type {name}: write one of {', '.join(forms)}.") from None


@cache
def _tagger(fullname: str) -> Tag | None:
    plain = contract.current()[fullname].plain
    return tagger(plain, names_of(plain))


@cache
def _packer(fullname: str) -> Pack | None:
    return packer(contract.current()[fullname].plain)


def _reading(written: Contract) -> _Reading:
    ours = contract.current().get(written.fullname)
    if ours is None:
        raise CodecError(f"Schema {written.fullname} is none of ours: publish casebus.events or casebus.records.")
    same = ours.fingerprint == written.fingerprint
    return _Reading(ours.name, ours.is_event, ours.plain if same else written.plain, None if same else ours.plain)


def _read(how: _Reading, data: bytes, start: int) -> dict[str, Any]:
    stream = BytesIO(data)
    stream.seek(start)
    try:
        value: Any = schemaless_reader(stream, how.writer, how.reader)
    except _FAULTS as error:
        raise CodecError(f"The bytes are no {how.name}: {str(error)[:200] or type(error).__name__}.") from error
    if stream.tell() != len(data):
        raise CodecError(f"The bytes are no {how.name}: {len(data) - stream.tell()} bytes are left over.")
    record: dict[str, Any] = value
    return record


def _fault(form: Contract, value: dict[str, Any], error: BaseException) -> str:
    found = sorted(misfits(value, form.plain, names_of(form.plain), ""))
    return f"{form.name} does not fit its schema: {'; '.join(found) or error}."
