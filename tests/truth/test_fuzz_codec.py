"""Bytes that mean harm: cut short, with lengths that lie, from a registry that lies. Never anything but our error."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from avro_values import values_of
from hostile import NUMBERS, broken
from hypothesis import given
from hypothesis import strategies as st

from schemas import contract
from schemas.codec import CONFLUENT, SINGLE_OBJECT, Codec, CodecError, default
from schemas.projection import compiled

FORMS = {**contract.events(), **contract.records()}
NAMES = sorted(FORMS)


class Liar:
    """A registry that answers a schema's number with whatever it was told."""

    def __init__(self, says: str) -> None:
        self._says = says

    def id_of(self, *_: str) -> int:
        return 7

    def schema_of(self, _: int) -> str:
        return self._says


def read(codec: Codec, raw: bytes) -> None:
    """By each way in; the faults that may come out are the codec's own."""
    for way in (codec.decode, codec.decode_record, codec.written):
        with suppress(CodecError):
            way(raw)


def framed(name: str, value: dict[str, Any]) -> bytes:
    form = FORMS[name]
    if form.is_event:
        header = value.pop("header")
        return default().encode(name, header, value)
    return default().encode_record(name, value)


@given(st.data())
def test_bytes_that_are_nearly_right_give_a_value_or_our_error(data: st.DataObject) -> None:
    """Of every type, faults anywhere behind the framing."""
    name = data.draw(st.sampled_from(NAMES))
    raw = framed(name, data.draw(values_of(FORMS[name])))
    read(default(), data.draw(broken(raw, 10)))


@given(st.binary(max_size=64), st.sampled_from([b"", SINGLE_OBJECT, CONFLUENT, CONFLUENT + b"\0\0\0\7"]))
def test_any_bytes_at_all(raw: bytes, prefix: bytes) -> None:
    """Without framing, with half of it, with a schema's number nobody knows."""
    for codec in (default(), Codec(Liar('"string"'))):
        read(codec, prefix + raw)


def _levels() -> str:
    """A record that names the one below it twice, thirty levels deep: a thousand million values out of no bytes."""
    inner: Any = {"type": "record", "name": "r0", "fields": [{"name": "a", "type": "null"}]}
    for level in range(1, 30):
        fields = [{"name": "a", "type": inner}, {"name": "b", "type": f"r{level - 1}"}]
        inner = {"type": "record", "name": f"r{level}", "fields": fields}
    return _applied(inner, "other")


def _applied(kind: Any, name: str = "header") -> str:
    return json.dumps({"type": "record", "name": "casebus.events.Applied", "fields": [{"name": name, "type": kind}]})


SCHEMAS = [
    *("", "{", "null", "[]", '"string"', '{"type": "record"}', '{"type": "record", "name": "x", "fields": 3}'),
    '{"type": "record", "name": "casebus.events.Applied", "fields": []}',
    '{"type": "enum", "name": "casebus.events.Applied", "symbols": [1]}',
    *("[" * 5000 + "]" * 5000, '{"type": ' * 3000 + '"int"' + "}" * 3000),
    *(_applied("casebus.events.Applied"), _applied(["null", {"type": "array", "items": "casebus.events.Applied"}])),
    _applied({"type": "fixed", "name": "f", "size": 1_000_000_000}),
    *(_applied({"type": "array", "items": "null"}, name) for name in ("header", "other")),
    _levels(),
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=range(len(SCHEMAS)))
def test_a_registry_that_lies_gives_our_error(schema: str) -> None:
    """No schema, schemas of others, one that contains itself (it ended the process), items of no bytes (a count held it)."""
    begun = time.process_time()
    for number in NUMBERS:
        read(Codec(Liar(schema)), CONFLUENT + b"\0\0\0\7" + number + b"\0" * 3)
    assert time.process_time() - begun < 20


@given(st.data())
def test_a_few_fields_of_broken_bytes(data: st.DataObject) -> None:
    """The quick reader raises what it says it raises, and nothing else."""
    name = data.draw(st.sampled_from(sorted(READERS)))
    raw = framed(name, data.draw(values_of(FORMS[name])))
    try:
        READERS[name](data.draw(broken(raw, 10)), 10)
    except (ValueError, LookupError):
        return


_PATHS = ("header.case", "header.occurred_at.at", "header.authority", "header.actor.value", "header.received_at")
READERS: dict[str, Callable[[bytes, int], Any]] = {
    **{name: compiled(form.plain, _PATHS) for name, form in contract.events().items()},
    "JournalEntry": compiled(contract.records()["JournalEntry"].plain, ("case", "facts", "hash")),
}


@pytest.mark.parametrize("how", ["codec", "quick"])
def test_a_number_without_end_takes_no_time_and_a_length_that_lies_no_memory(how: str) -> None:
    """A megabyte, the largest record that Kafka takes by default."""
    tracemalloc.start()
    try:
        for body in (b"\x80" * (1 << 20), b"\xff" * (1 << 20), b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01" + bytes(1 << 20)):
            begun = time.process_time()
            raw = default().encode("Accepted", *_small())[:10] + body
            with pytest.raises((CodecError, ValueError, LookupError)):
                default().decode(raw) if how == "codec" else READERS["Accepted"](raw, 10)
            assert time.process_time() - begun < 2
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def _small() -> tuple[dict[str, Any], dict[str, Any]]:
    moment = {"at": 0, "precision": "DAY", "zone": "Z"}
    source = {"system": "s", "table": "t", "key": "k", "position": "1"}
    header = {"event_id": "0" * 32, "body_hash": "1" * 32, "case": "c", "sequence": 1, "occurred_at": moment}
    return default().complete("Accepted", {**header, "received_at": 7, "source": source}, {})
