"""Bytes and events: both framings, every type, strict writing, other versions, and bytes that are nothing."""

from __future__ import annotations

import copy
import json
from io import BytesIO
from typing import Any

import pytest
from avro_values import values_of
from fastavro import schemaless_writer
from fastavro.schema import parse_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import contract
from schemas.codec import CONFLUENT, SINGLE_OBJECT, Codec, CodecError, default

EVENTS = sorted(contract.events())
RECORDS = sorted(contract.records())
VALUES = {name: values_of(form) for name, form in {**contract.events(), **contract.records()}.items()}


class Registered:
    """A registry in memory: schema ids by subject and text."""

    def __init__(self) -> None:
        self.schemas: list[tuple[str, str]] = []
        self.asked = 0

    def id_of(self, subject: str, schema: str) -> int:
        if (subject, schema) not in self.schemas:
            self.schemas.append((subject, schema))
        return self.schemas.index((subject, schema)) + 256

    def schema_of(self, schema_id: int) -> str:
        self.asked += 1
        return dict(enumerate(self.schemas, 256))[schema_id][1]


def accepted() -> tuple[dict[str, Any], dict[str, Any]]:
    """A small event with every default filled in."""
    moment = {"at": 1_767_225_600_000_000, "precision": "DAY", "zone": "Asia/Shanghai"}
    source = {"system": "s", "table": "t", "key": "k", "position": "1"}
    header = {"event_id": "0" * 32, "body_hash": "1" * 32, "case": "case:1", "sequence": 1, "occurred_at": moment}
    return default().complete("Accepted", {**header, "received_at": 7, "source": source}, {"promised_days": 5})


WITH_REGISTRY = Codec(Registered())  # made once: it parses every schema


@pytest.mark.parametrize("name", EVENTS)
@settings(max_examples=8)
@given(data=st.data())
def test_every_event_round_trips_in_both_framings(name: str, data: st.DataObject) -> None:
    """Header, body and type come back, and the bytes are kept verbatim; either codec reads both."""
    value = data.draw(VALUES[name])
    header = value.pop("header")
    for codec, prefix in ((default(), SINGLE_OBJECT), (WITH_REGISTRY, CONFLUENT)):
        raw = codec.encode(name, header, value)
        event = WITH_REGISTRY.decode(raw)
        assert raw.startswith(prefix)
        assert (event.type, event.header, event.body, event.raw) == (name, header, value, raw)


@pytest.mark.parametrize("name", RECORDS)
@settings(max_examples=8)
@given(data=st.data())
def test_every_other_record_round_trips(name: str, data: st.DataObject) -> None:
    """Journal entries, deliveries, dead letters and the marker."""
    value = data.draw(VALUES[name])
    assert default().decode_record(default().encode_record(name, value)) == (name, value)


def test_the_fingerprint_is_the_specification_s() -> None:
    """CRC-64-AVRO of "null" and "int" as the specification's own tests have them, little-endian on the wire."""
    from fastavro.schema import fingerprint

    assert bytes.fromhex(fingerprint('"null"', "CRC-64-AVRO")) == (0x63DD24E7CC258F8A).to_bytes(8, "little")
    assert bytes.fromhex(fingerprint('"int"', "CRC-64-AVRO")) == (0x7275D51A3F395C8F).to_bytes(8, "little")


def test_stripping_logical_types_leaves_the_fingerprint() -> None:
    """What is written is the published schema, though the hot path does not know its logical types."""
    for form in contract.current().values():
        whole = contract.contract(form.text)
        parsed: Any = parse_schema(copy.deepcopy(form.schema), named_schemas={}, _force=True)
        assert contract.contract(json.dumps(contract.stripped(form.schema))).fingerprint == whole.fingerprint
        assert "timestamp" not in json.dumps(form.plain["fields"])
        assert parsed["name"] == form.fullname


def test_another_reader_of_avro_understands_the_bytes() -> None:
    """The published schema with its logical types reads what we write: microseconds are a moment."""
    from fastavro import schemaless_reader

    header, body = accepted()
    raw = default().encode("Accepted", header, body)
    parsed: Any = parse_schema(copy.deepcopy(contract.events()["Accepted"].schema), named_schemas={}, _force=True)
    read: Any = schemaless_reader(BytesIO(raw[10:]), parsed, None)
    assert read["header"]["occurred_at"]["at"].isoformat() == "2026-01-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"header": {"colour": "red"}}, "header.colour: unknown field"),
        ({"body": {"promise_days": 5}}, "promise_days: unknown field"),
        ({"header": {"level": "three"}}, "header.level: found 'three', expected null or int"),
        ({"header": {"occurred_at": {"at": 1, "precision": "WEEK", "zone": "Z"}}}, "header.occurred_at.precision: found 'WEEK'"),
        ({"header": {"occurred_at": 5}}, "header.occurred_at: found 5, expected the fields of Moment"),
        ({"header": {"actor": {"value": "x", "key": "k"}}}, "expected null or Clear or Sealed"),
        ({"header": {"links": ["a", 1]}}, "header.links[1]: found 1, expected string"),
        ({"header": {"links": "a"}}, "header.links: found 'a', expected array"),
        ({"header": {"sequence": True}}, "header.sequence: found True, expected long"),
        ({"header": {"sequence": 2**63}}, "header.sequence: found 9223372036854775808, expected long"),
        ({"header": {"version": 2**31}}, "header.version: found 2147483648, expected int"),
        ({"header": {"case": b"1"}}, "header.case: found b'1', expected string"),
        ({"body": {"promised_days": 2**31}}, "promised_days: found 2147483648, expected int"),
        ({"header": {"version": None}}, "header.version: found None, expected int"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change: dict[str, Any], sentence: str) -> None:
    """Unknown fields would vanish and wrong ones would lie: the error names the field."""
    header, body = accepted()
    header.update(change.get("header", {}))
    body.update(change.get("body", {}))
    with pytest.raises(CodecError) as error:
        default().encode("Accepted", header, body)
    assert sentence in str(error.value)


@pytest.mark.parametrize(("place", "field"), [("header", "region"), ("header", "case"), ("body", "document")])
def test_a_missing_field_is_refused_by_name(place: str, field: str) -> None:
    """Even one with a default: what is published was meant."""
    header, body = accepted()
    del (header if place == "header" else body)[field]
    with pytest.raises(CodecError, match=f"{field}: missing"):
        default().encode("Accepted", header, body)


def test_complete_fills_defaults_at_every_depth_and_copies_them() -> None:
    """Nested records too; a filled list belongs to its event alone."""
    header, _ = accepted()
    _, body = default().complete("Applied", header, {"applicant": {"kind": "COMPANY"}, "materials": [{"name": "form"}]})
    assert body["applicant"] == {"kind": "COMPANY", "name": None, "identity": None, "phone": None}
    assert body["materials"] == [{"name": "form", "form": None, "count": None}]
    assert default().encode("Applied", header, body)
    first, _ = accepted()
    first["links"].append("x")
    assert accepted()[0]["links"] == []


def test_unknown_types_are_refused_with_the_list_of_known_ones() -> None:
    """A typing error in a type is told, not hidden in a KeyError."""
    header, body = accepted()
    with pytest.raises(CodecError, match=r"Unknown type Acepted: write one of .*Accepted"):
        default().encode("Acepted", header, body)
    with pytest.raises(CodecError, match="Unknown type Letter"):
        default().encode_record("Letter", {})


def test_events_and_records_are_not_taken_for_each_other() -> None:
    """A journal read as events says so."""
    header, body = accepted()
    record = default().encode_record("InputEnded", {"run": "r", "hop": 0, "sender": 1})
    with pytest.raises(CodecError, match="found a InputEnded"):
        default().decode(record)
    with pytest.raises(CodecError, match="found the event Accepted"):
        default().decode_record(default().encode("Accepted", header, body))


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "first bytes none"),
        (b"{}", "Neither Avro framing"),
        (SINGLE_OBJECT, "unknown schema"),
        (SINGLE_OBJECT + bytes(8) + b"x", "unknown schema (fingerprint 0000000000000000)"),
        (b"\x00\x00\x00\x01", "Neither Avro framing"),
        (b"\x00\x00\x00\x01\x00abc", "set kafka.registry"),
    ],
)
def test_bytes_without_a_framing_we_know_are_refused(raw: bytes, sentence: str) -> None:
    """Each with what to do about it."""
    with pytest.raises(CodecError) as error:
        default().decode(raw)
    assert sentence in str(error.value)


@given(st.data())
def test_spoiled_bytes_raise_our_error_or_give_an_event(data: st.DataObject) -> None:
    """Cut, flipped or lengthened: never another exception."""
    header, body = accepted()
    raw = bytearray(default().encode("Accepted", header, body))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(10, len(raw) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(raw[: data.draw(st.integers(0, len(raw)))]) + data.draw(st.binary(max_size=3))
    try:
        event = default().decode(cut)
    except CodecError:
        return
    assert event.type == "Accepted"


def test_bytes_left_over_are_refused() -> None:
    """A value with a tail was written by something else."""
    header, body = accepted()
    with pytest.raises(CodecError, match="1 bytes are left over"):
        default().decode(default().encode("Accepted", header, body) + b"\x00")


def newer() -> tuple[str, bytes]:
    """Accepted as a later version might be, and an event in it."""
    schema = copy.deepcopy(contract.events()["Accepted"].schema)
    schema["fields"].append({"name": "hall", "type": ["null", "string"], "default": None, "doc": "Where."})
    text = json.dumps(schema)
    form = contract.contract(text)
    header, body = accepted()
    stream = BytesIO()
    schemaless_writer(stream, form.plain, {"header": header, **body, "hall": "east"})
    return text, SINGLE_OBJECT + form.fingerprint + stream.getvalue()


def test_a_newer_version_is_read_once_its_schema_is_known() -> None:
    """Fields we do not know are passed over; without the schema the error says what to do."""
    text, raw = newer()
    codec = Codec()
    with pytest.raises(CodecError, match="upgrade this program"):
        codec.decode(raw)
    codec.learn(text)
    event = codec.decode(raw)
    assert (event.header, event.body) == accepted()
    assert event.raw == raw


@pytest.mark.parametrize("text", ["{", '"string"', '{"type": "record", "name": "other.Thing", "fields": []}'])
def test_a_schema_that_is_none_of_ours_is_not_learned(text: str) -> None:
    """Broken JSON, a schema without a record, somebody else's record."""
    with pytest.raises(CodecError):
        Codec().learn(text)


def test_the_registry_is_asked_once_a_schema_and_by_our_subject() -> None:
    """Ids are remembered both ways; the subject is the caller's rule."""
    registry = Registered()
    codec = Codec(registry, lambda fullname: f"approval.events-{fullname}")
    header, body = accepted()
    raws = [codec.encode("Accepted", header, body) for _ in range(3)]
    assert [subject for subject, _ in registry.schemas] == ["approval.events-casebus.events.Accepted"]
    assert raws[0][:5] == b"\x00\x00\x00\x01\x00"
    for raw in raws:
        assert codec.decode(raw).body == body
    assert registry.asked == 1


def test_a_newer_version_in_the_registry_is_read() -> None:
    """The writer's schema comes from the registry, and ours reads it."""
    text, raw = newer()
    registry = Registered()
    number = registry.id_of("any", text)
    event = Codec(registry).decode(CONFLUENT + number.to_bytes(4, "big") + raw[10:])
    assert (event.header, event.body) == accepted()


def test_a_registry_may_be_read_with_and_not_written_with() -> None:
    """So a deployment changes its framing one process after another: first all can read it, then they write it."""
    header, body = accepted()
    registry = Registered()
    raw = Codec(registry).encode("Accepted", header, body)
    reader = Codec(registry, framed=False)
    assert reader.decode(raw).body == body
    assert reader.encode("Accepted", header, body) == default().encode("Accepted", header, body)


def test_an_id_that_the_registry_does_not_know_is_a_fault_of_the_record() -> None:
    """As an unknown fingerprint is: it becomes a dead letter and stops nobody."""
    with pytest.raises(CodecError, match="Schema 7 of the registry cannot be read"):
        Codec(Registered()).decode(b"\x00\x00\x00\x00\x07abc")


def test_somebody_else_s_schema_in_the_registry_is_refused() -> None:
    """A foreign record on our topic is a dead letter with a reason."""
    registry = Registered()
    number = registry.id_of("any", '{"type": "record", "name": "shop.Order", "fields": []}')
    with pytest.raises(CodecError, match=r"shop\.Order is none of ours"):
        Codec(registry).decode(CONFLUENT + number.to_bytes(4, "big"))
