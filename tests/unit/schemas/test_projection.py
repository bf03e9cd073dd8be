"""A few fields read alone are the fields of the whole record, whatever stands around them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from avro_values import values_of
from fastavro import schemaless_writer
from fastavro.schema import parse_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import contract
from schemas.codec import default
from schemas.projection import compiled, values

HEADER = (
    "header.version",
    "header.event_id",
    "header.actor.value",
    "header.actor.key",
    "header.step",
    "header.occurred_at.at",
    "header.occurred_at.precision",
    "header.reported_at.at",
    "header.source.position",
)


def written(schema: Any, value: Any) -> bytes:
    stream = BytesIO()
    schemaless_writer(stream, schema, value)
    return stream.getvalue()


def parsed(*fields: tuple[str, Any]) -> Any:
    return parse_schema({"type": "record", "name": "R", "fields": [{"name": name, "type": kind} for name, kind in fields]})


@pytest.mark.parametrize("name", sorted(contract.events()))
@settings(max_examples=8)
@given(data=st.data())
def test_header_fields_of_every_event_are_those_of_the_whole_event(name: str, data: st.DataObject) -> None:
    """The order in which they are asked for is the order in which they come."""
    value = data.draw(values_of(contract.events()[name]))
    raw = default().encode(name, value.pop("header"), value)
    read = compiled(contract.events()[name].plain, HEADER)
    assert read(raw, 10) == tuple(values({"header": default().decode(raw).header}, HEADER))


@settings(max_examples=40)
@given(data=st.data())
def test_a_journal_entry_is_read_behind_everything_it_holds(data: st.DataObject) -> None:
    """Its facts, a map, come last: everything before has been stepped over rightly."""
    form = contract.records()["JournalEntry"]
    value = data.draw(values_of(form))
    raw = default().encode_record("JournalEntry", value)
    assert compiled(form.plain, ("facts", "kind"))(raw, 10) == (value["facts"], value["kind"])


@settings(max_examples=40)
@given(
    numbers=st.lists(st.integers(-(2**63), 2**63 - 1)),
    texts=st.dictionaries(st.text(), st.lists(st.none() | st.text())),
    number=st.integers(-(2**63), 2**63 - 1),
)
def test_what_nobody_asked_for_is_stepped_over(numbers: list[int], texts: dict[str, Any], number: int) -> None:
    """Arrays, maps, nested ones, fixed sizes and floating numbers."""
    schema = parsed(
        ("numbers", {"type": "array", "items": "long"}),
        ("texts", {"type": "map", "values": {"type": "array", "items": ["null", "string"]}}),
        ("mark", {"type": "fixed", "name": "Mark", "size": 3}),
        ("half", "double"),
        ("yes", "boolean"),
        ("wanted", "long"),
        ("behind", "string"),
    )
    value = {"numbers": numbers, "texts": texts, "mark": b"abc", "half": 0.5, "yes": True, "wanted": number, "behind": "x"}
    assert compiled(schema, ("wanted",))(written(schema, value), 0) == (number,)


def test_blocks_that_tell_their_size_are_stepped_over_at_once() -> None:
    """Other languages write a negative count and the size of the block."""
    schema = parsed(("numbers", {"type": "array", "items": "long"}), ("texts", {"type": "map", "values": "string"}))
    sized_array, sized_map = b"\x03\x04\x02\x04\x00", b"\x01\x08\x02a\x02b\x00"
    assert compiled(schema, ("texts",))(sized_array + sized_map, 0) == ({"a": "b"},)


def test_branches_of_a_union_may_hold_a_field_of_the_same_name() -> None:
    """Each is read where it is there."""
    inner = [{"type": "record", "name": f"In{n}", "fields": [{"name": "value", "type": "string"}]} for n in (1, 2)]
    schema = parsed(("one", ["null", *inner]))
    read = compiled(schema, ("one.value",))
    assert [read(branch + b"\x02x", 0) for branch in (b"\x02", b"\x04")] == [("x",), ("x",)]
    assert read(b"\x00", 0) == (None,)


@pytest.mark.parametrize("cut", range(11, 60))
def test_bytes_that_end_too_early_are_refused(cut: int) -> None:
    """Never half a value."""
    moment = {"at": 1_767_225_600_000_000, "precision": "DAY", "zone": "Asia/Shanghai"}
    source = {"system": "s", "table": "t", "key": "k", "position": "1"}
    header = {"event_id": "0" * 32, "body_hash": "1" * 32, "case": "case:1", "sequence": 1, "occurred_at": moment}
    full, body = default().complete("Accepted", {**header, "received_at": 7, "source": source}, {})
    raw = default().encode("Accepted", full, body)
    read = compiled(contract.events()["Accepted"].plain, ("header.source.key",))
    with pytest.raises((ValueError, LookupError)):
        read(raw[:cut], 10)


@pytest.mark.parametrize("raw", [b"\x06", b"\x02\x01", b"\x02\xfe\xff\xff\xff\x0f"])
def test_bytes_that_are_something_else_are_refused(raw: bytes) -> None:
    """A branch that the union has not, a negative length, a length beyond the end."""
    with pytest.raises(ValueError, match=r"no branch|no length"):
        compiled(parsed(("one", ["null", "string"])), ("one",))(raw, 0)


def test_a_path_that_is_not_there_and_a_type_that_is_not_read_are_named() -> None:
    """When it is compiled, not when the first record comes."""
    with pytest.raises(LookupError, match="R has no two"):
        compiled(parsed(("one", "long")), ("one", "two"))
    with pytest.raises(TypeError, match="array cannot be read alone"):
        compiled(parsed(("one", {"type": "array", "items": "long"})), ("one",))


@pytest.mark.parametrize("behind", [b"", b"\x80" * 9], ids=["at the end", "before other bytes"])
def test_numbers_of_every_size_are_read_as_they_were_written(behind: bytes) -> None:
    """Around each power of two: those of eight bytes, as times are, take a way of their own."""
    schema = parse_schema({"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}]})
    read = compiled(schema, ("n",))
    for number in {sign * (1 << bits) + step for bits in range(63) for sign in (1, -1) for step in (-1, 0, 1)}:
        out = BytesIO()
        schemaless_writer(out, schema, {"n": number})
        assert read(out.getvalue() + behind, 0) == (number,)
