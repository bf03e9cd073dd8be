"""Files as departments drop them: every form's dirt is refused row by row with a reason, and the other rows go on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from connector_world import MAPPING, NOW, connector, drop, good, reasons, records, rows, translated

from bus.errors import ConfigurationError
from connectors.mapping import Rejection
from schemas.envelope import Event
from schemas.problem import ProblemsError


def csv(extra: str) -> str:
    return f"kind: files\nsource: {{path: drop/rows.csv, format: csv, {extra}}}\n"


def test_wrong_bytes_refuse_their_row_alone_and_say_where(tmp_path: Path) -> None:
    """Strict decoding, with line, column and the bytes; the neighbours are read."""
    text = "id,case_no,at,who\n1,C1,2025-06-01 09:00:00,张三\n2,C2,2025-06-01 09:00:00,李".encode("gb18030")
    drop(tmp_path, text + b"\xff\xff\n3,C3,2025-06-01 09:00:00,\x82\x30\xab\x33\n")
    found = translated(connector(tmp_path, csv("encoding: gb18030")))
    assert isinstance(found[1], Rejection)
    assert found[1].reason == "unreadable_text"
    assert "column 27" in found[1].text
    assert "ff ff" in found[1].text
    assert found[1].position == "rows.csv:3"
    last = found[2]
    assert not isinstance(last, Rejection)
    assert last[0].header["actor"] == {"value": "㙍"}  # four bytes in GB18030


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "big5", "gb18030"])
def test_any_declared_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    """With and without byte order marks, one byte a character or two."""
    drop(tmp_path, rows("1,C1,2025-06-01 09:00:00,王").encode(encoding))
    (events,) = translated(connector(tmp_path, csv(f"encoding: {encoding}")))
    assert not isinstance(events, Rejection)
    assert events[0].header["actor"] == {"value": "王"}


def test_a_byte_order_mark_belongs_to_no_column(tmp_path: Path) -> None:
    """Excel writes one before the first heading."""
    drop(tmp_path, b"\xef\xbb\xbf" + rows(good(1)).encode())
    assert reasons(connector(tmp_path)) == ["Accepted"]


def test_ragged_rows_are_refused_and_short_ones_on_demand_taken(tmp_path: Path) -> None:
    """A lost or added cell shifts all others; some exporters leave empty cells off at the end."""
    drop(tmp_path, rows(good(1), "2,C2,x,2025-06-01 09:00:00,u", "3,C3,2025-06-01 09:00:00"))
    assert reasons(connector(tmp_path)) == ["Accepted", "ragged_row", "ragged_row"]
    assert reasons(connector(tmp_path, csv("short_rows: true"))) == ["Accepted", "ragged_row", "Accepted"]


def test_quoted_cells_may_hold_anything(tmp_path: Path) -> None:
    """Delimiters, quotes and line ends inside quotes; the position is the line where the row begins."""
    drop(tmp_path, rows('1,C1,2025-06-01 09:00:00,"a ""b"", c\nand d"', good(2)))
    found = connector(tmp_path)
    first, second = records(found)
    assert first.row["who"] == 'a "b", c\nand d'
    assert (first.position, second.position) == ("rows.csv:2", "rows.csv:4")
    assert first.raw.count(b"\n") == 2


def test_a_cell_that_is_told_to_be_text_is_that_text(tmp_path: Path) -> None:
    """="0012", bare or quoted once more; what only begins so stays as it is."""
    cells = ('="0012"', '"=""0012"""', '"=""a""""b"""', '=""', "=12", '"="')
    drop(tmp_path, rows(*(f"{cell},C1,2025-06-01 09:00:00,u" for cell in cells)))
    assert [one.row["id"] for one in records(connector(tmp_path))] == ["0012", "0012", 'a"b', "", "=12", "="]


def test_a_quote_that_never_ends_refuses_its_row_alone(tmp_path: Path) -> None:
    """One stray quote must not swallow the rest of the file."""
    drop(tmp_path, rows('1,C1,2025-06-01 09:00:00,"stray', good(2), good(3)))
    assert reasons(connector(tmp_path)) == ["broken_row", "Accepted", "Accepted"]


def test_a_quote_inside_a_cell_is_no_quote(tmp_path: Path) -> None:
    """Only a quote at the start of a cell opens one."""
    drop(tmp_path, rows('1,C1,2025-06-01 09:00:00,5" pipe', good(2)))
    assert reasons(connector(tmp_path)) == ["Accepted", "Accepted"]


def test_title_rows_totals_and_blank_rows_are_no_data(tmp_path: Path) -> None:
    """What people put around a table."""
    drop(tmp_path, "Report\nof 2025\n" + rows(good(1), "", ",,,", "合计,1,,"))
    assert reasons(connector(tmp_path, csv("header_row: 3, totals: 合计"))) == ["Accepted"]


def test_a_file_without_header_has_names_in_the_mapping(tmp_path: Path) -> None:
    """Columns are named where the file does not, with its own delimiter."""
    drop(tmp_path, "1;C1;2025-06-01 09:00:00;u\n")
    source = csv('header_row: null, names: [id, case_no, at, who], delimiter: ";"')
    assert reasons(connector(tmp_path, source)) == ["Accepted"]


def test_a_missing_column_stops_the_file_with_a_sentence(tmp_path: Path) -> None:
    """The whole file would be refused row by row: better said once, to whom it concerns."""
    drop(tmp_path, "id,case,at,who\n" + good(1) + "\n")
    with pytest.raises(ConfigurationError, match=r"connectors/dep.yaml: the file rows.csv .* no column case_no; it has id, case"):
        records(connector(tmp_path))


def test_an_overlong_row_is_refused_and_skipped_in_pieces(tmp_path: Path) -> None:
    """A gigabyte without a line end must not fill the memory; the row behind it is read."""
    drop(tmp_path, rows("1,C1,2025-06-01 09:00:00," + "x" * 5000, good(2)))
    found = translated(connector(tmp_path, csv("longest_row: 1000")))
    assert isinstance(found[0], Rejection)
    assert found[0].reason == "row_too_long"
    assert "longest_row" in found[0].text
    assert len(found[0].raw) <= 4096
    assert not isinstance(found[1], Rejection)


def test_a_growing_file_is_read_to_its_last_whole_line(tmp_path: Path) -> None:
    """A line that is still being written waits for its end."""
    path = drop(tmp_path, rows(good(1)) + good(2)[:10])
    found = connector(tmp_path, csv("growing: true"))
    (batch,) = found.open().fetch(None, 10)
    assert len(batch.records) == 1
    with path.open("a") as file:
        file.write(good(2)[10:] + "\n")
    (rest,) = found.open().fetch(batch.position, 10)
    assert [one.row["id"] for one in rest.records] == ["2"]


def test_a_quoted_cell_of_a_growing_file_waits_for_its_end(tmp_path: Path) -> None:
    """Its second line is still being written; what stands behind it comes in its turn."""
    path = drop(tmp_path, rows(good(1)) + '2,C2,2025-06-01 09:00:00,"two\n')
    found = connector(tmp_path, csv("growing: true"))
    (batch,) = found.open().fetch(None, 10)
    with path.open("a") as file:
        file.write('lines"\n' + good(3) + "\n")
    (rest,) = found.open().fetch(batch.position, 10)
    assert [(one.row["id"], one.row["who"]) for one in rest.records] == [("2", "two\nlines"), ("3", "u3")]


def test_a_quote_that_never_ends_does_not_hold_a_growing_file_up_for_ever(tmp_path: Path) -> None:
    """Beyond `longest_row` it is a stray one, and its row is refused alone, as in a finished file."""
    stray = '2,C2,2025-06-01 09:00:00,"oops'
    drop(tmp_path, rows(good(1), stray, *(good(number) for number in range(3, 40))))
    found = translated(connector(tmp_path, csv("growing: true, longest_row: 200")))
    assert [place for place, one in enumerate(found) if isinstance(one, Rejection)] == [1]
    assert len(found) == 39


@pytest.mark.parametrize("cut", range(1, len(good(2)) + 1))
def test_a_line_that_was_read_before_its_end_is_read_again(tmp_path: Path, cut: int) -> None:
    """A program that writes in blocks pauses within a line: what was read of it is no row, and the rest of it neither."""
    whole = rows(good(1), good(2), good(3))
    end = whole.index(good(2)) + cut
    drop(tmp_path, whole[:end])
    found = connector(tmp_path)
    position = [batch.position for batch in found.open().fetch(None, 100)][-1]
    drop(tmp_path, whole)
    again = [(record.row["id"], record.row["who"], record.sequence) for record in records(found, position)]
    assert again[-2:] == [("2", "u2", 3), ("3", "u3", 4)] if cut < len(good(2)) else again == [("3", "u3", 4)]


def test_an_unfinished_line_of_json_is_read_again_when_it_is_whole(tmp_path: Path) -> None:
    """Neither half of it is JSON: the row would be lost."""
    lines = ['{"id": "1", "case_no": "C1"}', '{"id": "2", "case_no": "C2"}']
    text = "\n".join(lines)
    drop(tmp_path, text[:-9])
    found = connector(tmp_path, "kind: files\nsource: {path: drop/rows.csv, format: jsonl}\n")
    position = [batch.position for batch in found.open().fetch(None, 100)][-1]
    drop(tmp_path, text)
    assert records(found, position)[-1].row == {"id": "2", "case_no": "C2"}


def test_a_changed_beginning_is_read_again_with_the_same_ids(tmp_path: Path) -> None:
    """Someone corrected the file in place: every row comes again, and only the changed one says something else."""
    path = drop(tmp_path, rows(good(1), good(2)))
    found = connector(tmp_path)
    (batch,) = found.open().fetch(None, 10)
    before = translated(found)
    path.write_text(rows(good(1), good(2).replace("u2", "other")))
    again = [found.mapping.translate(record, NOW) for new in found.open().fetch(batch.position, 10) for record in new.records]
    assert [_marks(one)[0] for one in again] == [_marks(one)[0] for one in before]
    assert [_marks(one) == _marks(two) for one, two in zip(again, before, strict=True)] == [True, False]


def _marks(events: list[Event] | Rejection) -> tuple[str, str]:
    assert not isinstance(events, Rejection)
    return events[0].id, events[0].header["body_hash"]


def test_a_touched_file_that_says_the_same_adds_nothing(tmp_path: Path) -> None:
    """Copied again over itself: the digest tells that nothing is new."""
    path = drop(tmp_path, rows(good(1), good(2)))
    found = connector(tmp_path)
    (batch,) = found.open().fetch(None, 10)
    os.utime(path, (1, 1))
    assert list(found.open().fetch(batch.position, 10)) == []


def test_a_folder_of_files_is_read_by_name_and_new_ones_join(tmp_path: Path) -> None:
    """Each file has its own mark."""
    drop(tmp_path, rows(good(2)), "b.csv")
    drop(tmp_path, rows(good(1)), "a.csv")
    found = connector(tmp_path, "kind: files\nsource: {path: drop/*.csv, format: csv}\n")
    *_, last = found.open().fetch(None, 10)
    assert [one.position for one in records(found)] == ["a.csv:2", "b.csv:2"]
    drop(tmp_path, rows(good(3)), "aa.csv")
    (new,) = found.open().fetch(last.position, 10)
    assert [one.position for one in new.records] == ["aa.csv:2"]
    assert json.loads(new.position)["files"].keys() == {"a.csv", "aa.csv", "b.csv"}


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Not a traceback: what to do."""
    with pytest.raises(ConfigurationError, match=r"rows.csv is not there. Put it there, or correct path"):
        records(connector(tmp_path))


def test_an_unknown_encoding_or_format_is_told_with_its_line(tmp_path: Path) -> None:
    """Declared, never guessed."""
    for name in ("gb99999", "hex", "base64", "undefined"):
        with pytest.raises(ProblemsError, match=r"dep.yaml:2: .*encoding.*no encoding"):
            connector(tmp_path, csv(f"encoding: {name}"))
    with pytest.raises(ProblemsError, match=r"dep.yaml:2: there is no file format `dbf`. Write format: and one of csv"):
        connector(tmp_path, "kind: files\nsource: {path: x, format: dbf}\n")


# JSON lines

JSONL = "kind: files\nsource: {path: drop/rows.jsonl, format: jsonl}\n"


def test_a_broken_line_is_refused_alone_with_its_bytes(tmp_path: Path) -> None:
    """Cut, no object, no UTF-8: each with the bytes that came."""
    whole = json.dumps({"id": 1, "case_no": "C1", "at": "2025-06-01 09:00:00", "who": "u"})
    drop(
        tmp_path, b"\n".join([whole.encode(), whole[:30].encode(), b"[1]", b'{"id": "\xff"}', b"", whole.encode()]), "rows.jsonl"
    )
    found = translated(connector(tmp_path, JSONL))
    assert [isinstance(one, Rejection) and one.reason for one in found] == [
        False,
        "broken_line",
        "broken_line",
        "broken_line",
        False,
    ]
    assert isinstance(found[1], Rejection)
    assert found[1].raw == whole[:30].encode() + b"\n"
    assert found[1].position == "rows.jsonl:2"


def test_nested_paths_lists_and_missing_members_are_read(tmp_path: Path) -> None:
    """A path that leads nowhere is nothing, not an error."""
    drop(tmp_path, '{"k": {"id": 1}, "n": [{"c": "C1"}], "t": 1748739600000}\n{"k": 5, "n": []}\n', "rows.jsonl")
    mapping = MAPPING.replace("id: {required: true}", "id: {from: k.id, required: true}")
    mapping = mapping.replace("case_no: {", "case_no: {from: n.0.c, ").replace('["%Y-%m-%d %H:%M:%S", iso]', "epoch_ms, from: t")
    assert reasons(connector(tmp_path, JSONL, mapping)) == ["Accepted", "missing_key"]


def test_numbers_keep_every_digit(tmp_path: Path) -> None:
    """Decimals are exact and integers beyond 64 bits are text: nothing becomes a float on the way."""
    line = '{"id": 123456789012345678901234567890, "case_no": "C1", "at": "2025-06-01 09:00:00", "fee": 12345678901234567.89}\n'
    drop(tmp_path, line, "rows.jsonl")
    mapping = MAPPING.replace("who: {}", "who: {}\n  fee: {type: money}").replace(
        "type: Accepted", "type: FeeCharged, body: {amount: fee}"
    )
    (events,) = translated(connector(tmp_path, JSONL, mapping))
    assert not isinstance(events, Rejection)
    assert events[0].header["source"]["key"] == "123456789012345678901234567890"
    assert events[0].body["amount"] == 1_234_567_890_123_456_789


def test_a_wrapped_record_is_unwrapped(tmp_path: Path) -> None:
    """Some exporters put an envelope around each row."""
    drop(tmp_path, '{"meta": 1, "data": {"id": "1", "case_no": "C1", "at": "2025-06-01 09:00:00"}}\n', "rows.jsonl")
    assert reasons(connector(tmp_path, JSONL.replace("jsonl}", "jsonl, record: data}"))) == ["Accepted"]


LISTS = MAPPING.replace("case_no: {", "case_no: {from: ../no, ").replace("who: {}", "who: {from: ../../office}")
NESTED = "kind: files\nsource: {path: drop/rows.jsonl, format: jsonl, record: case.steps}\n"


def nested(*steps: int, no: str = "C1") -> dict[str, object]:
    return {
        "office": "u",
        "case": {"no": no, "steps": [{"id": str(step), "at": f"2025-06-01 09:00:0{step}"} for step in steps]},
    }


def test_a_line_may_hold_a_list_of_rows_that_know_what_is_around_them(tmp_path: Path) -> None:
    """One line a case with its steps inside, as document stores export them; an empty list is no fault."""
    lines = [nested(1, 2), nested(no="C2"), nested(3, no="C3"), {"case": {"steps": [7]}}, {"case": 1}]
    drop(tmp_path, "\n".join(map(json.dumps, lines)), "rows.jsonl")
    found = connector(tmp_path, NESTED, LISTS)
    assert reasons(found) == ["Accepted"] * 3 + ["broken_line"] * 2
    assert [record.position for record in records(found)][:3] == ["rows.jsonl:1 (1)", "rows.jsonl:1 (2)", "rows.jsonl:3 (1)"]
    events = translated(found)[1]
    assert not isinstance(events, Rejection)
    assert events[0].header["case"] == "case:C1"
    assert events[0].header["actor"] == {"value": "u"}


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_a_batch_may_end_inside_a_line(tmp_path: Path, limit: int) -> None:
    """Whoever comes back with any position reads what is behind it: nothing is lost, nothing comes twice."""
    drop(tmp_path, "\n".join(json.dumps(nested(*steps)) for steps in [(1, 2, 3), (4,), (5, 6)]), "rows.jsonl")
    found = connector(tmp_path, NESTED, LISTS)
    position, seen = None, []
    while batch := next(iter(found.open().fetch(position, limit)), None):
        seen += [record.row["id"] for record in batch.records]
        position = batch.position
    assert seen == list("123456")


def test_a_line_that_changed_behind_the_mark_is_read_again(tmp_path: Path) -> None:
    """The mark stood inside it: what was before the mark may be what changed."""
    drop(tmp_path, json.dumps(nested(1, 2)), "rows.jsonl")
    found = connector(tmp_path, NESTED, LISTS)
    position = next(iter(found.open().fetch(None, 1))).position
    drop(tmp_path, json.dumps(nested(3, 2)), "rows.jsonl")
    assert [record.row["id"] for record in records(found, position)] == ["3", "2"]


def test_a_heading_in_other_width_is_the_same_heading(tmp_path: Path) -> None:
    """办件编号（新） and 办件编号(新) look alike; the mapping may write either."""
    drop(tmp_path, rows(good(1)).replace("who", "经办（人）", 1))
    for name in ("经办（人）", "经办(人)"):
        assert reasons(connector(tmp_path, mapping=MAPPING.replace("who: {}", f"who: {{from: {name}, required: true}}"))) == [
            "Accepted"
        ]


def test_two_columns_under_one_heading_are_told_unless_named_or_unused(tmp_path: Path) -> None:
    """Which of the two is meant nobody can know."""
    drop(tmp_path, rows(good(1)).replace("who", "at", 1))
    with pytest.raises(ConfigurationError, match="heads 2 columns with at"):
        records(connector(tmp_path, mapping=MAPPING.replace("  who: {}\n", "").replace(", actor: who", "")))
    assert reasons(connector(tmp_path, csv("names: [id, case_no, at, who]"))) == ["Accepted"]


def test_a_heading_may_go_on_in_the_next_line(tmp_path: Path) -> None:
    """Spreadsheets break long headings inside their quotes."""
    drop(tmp_path, rows(good(1)).replace("who", '"handled\nby"', 1))
    found = connector(tmp_path, mapping=MAPPING.replace("who: {}", 'who: {from: "handled\\nby", required: true}'))
    assert reasons(found) == ["Accepted"]
    assert [record.position for record in records(found)] == ["rows.csv:3"]
