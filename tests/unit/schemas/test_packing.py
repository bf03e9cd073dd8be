"""Records written by our own hand are what fastavro writes, to the byte; and what it refuses is not written."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from schemas import contract
from schemas.codec import CodecError, default
from schemas.fit import RANGES
from schemas.packing import packer

RECORDS = contract.records()


def by_fastavro(name: str, value: dict[str, Any]) -> bytes:
    stream = BytesIO()
    schemaless_writer(stream, RECORDS[name].plain, value, strict=True)
    return stream.getvalue()


def values(schema: Any) -> st.SearchStrategy[Any]:
    """Right values of a type."""
    if isinstance(schema, list):
        return st.one_of([values(one) for one in schema])
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind in RANGES:
        return st.integers(*RANGES[kind])
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    text = st.text(max_size=20) | st.integers(0, 9000).map("表".__mul__)
    kinds = {"null": st.none(), "string": text, "bytes": st.binary(max_size=20) | st.just(b"x" * 5000)}
    return kinds[kind] if kind in kinds else st.dictionaries(st.text(max_size=5), text, max_size=70)


@st.composite
def records(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(sorted(RECORDS)))
    return name, {field["name"]: draw(values(field["type"])) for field in RECORDS[name].plain["fields"]}


@given(records())
def test_the_bytes_are_those_of_fastavro(record: tuple[str, dict[str, Any]]) -> None:
    name, value = record
    pack = packer(RECORDS[name].plain)
    assert pack is not None
    assert pack(value) == by_fastavro(name, value)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("case", 1),
        ("case", b"x"),
        ("case", None),
        ("case", "\ud800"),
        ("sequence", True),
        ("sequence", 2**63),
        ("sequence", "1"),
        ("previous", "x"),
        ("kind", "OTHER"),
        ("kind", []),
        ("event", "x"),
        ("event_id", 7),
        ("facts", None),
        ("facts", {"a": 1}),
        ("facts", {1: "a"}),
        ("other", "field"),
    ],
)
def test_what_does_not_fit_is_told_as_before(field: str, wrong: object) -> None:
    """The sentence is the codec's, and names the field."""
    value: dict[str, Any] = {
        "case": "city:1",
        "sequence": 1,
        "previous": b"",
        "hash": b"h",
        "kind": "EVENT",
        "recorded_at": 5,
        "event_id": None,
        "event": None,
        "rule": None,
        "target": None,
        "facts": {},
    }
    assert default().decode_record(default().encode_record("JournalEntry", value)) == ("JournalEntry", value)
    with pytest.raises(CodecError, match="JournalEntry does not fit its schema"):
        default().encode_record("JournalEntry", value | {field: wrong})


def test_a_field_left_out_is_told_as_before() -> None:
    with pytest.raises(CodecError, match=r"InputEnded does not fit its schema.*sender"):
        default().encode_record("InputEnded", {"run": "r", "hop": 1})


def test_other_records_are_left_to_fastavro() -> None:
    assert all(packer(form.plain) is None for form in contract.events().values())
