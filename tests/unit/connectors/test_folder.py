"""Drop folders and archives: what is whole is read once, what is not waits, what must not be read is told."""

from __future__ import annotations

import gzip
import json
import os
import time
import zipfile
from pathlib import Path

import openpyxl
import pytest
from connector_world import connector, drop, good, records, rows

from bus.errors import ConfigurationError
from connectors.formats import archives, folder
from connectors.formats.archives import Limits
from connectors.formats.common import FileSettings

FILES = 'kind: files\nsource: {path: "drop/%s", format: csv%s}\n'
GLOB = FILES % ("**/*.csv", "")
ARCHIVE = FILES % ("*.zip", ", member: '*.csv'")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a second."""
    monkeypatch.setattr(folder, "SETTLE", 0.0)


def zipped(path: Path, **texts: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            archive.writestr(name, text)
    return path


def limits(unpacked: int = 10) -> Limits:
    return Limits("dep.yaml", unpacked)


def seen(tmp_path: Path, pattern: str = "drop/*.csv", **more: object) -> list[str]:
    settings = FileSettings.model_validate({"path": pattern, "format": "csv"} | more)
    return [one.name for one in folder.Folder(settings, tmp_path, "dep.yaml").listing().files]


def test_folders_below_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    """A pattern may go down; a file is known by its path from where the pattern begins."""
    drop(tmp_path, rows(good(2)), "b.csv")
    (tmp_path / "drop" / "a").mkdir()
    drop(tmp_path, rows(good(1)), "a/z.csv")
    found = connector(tmp_path, GLOB)
    assert [record.row["id"] for record in records(found)] == ["1", "2"]
    *_, last = found.open().fetch(None, 10)
    assert set(json.loads(last.position)["files"]) == {"a/z.csv", "b.csv"}
    assert records(found, last.position) == []


@pytest.mark.parametrize("name", [".b.csv", "b.csv.tmp", "b.csv.PART", "b.csv.filepart", "~b.csv~"])
def test_a_file_in_the_making_is_not_looked_at(tmp_path: Path, name: str) -> None:
    """By the names that programs give them."""
    drop(tmp_path, rows(good(1)), name)
    assert seen(tmp_path, "drop/*") == []


def touched(path: Path, seconds: float) -> Path:
    """Written to so many seconds ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))
    return path


def test_a_half_written_file_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that changes while it is looked at comes the next time; its neighbours come now."""
    drop(tmp_path, rows(good(1)), "old.csv")
    new = touched(drop(tmp_path, "id,ca", "new.csv"), 0)
    monkeypatch.setattr(time, "sleep", lambda _: new.write_text(rows(good(2)), "utf-8"))
    assert seen(tmp_path, settle=2) == ["old.csv"]
    monkeypatch.setattr(time, "sleep", lambda _: None)
    assert seen(tmp_path, settle=2) == ["new.csv", "old.csv"]


def test_a_long_rest_is_waited_for_without_holding_anybody_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that must rest for half a minute comes with a later look."""
    path = touched(drop(tmp_path, rows(good(1))), 10)
    monkeypatch.delattr(time, "sleep")
    assert seen(tmp_path, settle=30) == []
    touched(path, 31)
    assert seen(tmp_path, settle=30) == ["rows.csv"]


@pytest.mark.parametrize(("text", "waits"), [(rows(good(1)), False), (rows(good(1))[:-4], True)])
def test_a_single_file_that_ends_in_the_middle_of_a_line_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, waits: bool
) -> None:
    """Whole lines are taken at once; half of one would be another row."""
    path = touched(drop(tmp_path, text), 0)
    monkeypatch.setattr(folder, "SETTLE", 1.0)
    monkeypatch.setattr(time, "sleep", lambda _: path.write_text(rows(good(1))))
    assert seen(tmp_path, "drop/rows.csv") == ([] if waits else ["rows.csv"])


def test_a_file_that_goes_while_it_is_looked_at_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No fault of anybody's."""
    path = touched(drop(tmp_path, rows(good(1))), 0)
    monkeypatch.setattr(time, "sleep", lambda _: path.unlink())
    assert seen(tmp_path, settle=2) == []


def test_a_clock_that_jumps_back_holds_nothing_up(tmp_path: Path) -> None:
    """A file from tomorrow is left alone too."""
    path = drop(tmp_path, rows(good(1)))
    tomorrow = time.time() + 86_400
    os.utime(path, (tomorrow, tomorrow))
    assert seen(tmp_path, settle=1) == ["rows.csv"]


def test_a_marker_says_that_a_file_is_whole(tmp_path: Path) -> None:
    """Where the department sends one."""
    drop(tmp_path, rows(good(1)), "a.csv")
    drop(tmp_path, rows(good(1)), "b.csv")
    drop(tmp_path, "", "b.csv.ok")
    assert seen(tmp_path, done=".ok") == ["b.csv"]


def test_a_link_out_of_the_folder_leads_nowhere(tmp_path: Path) -> None:
    """Whoever may drop files must not read others through us."""
    (tmp_path / "secret.csv").write_text(rows(good(9)), "utf-8")
    path = drop(tmp_path, rows(good(1)), "a.csv")
    (path.parent / "b.csv").symlink_to(tmp_path / "secret.csv")
    (path.parent / "c.csv").symlink_to(path)
    assert seen(tmp_path) == ["a.csv", "c.csv"]


def test_the_members_of_an_archive_are_files(tmp_path: Path) -> None:
    """Each row says in which; a second look reads nothing, an archive that is touched or grows gives what is new."""
    path = zipped(tmp_path / "drop" / "m.zip", **{"a/1.csv": rows(good(1)), "2.csv": rows(good(2)), "readme.txt": "x"})
    found = connector(tmp_path, ARCHIVE)
    assert [(one.row["id"], one.position) for one in records(found)] == [("2", "m.zip!2.csv:2"), ("1", "m.zip!a/1.csv:2")]
    *_, last = found.open().fetch(None, 10)
    assert records(found, last.position) == []
    zipped(path, **{"a/1.csv": rows(good(1)), "2.csv": rows(good(2), good(3))})
    assert [record.row["id"] for record in records(found, last.position)] == ["3"]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_reading_goes_on_in_the_middle_of_an_archive(tmp_path: Path, limit: int) -> None:
    """From every position exactly the rows behind it."""
    zipped(tmp_path / "drop" / "m.zip", **{"1.csv": rows(good(1), good(2)), "2.csv": rows(good(3), good(4))})
    found = connector(tmp_path, ARCHIVE)
    done = 0
    for batch in found.open().fetch(None, limit):
        done += len(batch.records)
        assert [record.row["id"] for record in records(found, batch.position)] == ["1", "2", "3", "4"][done:]


def test_names_in_gbk_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Old programs on Chinese Windows do not say which encoding they use."""
    path = zipped(tmp_path / "m.zip", **{"x" * 8: ""})
    path.write_bytes(path.read_bytes().replace(b"x" * 8, "办件.csv".encode("gbk")[:8].ljust(8, b" ")))
    assert [one.name for one in archives.members(path, "*", limits(10))] == ["办件.csv"]


def test_a_member_whose_name_climbs_out_leads_nowhere(tmp_path: Path) -> None:
    """It is unpacked by the last part of its name, into a folder of its own, and gone afterwards."""
    path = zipped(tmp_path / "m.zip", **{"../../evil.csv": "x"})
    (member,) = archives.members(path, "*.csv", limits(10))
    with archives.unpacked(path, member, limits(10)) as place:
        assert (place.name, place.read_text()) == ("evil.csv", "x")
    assert not place.exists()
    assert list(tmp_path.rglob("evil.csv")) == []


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    """By what it says of itself, and by what it does when it lies."""
    path = zipped(tmp_path / "m.zip", **{"1.csv": "0" * 5000})
    with pytest.raises(ConfigurationError, match=r"m\.zip cannot be read: it unpacks to 5,000 bytes, more than 4,999"):
        archives.members(path, "*", limits(4_999))
    (member,) = archives.members(path, "*", limits(5_000))
    with (
        pytest.raises(ConfigurationError, match=r"1\.csv cannot be unpacked \(it unpacks to more than it says"),
        archives.unpacked(path, member, limits(4_000)),
    ):
        raise AssertionError


@pytest.mark.parametrize(("cut", "said"), [(30, "no whole ZIP archive"), (-1, "cannot be unpacked")])
def test_a_broken_archive_is_told(tmp_path: Path, cut: int, said: str) -> None:
    """Cut off, or spoiled inside."""
    path = zipped(tmp_path / "drop" / "m.zip", **{"1.csv": rows(*map(good, range(50)))})
    data = bytearray(path.read_bytes())
    path.write_bytes(data[:cut] if cut > 0 else bytes([*data[:60], data[60] ^ 0xFF, *data[61:]]))
    with pytest.raises(ConfigurationError, match=said) as error:
        records(connector(tmp_path, ARCHIVE))
    assert "Send it again, whole" in str(error.value)


def test_an_encrypted_archive_is_told(tmp_path: Path) -> None:
    """Nobody asks for a password in the night."""
    path = zipped(tmp_path / "m.zip", **{"1.csv": "x"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ConfigurationError, match="Send it without a password"):
        archives.members(path, "*", limits(10))


@pytest.mark.parametrize("damage", [(0x0A, b"\xff"), (0x06, b"\xff")])
def test_an_archive_whose_list_is_damaged_keeps_no_other_file_back(tmp_path: Path, damage: tuple[int, bytes]) -> None:
    """A version that no program has, a name that is no UTF-8 though it says so."""
    place, put = damage
    with zipfile.ZipFile(drop(tmp_path, b"", "a.zip"), "w") as made:
        made.writestr("办.csv", rows(good(9)))
    whole = bytearray((tmp_path / "drop" / "a.zip").read_bytes())
    at = whole.index(b"PK\x01\x02") + (place if place == 0x06 else 46)
    whole[at : at + 1] = put
    drop(tmp_path, bytes(whole), "a.zip")
    drop(tmp_path, rows(good(1)), "b.csv")
    found = connector(tmp_path, "kind: files\nsource: {path: drop/*, format: csv}\n")
    read: list[str] = []
    with pytest.raises(ConfigurationError, match=r"the archive a\.zip cannot be read: it is no whole ZIP"):
        read += (record.row["id"] for batch in found.open().fetch(None, 10) for record in batch.records)
    assert read == ["1"]


def test_a_workbook_packed_by_gzip_is_read(tmp_path: Path) -> None:
    """What it is called once it is unpacked says nothing."""
    book = openpyxl.Workbook()
    book.worksheets[0].append(["id", "case_no", "at", "who"])
    book.worksheets[0].append(["1", "C1", "2025-06-01 09:00:00", "u"])
    book.save(tmp_path / "a.xlsx")
    drop(tmp_path, gzip.compress((tmp_path / "a.xlsx").read_bytes()), "a.xlsx.gz")
    found = connector(tmp_path, "kind: files\nsource: {path: drop/*.gz, format: xlsx}\n")
    assert [record.row["id"] for record in records(found)] == ["1"]
