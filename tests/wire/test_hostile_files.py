"""Files made to harm, by malice or by accident: each ends in a sentence, in bounded memory, and keeps no neighbour back."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from connector_world import MAPPING, connector, drop, good, reasons, records, rows, translated

from bus.errors import ConfigurationError
from connectors.formats import folder, markup
from connectors.mapping import Rejection
from schemas.problem import ProblemsError

MIB = 1 << 20
JSONL = "kind: files\nsource: {path: drop/rows.jsonl, format: jsonl}\n"
XML = "kind: files\nsource: {path: drop/rows.xml, format: xml, record: row}\n"
ROWS = (
    MAPPING.replace("id: {", 'id: {from: "@id", ')
    .replace("case_no: {", 'case_no: {from: "@case", ')
    .replace("at: {", 'at: {from: "@at", ')
)
PACKED = 'kind: files\nsource: {path: "drop/*", format: csv%s}\n'


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a second."""
    monkeypatch.setattr(folder, "SETTLE", 0.0)


@pytest.fixture
def memory() -> Iterator[None]:
    """What a test takes at most, beside what is there: 24 MiB."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 24 * MIB


def csv(more: str) -> str:
    return f"kind: files\nsource: {{path: drop/rows.csv, format: csv, {more}}}\n"


def line(number: str, **more: str) -> str:
    extra = "".join(f', "{name}": {value}' for name, value in more.items())
    return f'{{"id": {number}, "case_no": "C1", "at": "2025-06-01 09:00:00"{extra}}}\n'


def refused(found: object) -> str:
    assert isinstance(found, Rejection)
    return found.text


# rows


def test_a_row_of_200_mb_is_skipped(tmp_path: Path, memory: None) -> None:
    """Zeros that a crashed disk left; the row behind them is read."""
    path = drop(tmp_path, rows(good(1)))
    with path.open("r+b") as file:
        file.truncate(200 * MIB)
        file.seek(0, 2)
        file.write(b"\n" + good(2).encode() + b"\n")
    assert reasons(connector(tmp_path)) == ["Accepted", "row_too_long", "Accepted"]


def test_a_quote_over_the_whole_file_costs_one_row(tmp_path: Path) -> None:
    """However long the file is, the search for its end stops at the longest row."""
    lines = [good(number) for number in range(40_000)]
    drop(tmp_path, rows('0,C0,2025-06-01 09:00:00,"open', *lines))
    begun = time.process_time()
    found = records(connector(tmp_path), limit=5000)
    assert time.process_time() - begun < 5
    assert [one.fault and one.fault.reason for one in found[:2]] == ["broken_row", None]
    assert len(found) == 40_001


def test_a_long_cell_in_quotes_is_read(tmp_path: Path) -> None:
    """The library's own limit is 128 KiB; ours is longest_row."""
    drop(tmp_path, rows('1,C1,2025-06-01 09:00:00,"' + "长" * 200_000 + '"', good(2)))
    assert [len(one.row["who"]) for one in records(connector(tmp_path))] == [200_000, 2]


def test_a_nul_byte_refuses_its_row_with_its_column(tmp_path: Path) -> None:
    """No database takes one, and most often it says that the encoding is another."""
    drop(tmp_path, rows("1,C1,2025-06-01 09:00:00,a\0b", good(2)))
    first, second = translated(connector(tmp_path))
    assert "a NUL byte at column 27" in refused(first)
    assert not isinstance(second, Rejection)


def test_a_file_in_utf16_that_says_utf8_is_told(tmp_path: Path) -> None:
    """By its byte order mark, not by guessing."""
    drop(tmp_path, rows(good(1)).encode("utf-16"))
    with pytest.raises(
        ConfigurationError, match=r"byte order mark of utf-16, but the mapping says utf-8. Write encoding: utf-16"
    ):
        records(connector(tmp_path))
    drop(tmp_path, rows(good(1)).encode("utf-8-sig"))
    with pytest.raises(ConfigurationError, match="byte order mark of utf-8, but the mapping says gb18030"):
        records(connector(tmp_path, csv("encoding: gb18030")))


def test_wrong_units_of_utf16_refuse_their_row_alone(tmp_path: Path) -> None:
    """Half a surrogate pair in the second of three rows."""
    text = rows(good(1), "2,C2,2025-06-01 09:00:00,X", good(3)).encode("utf-16-le")
    drop(tmp_path, text.replace("X".encode("utf-16-le"), b"\x00\xd8"))
    found = translated(connector(tmp_path, csv("encoding: utf-16-le")))
    assert [isinstance(one, Rejection) for one in found] == [False, True, False]
    assert "found bytes at column 26, which are not utf-16-le" in refused(found[1])


def test_two_encodings_in_one_file_refuse_the_rows_of_one(tmp_path: Path) -> None:
    """Two programs wrote it: the rows that are as declared go on."""
    mixed = b"".join(good(number).replace("u", "张").encode("utf-8" if number % 2 else "gb18030") + b"\n" for number in range(4))
    drop(tmp_path, b"id,case_no,at,who\n" + mixed)
    assert reasons(connector(tmp_path)) == ["unreadable_text", "Accepted"] * 2


# JSON


def test_json_nested_a_hundred_thousand_deep_refuses_its_line_alone(tmp_path: Path) -> None:
    """Neither the parser's stack nor ours."""
    drop(tmp_path, '{"id": ' + "[" * 100_000 + "]" * 100_000 + "}\n" + line("2"), "rows.jsonl")
    assert reasons(connector(tmp_path, JSONL)) == ["broken_line", "Accepted"]


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1e999999999", "9" * 10_000, "0." + "9" * 10_000, "1" + "0" * 5000 + ".5"])
@pytest.mark.parametrize("kind", ["text", "whole", "number", "money"])
def test_numbers_beyond_all_measure_are_refused_where_they_are_used(tmp_path: Path, memory: None, number: str, kind: str) -> None:
    """As any type: neither a gigabyte of zeros nor infinity, and never an error of ours."""
    drop(tmp_path, line("1", who=number) + line("2"), "rows.jsonl")
    mapping = MAPPING.replace("who: {}", f"who: {{type: {kind}}}").replace("actor: who", "activity: text(who)")
    first, second = translated(connector(tmp_path, JSONL, mapping))
    assert isinstance(first, Rejection)
    assert first.reason in ("damaged_number", "unreadable_number", "broken_line")
    assert len(first.text) < 500
    assert not isinstance(second, Rejection)


def test_a_number_beyond_all_measure_that_nobody_uses_is_no_matter(tmp_path: Path) -> None:
    """The row is refused only where the mapping reads it."""
    drop(tmp_path, line("1", other="1e999999999"), "rows.jsonl")
    assert reasons(connector(tmp_path, JSONL)) == ["Accepted"]


def test_a_nul_character_in_json_refuses_its_line(tmp_path: Path) -> None:
    """Written as an escape it is as harmful."""
    drop(tmp_path, line("1", who=r'"a\u0000b"') + line("2", who=r'"a\\u0000b"'), "rows.jsonl")
    assert reasons(connector(tmp_path, JSONL)) == ["broken_line", "Accepted"]


# XML

ROW = '<row id="{0}" case="C{0}" at="2025-06-01 09:00:00"/>'
HEAD = '<?xml version="1.0"?>'
LAUGHS = (
    HEAD
    + '<!DOCTYPE all [<!ENTITY a "lol">'
    + "".join(f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(12))
)


@pytest.mark.parametrize(
    "head",
    [
        LAUGHS + "]>",
        HEAD + '<!DOCTYPE all SYSTEM "file:///etc/passwd">',
        HEAD + '<!DOCTYPE all [<!ENTITY % e SYSTEM "http://127.0.0.1:9/e.dtd"> %e;]>',
    ],
    ids=["a billion laughs", "an external subset", "a parameter entity"],
)
def test_a_document_type_is_refused(tmp_path: Path, memory: None, head: str) -> None:
    """Before anything is expanded or fetched."""
    drop(tmp_path, f"{head}<all>{ROW.format(1)}<row>&m;</row></all>", "rows.xml")
    with pytest.raises(ConfigurationError, match=r"it declares a document type. Send it without <!DOCTYPE>"):
        records(connector(tmp_path, XML, ROWS))


def test_an_inclusion_is_an_element_like_any_other(tmp_path: Path) -> None:
    """Nothing is included: the row has what stands in it, which is nothing."""
    (tmp_path / "secret.xml").write_text("<all>secret</all>")
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file://{tmp_path}/secret.xml" parse="text"/>'
    drop(tmp_path, f"<all>{ROW.format(1).replace('/>', f'>{include}</row>')}</all>", "rows.xml")
    (record,) = records(connector(tmp_path, XML, ROWS.replace("who: {}", 'who: {from: "."}')))
    assert record.row["."] == ""
    assert b"secret</all>" not in record.raw


def test_a_record_without_end_is_refused(tmp_path: Path, memory: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """One record of a million elements must not fill the memory."""
    drop(tmp_path, f"<all>{ROW.format(1)}<row>" + "<x>1</x>" * 200_000 + "</row></all>", "rows.xml")
    with pytest.raises(ConfigurationError, match="the record in line 1 has more than 100,000 elements"):
        records(connector(tmp_path, XML, ROWS))
    assert markup.MOST == 100_000


def test_elements_nested_a_hundred_thousand_deep_end_the_file(tmp_path: Path, memory: None) -> None:
    """What stood before them counts."""
    drop(tmp_path, f"<all>{ROW.format(1)}<row>" + "<x>" * 100_000, "rows.xml")
    assert reasons(connector(tmp_path, XML, ROWS)) == ["Accepted", "broken_file"]


# archives and workbooks


def test_what_unpacks_to_ten_gigabytes_is_not_unpacked(tmp_path: Path, memory: None) -> None:
    """By what the list of contents says."""
    path = tmp_path / "drop" / "bomb.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.csv", rows(good(1)))
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(ConfigurationError, match=r"the archive bomb.zip cannot be read: it unpacks to 4,294,967,280 bytes"):
        records(connector(tmp_path, PACKED % ", member: '*.csv'"))


def test_what_gzip_packs_is_read_up_to_the_limit(tmp_path: Path, memory: None) -> None:
    """It does not say beforehand how large it is: unpacking stops."""
    drop(tmp_path, gzip.compress(rows(good(1)).encode()), "a.csv.gz")
    assert [one.position for one in records(connector(tmp_path, PACKED % ""))] == ["a.csv.gz:2"]
    drop(tmp_path, gzip.compress(b"0" * (8 * MIB)), "a.csv.gz")
    with pytest.raises(ConfigurationError, match=r"a.csv.gz cannot be read: it unpacks to more than 4,194,304 bytes"):
        records(connector(tmp_path, PACKED % f", unpacked: {4 * MIB}"))
    drop(tmp_path, gzip.compress(rows(good(1)).encode())[:-9], "a.csv.gz")
    with pytest.raises(ConfigurationError, match=r"a.csv.gz cannot be read: it is not whole .* Send it again, whole"):
        records(connector(tmp_path, PACKED % ""))


def test_an_archive_in_an_archive_is_told(tmp_path: Path) -> None:
    """Nobody knows how deep it goes."""
    path = drop(tmp_path, b"", "a.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("b.csv", rows(good(1)))
        archive.writestr("deep/inner.zip", b"PK")
    with pytest.raises(ConfigurationError, match=r"it holds another archive, deep/inner.zip. Send that one by itself"):
        records(connector(tmp_path, PACKED % ""))
    assert len(records(connector(tmp_path, PACKED % ", member: '*.csv'"))) == 1


def test_a_workbook_with_too_many_texts_is_refused_unread(tmp_path: Path, memory: None) -> None:
    """Its texts stand in one part, which is read whole: that one is bounded by itself."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(("id", "case_no", "at", "who"))
    path = drop(tmp_path, b"", "rows.xlsx")
    book.save(path)
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "new", "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
        new.writestr("xl/media/noise.bin", bytes(range(256)) * 4096, zipfile.ZIP_STORED)
        with new.open("xl/sharedStrings.xml", "w") as part:
            for _ in range(129):
                part.write(b" " * MIB)
    path.write_bytes((tmp_path / "new").read_bytes())
    with pytest.raises(ConfigurationError, match=r"its texts unpack to 13\d,\d+,\d+ bytes"):
        records(connector(tmp_path, "kind: files\nsource: {path: drop/rows.xlsx, format: xlsx}\n"))


# names


@pytest.mark.parametrize("path", ["drop/*/../../secret.csv", "drop/**/../*.csv"])
def test_a_pattern_that_climbs_out_is_refused(tmp_path: Path, path: str) -> None:
    """With the line of the mapping."""
    with pytest.raises(ProblemsError, match=r"dep.yaml:2: .*a pattern must stay in its folder"):
        connector(tmp_path, f'kind: files\nsource: {{path: "{path}", format: csv}}\n')


def test_links_in_circles_end(tmp_path: Path) -> None:
    """A link to a folder is not followed."""
    drop(tmp_path, rows(good(1)), "a/rows.csv")
    (tmp_path / "drop" / "a" / "again").symlink_to(tmp_path / "drop")
    (tmp_path / "drop" / "loop.csv").symlink_to(tmp_path / "drop" / "loop.csv")
    assert len(records(connector(tmp_path, 'kind: files\nsource: {path: "drop/**/*.csv", format: csv}\n'))) == 1


@pytest.mark.parametrize("kind", ["whole", "number", "money", "time", "list", "bool"])
@pytest.mark.parametrize(
    "cell", ["9" * 10_000, "1e999999999", "-" + "0" * 10_000 + "1", "０" * 5_000, "nan", "\u0663" * 30, "9" * 30 + "-01-01"]
)
def test_cells_beyond_all_measure_never_end_the_connector(tmp_path: Path, memory: None, cell: str, kind: str) -> None:
    """Whatever type the mapping says: read, or refused with a sentence."""
    drop(tmp_path, rows(f"1,C1,2025-06-01 09:00:00,{cell}", good(2).replace(",u2", ",1")))
    mapping = MAPPING.replace("who: {}", f"who: {{type: {kind}}}").replace("actor: who", "activity: text(who)")
    first = translated(connector(tmp_path, mapping=mapping))[0]
    if isinstance(first, Rejection):
        assert len(first.text) < 500
