"""XLSX and XML: what spreadsheets do to values, and what hostile files try."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from connector_world import MAPPING, connector, drop, reasons, records, translated
from openpyxl.utils.datetime import CALENDAR_MAC_1904 as MAC
from openpyxl.utils.datetime import CALENDAR_WINDOWS_1900 as WINDOWS
from openpyxl.worksheet.formula import ArrayFormula

from bus.errors import ConfigurationError
from connectors.formats import merged
from connectors.formats.markup import Markup, MarkupSettings
from connectors.mapping import Rejection
from connectors.source import Context

MORNING = datetime.fromisoformat("2025-06-01T09:00:00")
XLSX = "kind: files\nsource: {path: drop/rows.xlsx, format: xlsx}\n"
TIMES = MAPPING.replace('["%Y-%m-%d %H:%M:%S", iso]', '["%Y-%m-%d %H:%M:%S", excel], precision: SECOND')


def workbook(folder: Path, *lines: tuple[Any, ...], header: tuple[Any, ...] = ("id", "case_no", "at", "who")) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (header, *lines):
        sheet.append(line)
    path = drop(folder, b"", "rows.xlsx")
    book.save(path)
    return path


def test_times_come_as_cells_as_text_and_as_serial_numbers(tmp_path: Path) -> None:
    """All three say the same second."""
    moment = datetime.fromisoformat("2010-11-19T10:33:50")
    workbook(
        tmp_path,
        ("1", "C1", moment, "u"),
        ("2", "C2", "2010-11-19 10:33:50", "u"),
        ("3", "C3", "40501.440162037", "u"),
        ("4", "C4", 40501.440162037, "u"),
    )
    found = translated(connector(tmp_path, XLSX, TIMES))
    times = {events[0].occurred_at for events in found if not isinstance(events, Rejection)}
    assert len(found) == 4
    assert times == {1_290_134_030_000_000}


@pytest.mark.parametrize(("epoch", "right", "wrong"), [(WINDOWS, "excel", "excel_1904"), (MAC, "excel_1904", "excel")])
def test_a_workbook_says_from_when_its_days_count(tmp_path: Path, epoch: datetime, right: str, wrong: str) -> None:
    """A day's number is read by that, and by nothing else: it would be four years off and look like a date."""
    path = workbook(tmp_path, ("1", "C1", MORNING, "u"), ("2", "C2", (MORNING - epoch).total_seconds() / 86_400, "u"))
    book = openpyxl.load_workbook(path)
    book.epoch = epoch
    book.save(path)
    found = translated(connector(tmp_path, XLSX, TIMES.replace("excel]", f"{right}]")))
    assert {event.occurred_at for events in found for event in events} == {1_748_739_600_000_000}
    with pytest.raises(ConfigurationError, match=rf"the column at is read as {wrong}\. Write formats: {right}\."):
        translated(connector(tmp_path, XLSX, TIMES.replace("excel]", f"{wrong}]")))


def test_a_number_that_lost_digits_is_refused_where_it_is_used(tmp_path: Path) -> None:
    """A spreadsheet keeps 15 digits; a longer case number as a number is another case's number."""
    moment = MORNING
    workbook(tmp_path, (1, 9901002010110100001, moment, "u"), (2, 990100201011010, moment, 12345678901234567890))
    assert reasons(connector(tmp_path, XLSX, TIMES)) == ["damaged_number", "damaged_number"]
    without = TIMES.replace("  who: {}\n", "").replace(", actor: who", "")
    assert reasons(connector(tmp_path, XLSX, without)) == ["damaged_number", "Accepted"]


def test_whole_numbers_are_read_as_written(tmp_path: Path) -> None:
    """12 in a number cell is '12', not '12.0'."""
    workbook(tmp_path, (12.0, 34, MORNING, "u"))
    (events,) = translated(connector(tmp_path, XLSX, TIMES))
    assert not isinstance(events, Rejection)
    assert (events[0].case, events[0].header["source"]["key"]) == ("case:34", "12")


def test_formulas_count_by_their_stored_value_and_errors_are_refused(tmp_path: Path) -> None:
    """A formula nobody ever computed has no value; #REF! is none either."""
    moment = MORNING
    workbook(tmp_path, ("1", "=A1&B1", moment, "u"), ("2", "#REF!", moment, "u"), ("3", "C3", moment, "u"))
    found = translated(connector(tmp_path, XLSX, TIMES))
    assert [isinstance(one, Rejection) and one.reason for one in found] == ["formula_without_value", "error_in_cell", False]
    assert isinstance(found[0], Rejection)
    assert "=A1&B1" in found[0].text


def test_a_formula_over_several_cells_has_no_value_either(tmp_path: Path) -> None:
    """The library gives it as an object of its own: its cell counted as empty."""
    workbook(tmp_path, ("1", ArrayFormula("B2", "=A1:A2"), MORNING, "u"))
    (found,) = translated(connector(tmp_path, XLSX, TIMES))
    assert isinstance(found, Rejection)
    assert (found.reason, "=A1:A2" in found.text) == ("formula_without_value", True)


def test_a_sheet_is_found_by_name_or_number_and_otherwise_told(tmp_path: Path) -> None:
    """The message names the sheets there are."""
    path = workbook(tmp_path, ("1", "C1", MORNING, "u"))
    book = openpyxl.load_workbook(path)
    book.create_sheet("代码")
    book.save(path)
    assert reasons(connector(tmp_path, XLSX.replace("xlsx}", "xlsx, sheet: Sheet}"), TIMES)) == ["Accepted"]
    with pytest.raises(ConfigurationError, match="it has no sheet 明细; it has Sheet, 代码"):
        records(connector(tmp_path, XLSX.replace("xlsx}", "xlsx, sheet: 明细}"), TIMES))


def test_an_appended_sheet_continues_and_a_changed_one_starts_again(tmp_path: Path) -> None:
    """The whole file is another one each time; the rows tell what is new."""
    line = ("1", "C1", "2025-06-01 09:00:00", "u")
    workbook(tmp_path, line)
    found = connector(tmp_path, XLSX, TIMES)
    (batch,) = found.open().fetch(None, 10)
    workbook(tmp_path, line, ("2", "C2", "2025-06-01 09:00:00", "u"))
    (more,) = found.open().fetch(batch.position, 10)
    assert [one.row["id"] for one in more.records] == ["2"]
    workbook(tmp_path, ("1", "C9", "2025-06-01 09:00:00", "u"))
    (again,) = found.open().fetch(more.position, 10)
    assert [one.row["case_no"] for one in again.records] == ["C9"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no zip at all", "it is no workbook"),
        (None, "declares a document type"),
    ],
)
def test_what_is_no_honest_workbook_is_told(tmp_path: Path, content: bytes | None, said: str) -> None:
    """Neither a password-protected file nor an entity bomb inside the archive gets as far as a parser."""
    path = workbook(tmp_path, ("1", "C1", "2025-06-01 09:00:00", "u"))
    if content is not None:
        path.write_bytes(content)
    else:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("xl/evil.xml", '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>')
    with pytest.raises(ConfigurationError, match=said):
        records(connector(tmp_path, XLSX, TIMES))


def test_a_workbook_that_unpacks_to_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    """A zip bomb is known by its own list of contents."""
    path = workbook(tmp_path, ("1", "C1", "2025-06-01 09:00:00", "u"))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", b"\0" * (40 << 20))
    with pytest.raises(ConfigurationError, match="it unpacks to"):
        records(connector(tmp_path, XLSX, TIMES))


# XML

XML = """
kind: files
source: {path: drop/rows.xml, format: xml, record: case/step, namespace: urn:x}
"""
STEPS = """
zone: Asia/Shanghai
columns:
  id: {from: "@no", required: true}
  case_no: {from: ../@number, clean: key, required: true}
  at: {from: time, type: time, required: true}
  who: {from: clerk/name}
  office: {from: ../../@office}
key: id
case: case_no
header: {occurred_at: at, actor: who, activity: office}
events:
  - {type: Accepted}
"""
STEP = '<step no="{0}"><time>2025-06-01T09:00:00+08:00</time><clerk><name>u{0}</name></clerk></step>'


def markup(*cases: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> str:
    return f'{head}\n<all xmlns="urn:x" office="O1">\n{"".join(cases)}\n</all>\n'


def case(number: str, *steps: int) -> str:
    return f'<case number="{number}">{"".join(STEP.format(step) for step in steps)}</case>\n'


def test_nested_steps_know_their_case_and_root(tmp_path: Path) -> None:
    """Attributes and elements of the record, its parents and children."""
    drop(tmp_path, markup(case("C1", 1, 2), "<note/>", case("C2", 3)), "rows.xml")
    found = translated(connector(tmp_path, XML, STEPS))
    events = [one[0] for one in found if not isinstance(one, Rejection)]
    assert [event.case for event in events] == ["case:C1", "case:C1", "case:C2"]
    assert [event.header["actor"] for event in events] == [{"value": "u1"}, {"value": "u2"}, {"value": "u3"}]
    assert {event.header["activity"] for event in events} == {"O1"}


def test_a_document_of_another_namespace_is_no_empty_one(tmp_path: Path) -> None:
    """It would count as read, and its rows would never come. An envelope without records is an honest file."""
    drop(tmp_path, markup(case("C1", 1)).replace("urn:x", "urn:y"), "rows.xml")
    with pytest.raises(ConfigurationError, match=r"case is of the namespace urn:y.*namespace: in the mapping"):
        translated(connector(tmp_path, XML, STEPS))
    drop(tmp_path, markup("<note/>"), "rows.xml")
    assert translated(connector(tmp_path, XML, STEPS)) == []


def test_the_raw_record_keeps_its_parents_attributes(tmp_path: Path) -> None:
    """Without the case's number a dead letter could not be understood."""
    drop(tmp_path, markup(case("", 1)), "rows.xml")
    (rejection,) = translated(connector(tmp_path, XML, STEPS))
    assert isinstance(rejection, Rejection)
    assert rejection.reason == "missing_case"
    assert b'number=""' in rejection.raw
    assert b'no="1"' in rejection.raw


def test_gb18030_markup_is_read(tmp_path: Path) -> None:
    """The declaration in the file counts."""
    text = markup(case("C1", 1).replace("u1", "陈㭎"), head='<?xml version="1.0" encoding="GB18030"?>')
    drop(tmp_path, text.encode("gb18030"), "rows.xml")
    (events,) = translated(connector(tmp_path, XML, STEPS))
    assert not isinstance(events, Rejection)
    assert events[0].header["actor"] == {"value": "陈㭎"}


def test_broken_markup_gives_what_stood_before_it_and_one_rejection(tmp_path: Path) -> None:
    """Cut in the middle: the position is behind the fault, so the next run does not repeat it."""
    drop(tmp_path, markup(case("C1", 1, 2))[:-12], "rows.xml")
    found = connector(tmp_path, XML, STEPS)
    assert reasons(found) == ["Accepted", "Accepted", "broken_file"]
    *_, last = found.open().fetch(None, 10)
    assert list(found.open().fetch(last.position, 10)) == []


BOMB = (
    '<!DOCTYPE all [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)
OUTSIDE = '<!DOCTYPE all [<!ENTITY secret SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("doctype", [BOMB, OUTSIDE, '<!DOCTYPE all SYSTEM "http://127.0.0.1:9/x.dtd">'])
def test_a_document_type_is_refused_before_anything_is_expanded(tmp_path: Path, doctype: str) -> None:
    """Bombs and files from outside never reach a value."""
    body = case("C1", 1).replace("u1", "&c;" if "ENTITY c" in doctype else "&secret;" if "secret" in doctype else "u")
    drop(tmp_path, markup(body, head='<?xml version="1.0"?>' + doctype), "rows.xml")
    with pytest.raises(ConfigurationError, match="it declares a document type"):
        records(connector(tmp_path, XML, STEPS))


def test_an_appended_document_continues(tmp_path: Path) -> None:
    """The end tag moved: the records tell what is new."""
    drop(tmp_path, markup(case("C1", 1)), "rows.xml")
    found = connector(tmp_path, XML, STEPS)
    (batch,) = found.open().fetch(None, 10)
    drop(tmp_path, markup(case("C1", 1), case("C2", 2)), "rows.xml")
    (more,) = found.open().fetch(batch.position, 10)
    assert [one.row["@no"] for one in more.records] == ["2"]


def test_a_large_document_does_not_stay_in_memory(tmp_path: Path) -> None:
    """What was read is dropped: on the root hangs what the parser has read ahead, however long the file is."""
    path = drop(tmp_path, markup(*(case(f"C{number}", number, number) for number in range(3000))), "rows.xml")
    settings = MarkupSettings(path=str(path), format="xml", record="case/step", namespace="urn:x")
    reader = Markup(path, settings, Context(tmp_path, ["@no"], "test"), None)
    kept = [len(element.getroottree().getroot()) for element in reader._elements()]
    assert len(kept) == 6000
    assert max(kept) < 400


MERGED = "kind: files\nsource: {path: drop/rows.xlsx, format: xlsx, header_row: [1, 2]}\n"


def test_headings_under_merged_titles_carry_both(tmp_path: Path) -> None:
    """Of merged cells only the first holds the title; one merged downwards has no second line."""
    lines = [(None, None, "start", "who", "start", "who"), ("1", "C1", MORNING, "u", MORNING, "v")]
    workbook(tmp_path, *lines, header=("id", "case_no", "asked", None, "taken", None))
    mapping = TIMES.replace("at: {", "at: {from: taken/start, ").replace("who: {}", "who: {from: taken/who}")
    (events,) = translated(connector(tmp_path, MERGED, mapping))
    assert not isinstance(events, Rejection)
    assert events[0].header["actor"] == {"value": "v"}


def test_columns_under_one_heading_can_be_named_in_the_mapping(tmp_path: Path) -> None:
    """Otherwise nobody knows which is meant."""
    workbook(tmp_path, ("1", "C1", MORNING, "u"), header=("id", "case_no", "at", "at"))
    with pytest.raises(ConfigurationError, match="heads 2 columns with at"):
        records(connector(tmp_path, XLSX, TIMES.replace("  who: {}\n", "").replace(", actor: who", "")))
    named = XLSX.replace("xlsx}", "xlsx, names: [id, case_no, at, who]}")
    assert reasons(connector(tmp_path, named, TIMES)) == ["Accepted"]


CASES = """<all><head><office>03</office></head>
<case><no>A1</no><steps><note>n</note><step><id>1</id></step><step><id>2</id></step></steps><who><name>Li</name></who></case>
<log>nothing</log>
<case><no>A2</no><steps><step><id>3</id></step></steps><who><name>Wu</name></who></case>
</all>"""


def test_elements_around_a_record_are_read_wherever_they_stand(tmp_path: Path) -> None:
    """Before it or behind it in its case, and before all cases; one case's are not another's."""
    drop(tmp_path, CASES, "rows.xml")
    mapping = """
    columns:
      {id: {}, no: {from: ../../no}, name: {from: ../../who/name}, note: {from: ../note}, office: {from: ../../../head/office}}
    key: id
    case: no
    header: {occurred_at: "time('2025-01-01', 'iso', 'UTC')"}
    events: [{type: Accepted}]
    """
    source = "kind: files\nsource: {path: drop/rows.xml, format: xml, record: case/steps/step}\n"
    rows = [one.row for one in records(connector(tmp_path, source, mapping))]
    assert [(row["id"], row["../../no"], row["../../who/name"], row["../note"]) for row in rows] == [
        ("1", "A1", "Li", "n"),
        ("2", "A1", "Li", "n"),
        ("3", "A2", "Wu", None),
    ]
    assert {row["../../../head/office"] for row in rows} == {"03"}


def test_what_is_read_around_records_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is held whole; attributes are known with its start and need no room."""
    monkeypatch.setattr("connectors.formats.markup.MOST", 100)
    drop(tmp_path, f"<all><case no='A1'><no>A1</no>{'<step><id>1</id></step>' * 100}</case></all>", "rows.xml")
    mapping = """
    columns: {id: {}, no: {from: %s}}
    key: id
    case: no
    header: {occurred_at: "time('2025-01-01', 'iso', 'UTC')"}
    events: [{type: Accepted}]
    """
    source = "kind: files\nsource: {path: drop/rows.xml, format: xml, record: case/step}\n"
    assert len(records(connector(tmp_path, source, mapping % "../@no"), limit=1000)) == 100
    with pytest.raises(ConfigurationError, match="has more than 100 elements"):
        records(connector(tmp_path, source, mapping % "../no"))


def test_the_value_of_merged_cells_stands_in_each_row_they_go_over(tmp_path: Path) -> None:
    """As people see it; a group whose value is empty takes none of the group above, and blank rows stay blank."""
    path = workbook(
        tmp_path,
        ("1", "C1", MORNING, "u"),
        ("2", None, MORNING, "v"),
        (None, None, None, None),
        ("3", None, MORNING),
        ("4", "C2", MORNING, None),
        ("5", None, MORNING, "w"),
        ("6", None, MORNING, "x"),
    )
    book = openpyxl.load_workbook(path)
    for area in ("B2:B5", "D4:D5", "B6:B7", "D6:D7", "A9:D9"):
        book.active.merge_cells(area)
    book.save(path)
    found = records(connector(tmp_path, XLSX, TIMES))
    assert [(one.row["id"], one.row["case_no"], one.row["who"]) for one in found] == [
        *(("1", "C1", "u"), ("2", "C1", "v"), ("3", "C1", None), ("4", "C2", None), ("5", "C2", None), ("6", None, "x"))
    ]
    assert b"C1" in found[1].raw


def test_a_reference_cut_in_two_is_found_and_too_many_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the reader has of the part at a time."""
    text = b"<sheetData/><mergeCells>" + b"".join(b'<mergeCell ref="A%d:A%d"/>' % (n, n + 1) for n in range(1, 40, 2))
    for look in (40, 41, 57, 1000):
        monkeypatch.setattr(merged, "_LOOK", look)
        assert sorted(merged.ranges(io.BytesIO(text))) == list(range(1, 40, 2))
    monkeypatch.setattr(merged, "MOST", 10)
    with pytest.raises(ValueError, match="more than 10 merged cells"):
        merged.ranges(io.BytesIO(text))
