"""Published schemas stay readable for ever: the history against the present, and the checker against broken schemas."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from io import BytesIO
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest
from avro_values import values_of
from fastavro import schemaless_reader, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from schemas import contract
from schemas.compatibility import check, unreadable
from schemas.envelope import body_hash
from schemas.freeze import freeze

HISTORY = contract.ROOT / "history"
NAMES = sorted(path.name for path in HISTORY.iterdir() if path.is_dir())
PRESENT = {form.name: form for form in contract.current().values()}

Json = dict[str, Any]


def versions(name: str) -> list[Path]:
    return sorted((HISTORY / name).glob("*.avsc"), key=lambda path: int(path.stem))


def test_every_contract_has_a_history_and_none_was_dropped() -> None:
    """What was once published is still there: the journal holds it."""
    assert sorted(PRESENT) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_present_understands_every_version_and_the_other_way_round(name: str) -> None:
    """Backward for the journal, forward for departments that upgrade later."""
    for path in versions(name):
        assert check(json.loads(path.read_text("utf-8")), PRESENT[name].schema) == [], path.name


@pytest.mark.parametrize("name", NAMES)
def test_every_version_ever_published_understands_every_other(name: str) -> None:
    """Whoever stayed two versions behind, too: not only each version and the present one."""
    texts = {path.name: json.loads(path.read_text("utf-8")) for path in versions(name)}
    faults = {(old, new): check(texts[old], texts[new]) for old, new in combinations(texts, 2)}
    assert {pair: found for pair, found in faults.items() if found} == {}


@pytest.mark.parametrize("name", [name for name in NAMES if len(versions(name)) > 1])
@given(st.data())
def test_what_any_version_wrote_any_other_reads(name: str, data: st.DataObject) -> None:
    """By Avro's own resolution of real bytes: what both have is the same, what the writer lacked is the reader's default."""
    forms = [contract.contract(path.read_text("utf-8")) for path in versions(name)]
    for writer, reader in permutations(forms, 2):
        value = data.draw(values_of(writer))
        stream = BytesIO()
        schemaless_writer(stream, writer.plain, value)
        stream.seek(0)
        found: Any = schemaless_reader(stream, writer.plain, reader.plain)
        defaults = {field["name"]: field.get("default") for field in reader.plain["fields"]}
        for field, default in defaults.items():
            if field != "header":
                assert found[field] == value.get(field, default), field


@pytest.mark.parametrize("name", NAMES)
def test_the_newest_version_is_the_present_one(name: str) -> None:
    """A changed .avsc is published by `python -m schemas.freeze`."""
    paths = versions(name)
    assert [int(path.stem) for path in paths] == list(range(1, len(paths) + 1))
    assert paths[-1].read_text("utf-8") == PRESENT[name].text


def test_the_history_is_frozen() -> None:
    """A published version never changes; SHA256SUMS grows with each new one."""
    lines = (HISTORY / "SHA256SUMS").read_text("utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    there = {
        path.relative_to(HISTORY).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in HISTORY.glob("*/*.avsc")
    }
    assert there == listed


def test_freezing_makes_the_next_version_of_what_changed_alone(tmp_path: Path) -> None:
    """New contracts begin at 1, changed ones go on, the rest stays; every version is in SHA256SUMS."""
    avro = tmp_path / "avro"
    (avro / "records").mkdir(parents=True)
    (avro / "A.avsc").write_text("one", "utf-8")
    (avro / "records" / "B.avsc").write_text("one", "utf-8")
    assert freeze(tmp_path) == ["A/1.avsc", "B/1.avsc"]
    (avro / "A.avsc").write_text("two", "utf-8")
    assert freeze(tmp_path) == ["A/2.avsc"]
    assert freeze(tmp_path) == []
    lines = (tmp_path / "history" / "SHA256SUMS").read_text("utf-8").splitlines()
    assert [line.split("  ")[1] for line in lines] == ["A/1.avsc", "A/2.avsc", "B/1.avsc"]
    assert lines[0].startswith(hashlib.sha256(b"one").hexdigest())


def base() -> Json:
    """A small schema with one of each kind of thing."""
    return {
        "type": "record",
        "name": "Thing",
        "namespace": "t",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
            {"name": "note", "type": ["null", "string"], "default": None},
            {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
            {"name": "sort", "type": {"type": "enum", "name": "Sort", "symbols": ["X", "OTHER"], "default": "OTHER"}},
            {"name": "part", "type": {"type": "record", "name": "Part", "fields": [{"name": "n", "type": "int"}]}},
            {"name": "parts", "type": {"type": "array", "items": "Part"}, "default": []},
            {"name": "facts", "type": {"type": "map", "values": "string"}, "default": {}},
            {"name": "sum", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
            {"name": "mark", "type": {"type": "fixed", "name": "Mark", "size": 8}},
            {"name": "next", "type": ["null", "Thing"], "default": None},
        ],
    }


def changed(change: Callable[[dict[str, Json], Json], None]) -> Json:
    schema = base()
    change({field["name"]: field for field in schema["fields"]}, schema)
    return schema


def add(field: Json) -> Callable[[dict[str, Json], Json], None]:
    return lambda _, schema: schema["fields"].append(field)


def put(name: str, **values: Any) -> Callable[[dict[str, Json], Json], None]:
    return lambda fields, _: fields[name].update(values)


def drop(name: str) -> Callable[[dict[str, Json], Json], None]:
    return lambda fields, schema: schema["fields"].remove(fields[name])


HARMLESS: dict[str, Callable[[dict[str, Json], Json], None]] = {
    "nothing": lambda *_: None,
    "field with default": add({"name": "more", "type": ["null", "string"], "default": None}),
    "field of bytes with default": add({"name": "more", "type": "bytes", "default": "\u00ff"}),
    "optional field dropped": drop("note"),
    "symbol of an enum with default": lambda fields, _: fields["sort"]["type"]["symbols"].append("Y"),
    "doc": put("id", doc="Better said."),
    "order of fields": lambda _, schema: schema["fields"].insert(0, schema["fields"].pop(1)),
}

BROKEN: dict[str, tuple[Callable[[dict[str, Json], Json], None], str]] = {
    "field without default": (add({"name": "more", "type": "string"}), "new cannot read old: more: the field was not written"),
    "required field dropped": (drop("id"), "old cannot read new: id: the field was not written"),
    "other type": (put("id", type="int"), "new cannot read old: id: string was written, int is expected"),
    "narrower type": (put("at", type="int"), "new cannot read old: at: long was written, int is expected"),
    "wider type": (
        lambda f, _: f["part"]["type"]["fields"][0].update(type="long"),
        "old cannot read new: part.n: long was written",
    ),
    "optional becomes required": (
        put("note", type="string"),
        "new cannot read old: note[null]: null was written, string is expected",
    ),
    "required becomes optional": (put("id", type=["null", "string"]), "old cannot read new: id[null]: null was written, string"),
    "union widened": (
        put("note", type=["null", "string", "int"]),
        "old cannot read new: note[int]: int was written, and no branch",
    ),
    "logical type": (
        put("at", type={"type": "long", "logicalType": "timestamp-millis"}),
        "new cannot read old: at: timestamp-micros was written, timestamp-millis is expected",
    ),
    "logical type lost": (put("at", type="long"), "new cannot read old: at: timestamp-micros was written, a plain value"),
    "decimal's scale": (lambda f, _: f["sum"]["type"].update(scale=3), "new cannot read old: sum: the decimal's scale is 2"),
    "symbol added": (lambda f, _: f["kind"]["type"]["symbols"].append("C"), "old cannot read new: kind: C may have been written"),
    "symbol dropped": (
        lambda f, _: f["kind"]["type"]["symbols"].remove("B"),
        "new cannot read old: kind: B may have been written",
    ),
    "default changed": (put("facts", default={"a": "b"}), "new cannot read old: facts: the default changed between {} and"),
    "default of another type": (add({"name": "more", "type": "int", "default": "x"}), "new cannot read old: more: the default"),
    "default of a later branch": (
        add({"name": "more", "type": ["string", "null"], "default": None}),
        "new cannot read old: more: the default null does not fit its type",
    ),
    "record renamed": (
        lambda f, _: f["part"]["type"].update(name="t.Other") or f["parts"]["type"].update(items="t.Other"),
        "Part was",
    ),
    "items of an array": (
        lambda f, _: f["parts"]["type"].update(items="string"),
        "parts[]: Part was written, string is expected",
    ),
    "values of a map": (lambda f, _: f["facts"]["type"].update(values="int"), "facts{}: string was written, int is expected"),
    "size of a fixed": (lambda f, _: f["mark"]["type"].update(size=9), "mark: 8 bytes were written, 9 are expected"),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_change_passes(name: str) -> None:
    """What Avro resolves in both directions is allowed."""
    assert check(base(), changed(HARMLESS[name])) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_breaking_change_is_named(name: str) -> None:
    """Each kind of break gives its own sentence with direction and path."""
    change, sentence = BROKEN[name]
    faults = check(base(), changed(change))
    assert any(sentence in fault for fault in faults), faults


def test_an_alias_reads_the_old_name() -> None:
    """A field renamed with an alias reads old data; the old reader loses it, which is told."""
    new = changed(lambda fields, _: fields["id"].update(name="key", aliases=["id"]))
    assert unreadable(new, base()) == []
    assert unreadable(base(), new) == ["id: the field was not written and has no default"]


def test_promotions_are_read_one_way() -> None:
    """An int is read as a long, never the reverse."""

    def schema(kind: str) -> Json:
        return {"type": "record", "name": "R", "fields": [{"name": "n", "type": ["null", kind], "default": None}]}

    assert unreadable(schema("long"), schema("int")) == []
    assert unreadable(schema("int"), schema("long")) == ["n[long]: long was written, and no branch of the union takes it"]


def test_a_broken_branch_of_a_union_of_records_is_named() -> None:
    """The personal fields are such unions: a change inside Sealed must not hide behind Clear."""
    old = PRESENT["Accepted"].schema
    new = copy.deepcopy(old)
    actor = next(field for field in new["fields"][0]["type"]["fields"] if field["name"] == "actor")
    actor["type"][2]["fields"].append({"name": "nonce", "type": "bytes"})
    assert check(old, new) == ["new cannot read old: header.actor[Sealed].nonce: the field was not written and has no default"]


def test_the_schema_given_is_left_as_it_was() -> None:
    """Checking changes nothing: fastavro writes into what it parses."""
    schema = base()
    check(schema, base())
    assert schema == base()


def test_a_fact_has_one_hash_whichever_version_tells_it() -> None:
    """Who reads a row again after an upgrade tells nothing new; a later field that says something is part of the fact."""
    early = {"alert": "a", "indicator": "promise", "light": "RED", "text": "late", "judged_sequence": 1}
    header = {"case": "city:1"}
    hashed = body_hash("AlertRaised", header, early)
    assert body_hash("AlertRaised", header, {**early, "who": None, "about": None}) == hashed
    assert body_hash("AlertRaised", header, {**early, "who": "water@500000", "about": None}) != hashed
    assert body_hash("AlertRaised", header, {**early, "light": None}) != hashed
