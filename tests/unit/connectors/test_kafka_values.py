"""What values of foreign topics are written in: Avro in both framings, CSV lines, plain text; and what is wrong with them."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from connector_world import MAPPING, connector, deployment
from fastavro import parse_schema, schemaless_writer

from bus.errors import ConfigurationError, CorruptionError, RetryError
from bus.memory import Cluster
from bus.ports import Message
from bus.topics import Topic
from connectors.config import read
from connectors.formats import textlines
from connectors.formats.avro import AvroReader
from connectors.formats.objects import Origin
from connectors.formats.textlines import Writing
from connectors.values import Refusal
from schemas.contract import contract
from schemas.problem import ProblemsError

STEP: dict[str, Any] = {
    "type": "record",
    "name": "步骤",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "fee", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "clerk", "type": ["null", {"type": "record", "name": "Clerk", "fields": [{"name": "name", "type": "string"}]}]},
    ],
}
TEXT = json.dumps(STEP, ensure_ascii=False).replace("步骤", "Step")  # names in Avro are ASCII
ROW = {"id": 7, "at": datetime(2025, 6, 1, 1, 20, 39, tzinfo=UTC), "fee": Decimal("12.50"), "clerk": {"name": "王"}}


#: A mapping of plain text: what each line holds stands at fixed places.
ONE_FIELD = """
zone: Asia/Shanghai
columns: {line: {required: true, clean: none}, at: {value: "part(line, 0, 10)", type: time}}
key: line
case: line
header: {occurred_at: at}
events: [{type: Accepted}]
"""


def body(row: Mapping[str, Any] = ROW) -> bytes:
    stream = io.BytesIO()
    schemaless_writer(stream, parse_schema(json.loads(TEXT), named_schemas={}), dict(row))
    return stream.getvalue()


def single(data: bytes) -> bytes:
    return b"\xc3\x01" + contract(TEXT).fingerprint + data


def confluent(number: int, data: bytes) -> bytes:
    return b"\x00" + number.to_bytes(4, "big") + data


class Registry:
    """Knows one schema; counts how often it was asked."""

    def __init__(self, *, text: str = TEXT, away: bool = False) -> None:
        self.text, self.away, self.asked = text, away, 0

    def schema_of(self, schema_id: int) -> str:
        self.asked += 1
        if self.away:
            raise RetryError("The registry does not answer.")
        if schema_id != 17:
            raise CorruptionError("There is none.")
        return self.text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "step.avsc"
    path.write_text(TEXT, "utf-8")
    return path


def test_a_file_is_known_by_its_fingerprint(file: Path) -> None:
    """Times, decimals and nested records come as what they are."""
    assert AvroReader([file], None, "dep.yaml").read(single(body())) == ROW


def test_a_file_is_known_by_the_registrys_id(file: Path) -> None:
    """Without a registry in reach, whoever has its schemas as files names their ids."""
    found = AvroReader({17: file}, None, "dep.yaml")
    assert found.read(confluent(17, body())) == found.read(single(body())) == ROW
    with pytest.raises(Refusal, match="unknown_schema") as told:
        found.read(confluent(18, body()))
    assert told.value.instead == "Write registry: with its address, or schemas: {18: file}"


def test_a_registry_is_asked_once(file: Path) -> None:
    """For each id, also for one that it does not know."""
    registry = Registry()
    found = AvroReader([], registry, "dep.yaml")
    assert [found.read(confluent(17, body())) for _ in range(3)] == [ROW] * 3
    for _ in range(3):
        with pytest.raises(Refusal, match="unknown_schema"):
            found.read(confluent(4, body()))
    assert registry.asked == 2


def test_a_registry_that_is_away_is_waited_for() -> None:
    """Its silence says nothing about the record, and is not remembered."""
    registry = Registry(away=True)
    found = AvroReader([], registry, "dep.yaml")
    with pytest.raises(RetryError):
        found.read(confluent(17, body()))
    registry.away = False
    assert found.read(confluent(17, body())) == ROW


@pytest.mark.parametrize(
    "text",
    [
        'syntax = "proto3";',
        '{"type": "record", "name": "A", "fields": [{"name": "b", "type": "B"}]}',
        "[]",
        "[" * 5000 + "]" * 5000,
        '{"type": "record", "name": "A", "fields": [{"name": "b", "type": "A"}]}',
        '{"type": "array", "items": "null"}',
    ],
)
def test_what_the_registry_has_may_be_no_avro_to_read_with(text: str) -> None:
    """Protobuf and JSON Schema lie in registries too, schemas that lean on others, and such as would end or hold the process."""
    with pytest.raises(Refusal) as told:
        AvroReader([], Registry(text=text), "dep.yaml").read(confluent(17, body()))
    assert "schema 17" in told.value.found


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "broken_record"),
        (b'{"id": 1}', "broken_record"),
        (b"\x00\x00\x00", "broken_record"),
        (single(b""), "broken_record"),
        (single(body())[:-1], "broken_record"),
        (single(body()) + b"\x00", "broken_record"),
        (single(b"\x0e\x00\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "broken_record"),
        (single(b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f" * 2 + b"\x00\x00"), "broken_record"),
        (b"\xc3\x01" + bytes(8) + body(), "unknown_schema"),
    ],
)
def test_bytes_that_are_not_what_they_claim_to_be(file: Path, value: bytes, reason: str) -> None:
    """Cut, lengthened, in no framing, with lengths and times beyond all measure: a reason, never an error of ours."""
    with pytest.raises(Refusal, match=reason):
        AvroReader([file], None, "dep.yaml").read(value)


@pytest.mark.parametrize("text", ["no JSON", '"string"', '{"type": "record", "fields": []}'])
def test_a_schema_file_that_cannot_be_used_is_told(tmp_path: Path, text: str) -> None:
    """With its name, before anything is read."""
    (tmp_path / "bad.avsc").write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match=r"bad\.avsc is no Avro schema of a record"):
        AvroReader([tmp_path / "bad.avsc"], None, "dep.yaml")
    with pytest.raises(ConfigurationError, match=r"none\.avsc cannot be read"):
        AvroReader([tmp_path / "none.avsc"], None, "dep.yaml")


def lines(raw: bytes, writing: Writing, *fields: str) -> list[Any]:
    return textlines.rows_of(Origin("t:0:5", 5, raw), writing, fields)


def test_csv_lines_are_rows_with_places_of_their_own() -> None:
    """Several lines in one value, quotes over two lines, a blank line, other encodings: each row keeps its own bytes."""
    raw = '1;"a\nb"\n\n2;王\r\n'.encode("gb18030")
    found = lines(raw, Writing("gb18030", ";", '"', ["id", "who"]), "id")
    assert [(one.position, one.sequence, one.row) for one in found] == [
        ("t:0:5 (1)", 5 * 65536 + 1, {"id": "1", "who": "a\nb"}),
        ("t:0:5 (2)", 5 * 65536 + 2, {"id": "2", "who": "王"}),
    ]
    assert [one.raw for one in found] == [b'1;"a\nb"\n', "2;王\r\n".encode("gb18030")]


def test_the_first_line_heads_the_others_where_no_names_are_given() -> None:
    """Its names are those of the mapping where only width and blanks differ."""
    (row,) = lines("\ufeffＩＤ , who\n1,x\n".encode(), Writing(delimiter=","), "ID")
    assert row.row == {"ID": "1", " who": "x"}
    assert lines(b"id,who\n", Writing(delimiter=","), "id") == []


def test_a_row_with_a_cell_too_many_is_refused_alone() -> None:
    """The others of the same value go on."""
    one, two = lines(b"1,2,3\n1,2\n", Writing(delimiter=",", names=["a", "b"]))
    assert one.fault is not None
    assert (one.fault.reason, one.raw) == ("ragged_row", b"1,2,3\n")
    assert (two.fault, two.row) == (None, {"a": "1", "b": "2"})


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"1,a\n2,\xff\xfe\n", "found the bytes ff fe 0a in line 2 at column 3, which are not utf-8"),
        (b"1,\0\n", "found a NUL character"),
        (b'1,"a\n', "found quotes that do not fit in line 1"),
        (b"other,who\n1,2\n", "found no column id; there is other, who"),
    ],
)
def test_a_value_that_cannot_be_read_says_where(raw: bytes, found: str) -> None:
    """Wrong bytes by line and column, open quotes, a heading that is missing."""
    names = None if raw.startswith(b"other") else ["id", "who"]
    with pytest.raises(Refusal) as told:
        lines(raw, Writing(delimiter=",", names=names), "id")
    assert told.value.found.startswith(found)


def test_without_quotes_a_quote_is_a_sign_like_others() -> None:
    """`quote: null` for systems that know no quoting."""
    (row,) = lines(b'1\t"x\n', Writing(delimiter="\t", quote=None, names=["id", "who"]))
    assert row.row == {"id": "1", "who": '"x'}


def test_plain_text_is_one_field_a_line() -> None:
    """Delimiters and quotes are signs like others."""
    found = lines('A1 "申请, 受理\n\nA2\n'.encode(), Writing())
    assert [one.row for one in found] == [{"line": 'A1 "申请, 受理'}, {"line": "A2"}]


def rows(folder: Path, source: str, *values: bytes, mapping: str = MAPPING) -> list[Any]:
    """What a connector reads of these values."""
    cluster = Cluster()
    cluster.create([Topic("feed", "any", partitions=1)])
    cluster.publish(Message("feed", 0, None, value, 0) for value in values)
    part = connector(folder, f"kind: kafka\nsource: {{topic: feed, {source}}}\n", mapping).parts[""]
    opened = part.open(folder, "dep.yaml", cluster)
    return [record for batch in opened.fetch(None, 10) for record in batch.records]


def test_a_topic_of_each_form_gives_rows(tmp_path: Path) -> None:
    """By the very settings a mapping has; nested fields are reached in Avro, as in JSON."""
    (tmp_path / "step.avsc").write_text(TEXT, "utf-8")
    nested = MAPPING.replace("who: {}", "who: {from: clerk.name}").replace("case_no: {", "case_no: {from: id, ")
    (row,) = rows(tmp_path, "value: avro, schemas: [step.avsc]", single(body()), mapping=nested)
    assert row.row == ROW
    (row,) = rows(tmp_path, "value: csv, names: [id, case_no, at, who]", b"1,A,2025-06-01 09:00:00,x\n")
    assert row.row["case_no"] == "A"
    (row,) = rows(tmp_path, "value: text", b"A1", mapping=ONE_FIELD)
    assert row.row == {"line": "A1"}


def test_json_may_have_a_registrys_id_before_it(tmp_path: Path) -> None:
    """As serializers with a JSON Schema write it."""
    (row,) = rows(tmp_path, "value: json", b"\x00\x00\x00\x00\x09" + b'{"id": 1}')
    assert row.row == {"id": 1}


def test_a_schema_file_is_read_again_when_it_changed(file: Path) -> None:
    """And only then: a source is opened for each look."""
    AvroReader([file], None, "dep.yaml")
    older = file.stat().st_mtime_ns
    file.write_text(TEXT.replace("clerk", "agent"), "utf-8")
    os.utime(file, ns=(older + 1, older + 1))
    with pytest.raises(Refusal, match="unknown_schema"):
        AvroReader([file], None, "dep.yaml").read(single(body()))


def test_debeziums_envelopes_come_in_avro_too(tmp_path: Path) -> None:
    """As its converter for a registry writes them."""
    inner = json.loads(TEXT)
    branches = ["null", inner]
    fields = [{"name": "before", "type": branches}, {"name": "after", "type": ["null", "Step"]}, {"name": "op", "type": "string"}]
    envelope = {"type": "record", "name": "Envelope", "fields": fields}
    stream = io.BytesIO()
    schemaless_writer(stream, parse_schema(envelope, named_schemas={}), {"before": None, "after": ROW, "op": "c"})
    (tmp_path / "envelope.avsc").write_text(json.dumps(envelope), "utf-8")
    (row,) = rows(tmp_path, "value: debezium, schemas: {17: envelope.avsc}", confluent(17, stream.getvalue()))
    assert (row.row["id"], row.row[".."]["op"]) == (7, "c")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("value: avro", "need registry:, the address of their registry, or schemas:"),
        ("names: [a]", "names: says nothing about values in json"),
        ("value: text, delimiter: ';', quote: null", "delimiter:, quote: says nothing about values in text"),
        ("value: csv, record: a.b", "record: says nothing about values in csv"),
        ("value: csv, encoding: klingon", "no encoding"),
    ],
)
def test_settings_that_cannot_be_meant_are_told(tmp_path: Path, source: str, said: str) -> None:
    """With the file and the line, when the mapping is loaded."""
    path = deployment(tmp_path, f"kind: kafka\nsource: {{topic: feed, {source}}}\n{MAPPING}")
    with pytest.raises(ProblemsError, match=said):
        read(path)


def test_names_without_a_field_that_the_mapping_reads_stop_the_connector(tmp_path: Path) -> None:
    """It would refuse every row."""
    with pytest.raises(ConfigurationError, match=r"values in csv have id, at, not case_no, who\. Correct from:"):
        rows(tmp_path, "value: csv, names: [id, at]", b"1,2\n")
