"""A first look at a topic and at a body: what it takes them for, what it says it guessed, and what it cannot read."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from connector_world import NOW, deployment, drop, translated
from fastavro import parse_schema, schemaless_writer

from bus.errors import ConfigurationError
from bus.memory import Cluster
from bus.ports import Message
from bus.topics import Topic
from connectors.config import Connector, read
from connectors.integrate import bodies, guess, look, preview, topics
from connectors.integrate.look import Seen
from schemas.contract import contract

ROWS = [
    {"id": n, "case": {"no": f"C{n // 2:04}"}, "state": ["submitted", "granted"][n % 2], "at": f"2025-06-0{n + 1}T09:00:00Z"}
    for n in range(6)
]


def cluster(*values: bytes) -> Cluster:
    made = Cluster()
    made.create([Topic("feed", "any", partitions=1)])
    made.publish(Message("feed", 0, None, value, 0) for value in values)
    return made


def encoded(*values: Any) -> list[bytes]:
    return [json.dumps(value, ensure_ascii=False).encode() for value in values]


def seen(folder: Path, *values: bytes, schema: str | None = None) -> Seen:
    return topics.look({"topic": "feed"}, schema, cluster(*values), folder)


def drafted(folder: Path, found: Seen) -> Connector:
    return read(deployment(folder, guess.draft(found, "dep", "Asia/Shanghai")))


def types(folder: Path, found: Seen, *values: bytes) -> list[str]:
    """What the drafted mapping makes of the records."""
    shown = [preview.as_dict(one) for one in preview.rows(drafted(folder, found), 100, NOW, cluster(*values))]
    return [one["gives"][0]["type"] if "gives" in one else one["refused"]["reason"] for one in shown]


def test_json_with_a_spoilt_record(tmp_path: Path) -> None:
    """Most records decide; nested fields are named by their ways."""
    values = [b"not JSON", *encoded(*ROWS)]
    found = seen(tmp_path, *values)
    assert found.source == {"topic": "feed", "value": "json"}
    assert seen(tmp_path, *(b"\x00\x00\x00\x00\x09" + value for value in encoded(*ROWS))).source == found.source
    assert list(found.fields) == ["id", "case.no", "state", "at"]
    assert types(tmp_path, found, *values) == ["broken_line", *["Applied", "Decided"] * 3]


def test_of_several_codes_the_state_counts(tmp_path: Path) -> None:
    """Numbers of steps repeat too, and their column may stand before."""
    values = encoded(*({"step": n // 2, **row} for n, row in enumerate(ROWS)))
    assert types(tmp_path, seen(tmp_path, *values), *values) == ["Applied", "Decided"] * 3


def test_json_with_its_rows_in_a_list(tmp_path: Path) -> None:
    """The list that holds most is the record; what is around it stays in reach."""
    values = encoded(*({"no": f"C{n:04}", "steps": ROWS} for n in range(2)))
    found = seen(tmp_path, *values)
    assert (found.source["record"], found.guessed["record"]) == ("steps", "the list that holds most objects")
    assert "../no" in found.fields
    assert len(types(tmp_path, found, *values)) == 12


def test_debeziums_envelopes(tmp_path: Path) -> None:
    """The rows are inside; times count on the source's own clock; what happened and the true table are offered, not guessed."""
    micros = 1_748_740_839_000_000
    rows = [{"id": n, "case_no": f"C{n // 2:04}", "state": ["submitted", "granted"][n % 2], "at": micros + n} for n in range(6)]
    values = encoded(*({"before": None, "after": row, "op": "c", "source": {"table": "办件"}} for row in rows))
    found = seen(tmp_path, *values)
    assert (found.source["value"], found.guessed["value"]) == ("debezium", "its values are envelopes of changes")
    text = guess.draft(found, "dep", "Asia/Shanghai")
    assert 'formats: "clock_us"' in text
    assert '# not used yet: {from: "../source.table"}' in text
    assert types(tmp_path, found, *values) == ["Applied", "Decided"] * 3


def test_avro_by_a_schema_file(tmp_path: Path) -> None:
    """Without its schema it is told what to name."""
    fields = [{"name": name, "type": "string"} for name in ("id", "case_no", "state", "at")]
    text = json.dumps({"type": "record", "name": "Step", "fields": fields})
    (tmp_path / "step.avsc").write_text(text, "utf-8")
    values = []
    for row in ROWS:
        stream = io.BytesIO()
        plain = {"id": str(row["id"]), "case_no": row["case"]["no"], "state": row["state"], "at": row["at"]}  # type: ignore[index]
        schemaless_writer(stream, parse_schema(json.loads(text), named_schemas={}), plain)
        values.append(b"\xc3\x01" + contract(text).fingerprint + stream.getvalue())
    found = seen(tmp_path, *values, schema="step.avsc")
    assert found.source == {"topic": "feed", "value": "avro", "schemas": ["step.avsc"]}
    assert types(tmp_path, found, *values) == ["Applied", "Decided"] * 3
    with pytest.raises(ConfigurationError, match=r"holds Avro in single-object encoding\. Name the .* --schema"):
        seen(tmp_path, *values)
    with pytest.raises(ConfigurationError, match=r"holds Avro of the registry's schemas 7\."):
        seen(tmp_path, b"\x00\x00\x00\x00\x07abc")
    with pytest.raises(ConfigurationError, match=r"No record of feed can be read: found Avro of an unknown schema"):
        seen(tmp_path, b"\xc3\x01" + bytes(8), schema="step.avsc")


def test_lines_of_csv_with_and_without_a_heading(tmp_path: Path) -> None:
    """A line that every record begins with is the heading; else the columns have numbers, and the guess says that."""
    lines = [f"{n};C{n // 2:04};{'受理' if n % 2 else '申请'};2025-06-0{n + 1} 09:00:00" for n in range(6)]
    headed = [f"编号;办件编号;状态;时间\n{line}\n".encode("gb18030") for line in lines]
    found = seen(tmp_path, *headed)
    assert found.source == {"topic": "feed", "value": "csv", "encoding": "gb18030", "delimiter": ";"}
    assert types(tmp_path, found, *headed) == ["Applied", "Accepted"] * 3
    bare = [line.encode() for line in lines]
    found = seen(tmp_path, *bare)
    assert found.source["names"] == ["column1", "column2", "column3", "column4"]
    assert "ask the department" in found.guessed["names"]
    assert types(tmp_path, found, *bare) == ["Applied", "Accepted"] * 3


def test_plain_text_is_a_line(tmp_path: Path) -> None:
    """The draft can be loaded and says that it knows nothing; bytes that are no text are not taken for it."""
    found = seen(tmp_path, b"A1 2025-06-01", b"A2 2025-06-02")
    assert (found.source["value"], list(found.fields)) == ("text", ["line"])
    assert drafted(tmp_path, found).name == "dep"
    with pytest.raises(ConfigurationError, match="neither JSON nor Avro nor text"):
        seen(tmp_path, b"\xff\xff\xff\xff")


def test_a_topic_with_nothing_in_it_is_told(tmp_path: Path) -> None:
    """Before a file is written."""
    with pytest.raises(ConfigurationError, match="The topic feed holds no records to guess by"):
        seen(tmp_path)
    with pytest.raises(ConfigurationError, match=r"other.* Correct --from, or name the topic's cluster: --brokers\."):
        topics.look({"topic": "other"}, None, cluster(), tmp_path)


@pytest.mark.parametrize(
    ("value", "record"),
    [(ROWS, None), ({"rows": ROWS}, "rows"), (ROWS[0], None), ([{**one, "papers": ROWS} for one in ROWS], None)],
)
def test_a_body_of_any_shape(tmp_path: Path, value: Any, record: str | None) -> None:
    """A row, a list of rows, rows inside: the draft reads them all as a call would give them."""
    body = json.dumps(value).encode()
    (tmp_path / "body.json").write_bytes(body)
    found = bodies.seen("body.json", "dep", tmp_path)
    assert found.source.get("record") == record
    shown = [preview.as_dict(one) for one in preview.of_body(drafted(tmp_path, found), body, 100, NOW)]
    assert len(shown) == (1 if value is ROWS[0] else 6)
    assert all("gives" in one for one in shown)


def test_a_body_that_nobody_could_send(tmp_path: Path) -> None:
    """Not JSON, not there, or not for this kind: a sentence."""
    (tmp_path / "bad.json").write_text("{", "utf-8")
    with pytest.raises(ConfigurationError, match=r"bad\.json is no JSON"):
        bodies.seen("bad.json", "dep", tmp_path)
    with pytest.raises(ConfigurationError, match=r"none\.json cannot be read"):
        bodies.seen("none.json", "dep", tmp_path)
    (tmp_path / "body.json").write_text(json.dumps(ROWS), "utf-8")
    found = drafted(tmp_path, bodies.seen("body.json", "dep", tmp_path))
    with pytest.raises(ConfigurationError, match="This body would be sent back: found a body that is no JSON"):
        list(preview.of_body(found, b"{", 10, NOW))
    with pytest.raises(ConfigurationError, match="dep is called by its department"):
        list(preview.rows(found, 10, NOW))


def of_file(folder: Path, text: str) -> list[Any]:
    """What the drafted mapping makes of a file's rows."""
    drop(folder, text, "rows.csv")
    return translated(drafted(folder, look.file("drop/rows.csv", folder)))


def test_a_ledger_with_a_row_for_each_case_gives_an_event_for_each_time(tmp_path: Path) -> None:
    """受理时间 is the time of an acceptance; a step without a time has not been taken; the result's words tell refusals."""
    text = (
        "办件编号,事项名称,申请人,收件时间,受理时间,办结时间,办理结果\n"
        "C-1001,食品许可,张三,2025/3/1 上午 9:30,2025/3/2 下午 2:00,2025/3/9,准予\n"
        "C-1002,食品许可,李四,2025/3/1 上午 10:30,2025/3/3 上午 9:00,2025-3-8,不予许可\n"
        "C-1003,食品许可,王五,2025/3/4 上午 8:10,,,\n"
    )
    found = of_file(tmp_path, text)
    assert [[(event.type, event.body.get("result")) for event in events] for events in found] == [
        [("Applied", None), ("Accepted", None), ("Decided", "GRANTED")],
        [("Applied", None), ("Accepted", None), ("Decided", "REFUSED")],
        [("Applied", None)],
    ]
    assert [event.header["occurred_at"]["at"] for event in found[1]] == [
        *(1_740_796_200_000_000, 1_740_963_600_000_000, 1_741_363_200_000_000)
    ]


def test_times_that_stand_in_each_of_a_cases_steps_make_no_ledger(tmp_path: Path) -> None:
    """There a row is a step, whatever its columns are called."""
    rows = ("C-1001,收件,2025/3/1,2025/3/9", "C-1001,受理,2025/3/1,2025/3/9", "C-1002,收件,2025/3/2,2025/3/9")
    text = "\n".join(("办件编号,环节,受理时间,办结时间", *rows, ""))
    assert [[event.type for event in events] for events in of_file(tmp_path, text)] == [["Applied"], ["Accepted"], ["Applied"]]
