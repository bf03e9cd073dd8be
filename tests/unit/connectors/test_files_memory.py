"""A file once read is known by its content: copies, touches, edits and rotations give what is new, and only that."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from connector_world import CLOCK, MAPPING, connector, drop, good, kafka, records, rows

from bus import topics
from bus.errors import BusError, ConfigurationError, RetryError
from bus.memory import Cluster
from connectors import deadletters
from connectors.config import Connector
from connectors.formats import delimited, folder, memory
from connectors.formats.memory import Memory, state
from connectors.kinds import files
from connectors.positions import Progress
from connectors.runner import Runner
from schemas.codec import default

MANY = 'kind: files\nsource: {path: "drop/**/*.csv", format: csv}\n'
IDS = MAPPING.replace("id: {", 'id: {from: "@id", ')
BAD = "7,,2025-06-01 09:00:00,u"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for a second, and none knows what another has looked at."""
    monkeypatch.setattr(folder, "SETTLE", 0.0)
    monkeypatch.setattr(files, "_looked", {})


@pytest.fixture
def cluster() -> Cluster:
    return kafka()


def many(tmp_path: Path) -> Connector:
    return connector(tmp_path, MANY)


def run(cluster: Cluster, tmp_path: Path, yaml: str = MANY) -> Progress:
    runner = Runner(connector(tmp_path, yaml + "batch: 2\n"), cluster, default(), CLOCK)
    try:
        return runner.run_once()
    finally:
        runner.close()


def letters(cluster: Cluster) -> list[str]:
    return [str(letter.value["position"]) for letter in deadletters.read(cluster, default())]


def ids(cluster: Cluster) -> list[str]:
    return [default().decode(record.value or b"").id for record in cluster.records(topics.EVENTS.name)]


def told(found: Connector) -> tuple[list[str], str | None, str]:
    """The keys of what was read before an error, the position then, and the error."""
    seen: list[str] = []
    position = None
    try:
        for batch in found.open().fetch(None, 10):
            seen += [record.row["id"] for record in batch.records]
            position = batch.position
    except BusError as error:
        return seen, position, str(error)
    raise AssertionError


def last(found: Connector, position: str | None = None) -> str | None:
    """The position at the end."""
    return [batch.position for batch in found.open().fetch(position, 100)][-1]


def test_a_copy_under_another_name_gives_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """Neither events nor dead letters: it says nothing new."""
    drop(tmp_path, rows(good(1), BAD), "a.csv")
    run(cluster, tmp_path)
    drop(tmp_path, rows(good(1), BAD), "b/again.csv")
    assert run(cluster, tmp_path).records == 0
    assert (len(ids(cluster)), len(letters(cluster))) == (1, 1)


def test_a_copy_is_looked_through_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives no batch, so no position can remember it; this process does."""
    drop(tmp_path, rows(good(1)), "a.csv")
    position = last(many(tmp_path))
    drop(tmp_path, rows(good(1)), "b.csv")
    assert records(many(tmp_path), position) == []
    monkeypatch.setattr(delimited, "opened", None)
    assert records(many(tmp_path), position) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_a_file_that_fills_its_last_batch_is_known_as_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Else it would be opened and read through at every look."""
    drop(tmp_path, rows(good(1), good(2)), "a.csv")
    drop(tmp_path, rows(good(3), good(4)), "b.csv")
    batches = list(many(tmp_path).open().fetch(None, limit))
    assert [len(batch.records) for batch in batches] == {1: [1, 1, 1, 1], 2: [2, 2], 3: [3, 1], 4: [4]}[limit]
    for number, batch in enumerate(batches):
        left = [one.row["id"] for later in batches[number + 1 :] for one in later.records]
        assert [one.row["id"] for one in records(many(tmp_path), batch.position, limit)] == left
    monkeypatch.setattr(delimited, "opened", None)
    assert records(many(tmp_path), batches[-1].position) == []


def test_a_touched_workbook_gives_nothing(tmp_path: Path) -> None:
    """Forms that can only be read from their start are known by their content too."""
    path = drop(tmp_path, '<all><row id="1"/></all>', "a.xml")
    found = connector(tmp_path, "kind: files\nsource: {path: drop/*.xml, format: xml, record: row}\n", MAPPING)
    position = last(found)
    os.utime(path, (1, 1))
    assert records(found, position) == []
    drop(tmp_path, '<all><row id="1"/></all>', "b.xml")
    assert records(found, position) == []


def test_a_mended_row_gives_its_event_and_the_others_nothing_new(cluster: Cluster, tmp_path: Path) -> None:
    """The file is read anew: the same ids for what was there, no second dead letter for what is still wrong."""
    still = "9,,2025-06-01 09:00:00,u"
    drop(tmp_path, rows(good(1), BAD, good(2), still, good(3)), "a.csv")
    run(cluster, tmp_path)
    before = ids(cluster)
    drop(tmp_path, rows(good(1), BAD.replace(",,", ",C7,"), good(2), still, good(3)), "a.csv")
    again = run(cluster, tmp_path)
    assert letters(cluster) == ["a.csv:3", "a.csv:5"]
    assert len(set(ids(cluster)) - set(before)) == 1
    assert (again.records, again.events, again.rejected) == (5, 4, 0)
    assert run(cluster, tmp_path).records == 0


def test_a_gathered_row_that_is_still_wrong_is_not_told_again(cluster: Cluster, tmp_path: Path) -> None:
    """Known by all the rows it is made of: one more, or another, makes it a row nobody has refused yet."""
    yaml = f"{MANY}gather: {{by: id, into: parts}}\n"
    drop(tmp_path, rows(good(1), BAD, BAD, good(2)), "a.csv")
    run(cluster, tmp_path, yaml)
    drop(tmp_path, rows(good(3), BAD, BAD, good(2)), "a.csv")
    assert run(cluster, tmp_path, yaml).rejected == 0
    assert letters(cluster) == ["a.csv:3+1"]
    drop(tmp_path, rows(good(3), BAD, BAD, BAD.replace(",u", ",w"), good(2)), "a.csv")
    assert run(cluster, tmp_path, yaml).rejected == 1
    assert letters(cluster) == ["a.csv:3+1", "a.csv:3+2"]


def test_a_refused_row_with_children_is_not_told_again(cluster: Cluster, tmp_path: Path) -> None:
    """What a second table has for it is no matter."""
    sqlite3.connect(tmp_path / "p.db").execute("create table papers (id text)").connection.close()
    yaml = f'{MANY}gather: {{by: id, into: parts, children: {{url: "sqlite:///{tmp_path}/p.db", table: papers}}}}\n'
    for first in (good(1), good(2)):
        drop(tmp_path, rows(first, BAD), "a.csv")
        run(cluster, tmp_path, yaml)
    assert letters(cluster) == ["a.csv:3"]


def test_a_row_that_is_wrong_in_another_way_is_told(cluster: Cluster, tmp_path: Path) -> None:
    """Only the row as it was is known."""
    drop(tmp_path, rows(BAD), "a.csv")
    run(cluster, tmp_path)
    drop(tmp_path, rows(BAD.replace("09:00", "99:00")), "a.csv")
    run(cluster, tmp_path)
    assert letters(cluster) == ["a.csv:2", "a.csv:2"]


def test_each_bad_row_of_one_file_is_told(cluster: Cluster, tmp_path: Path) -> None:
    """Two rows alike are two rows, in one batch or in several."""
    drop(tmp_path, rows(BAD, BAD, BAD, good(1)), "a.csv")
    assert run(cluster, tmp_path).rejected == 3


def test_a_refused_row_of_one_table_is_known_in_its_table(cluster: Cluster, tmp_path: Path) -> None:
    """Each table of a connector has a memory of its own."""
    tables = "tables:\n  one: {source: {path: drop/a.csv}}\n  two: {source: {path: drop/b.csv}}\n"
    yaml = f"kind: files\nsource: {{format: csv, path: x}}\n{tables}"
    drop(tmp_path, rows(BAD), "a.csv")
    drop(tmp_path, rows(BAD), "b.csv")
    assert run(cluster, tmp_path, yaml).rejected == 2
    for name in ("a.csv", "b.csv"):
        drop(tmp_path, rows(good(1), BAD), name)
    assert run(cluster, tmp_path, yaml)[1:4] == (4, 2, 0)


def test_rotated_files_go_on_where_they_were(tmp_path: Path) -> None:
    """a.csv became a.1.csv with one more row, and a new a.csv began."""
    drop(tmp_path, rows(good(1), good(2)), "a.csv")
    position = last(many(tmp_path))
    drop(tmp_path, rows(good(1), good(2), good(3)), "a.1.csv")
    drop(tmp_path, rows(good(4)), "a.csv")
    assert [record.row["id"] for record in records(many(tmp_path), position)] == ["3", "4"]


def test_another_file_under_the_same_name_is_read(tmp_path: Path) -> None:
    """Every night a file of the same name: the name says nothing."""
    drop(tmp_path, rows(good(1), good(2)), "a.csv")
    position = last(many(tmp_path))
    drop(tmp_path, rows(good(3)), "a.csv")
    assert [record.row["id"] for record in records(many(tmp_path), position)] == ["3"]


def test_another_file_of_json_lines_under_the_same_name_is_read_from_its_first_line(tmp_path: Path) -> None:
    """Whether shorter or longer than what was read: no row of it was."""
    found = connector(tmp_path, "kind: files\nsource: {path: drop/rows.csv, format: jsonl}\n", MAPPING)
    drop(tmp_path, '{"id": "1"}\n{"id": "2"}\n')
    position = last(found)
    for numbers in ("5678", "9"):
        drop(tmp_path, "".join(f'{{"id": "{number}"}}\n' for number in numbers))
        assert [record.row["id"] for record in records(found, position)] == [*numbers]


def test_the_order_may_be_that_of_the_times(tmp_path: Path) -> None:
    """Where names say nothing about which was written first."""
    for number, name in enumerate("cab"):
        os.utime(drop(tmp_path, rows(good(number)), f"{name}.csv"), (number, number))
    found = connector(tmp_path, MANY.replace("format: csv", "format: csv, order: changed"))
    assert [record.row["id"] for record in records(found)] == ["0", "1", "2"]


@pytest.mark.parametrize(("name", "shown"), [("办件.csv".encode("gb18030"), "办件.csv"), (b"a\xff.csv", "a\\xff.csv")])
def test_a_name_that_is_no_utf_8_stops_nothing(cluster: Cluster, tmp_path: Path, name: bytes, shown: str) -> None:
    """Written as people read it; the pattern means it too, and what is appended is read on."""
    drop(tmp_path, rows(good(1)), "b.csv")
    path = tmp_path / "drop" / os.fsdecode(name)
    for number in (2, 3):
        path.write_text(rows(*map(good, range(2, number + 1)), BAD), "utf-8")
        os.utime(path, (number, number))
        run(cluster, tmp_path)
    assert len(set(ids(cluster))) == 3
    assert letters(cluster) == [f"{shown}:3"]
    assert records(connector(tmp_path, f"kind: files\nsource: {{path: 'drop/{shown[:1]}*', format: csv}}\n", MAPPING))


def test_small_files_share_a_batch(tmp_path: Path) -> None:
    """A transaction for each file of one row would take a day for a hundred thousand."""
    for number in range(5):
        drop(tmp_path, rows(good(number)), f"{number}.csv")
    assert [len(batch.records) for batch in many(tmp_path).open().fetch(None, 3)] == [3, 2]


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    """Not a file without this or that column."""
    drop(tmp_path, "", "a.csv")
    assert "a.csv cannot be read: line 1 is empty, where the names of the columns should stand." in told(many(tmp_path))[2]


def test_what_is_wrong_with_one_file_keeps_no_other_back(tmp_path: Path) -> None:
    """It is told after the others, and read when it has been mended."""
    drop(tmp_path, rows(good(1)), "a.csv")
    drop(tmp_path, "no,such,columns\n", "b.csv")
    drop(tmp_path, rows(good(3)), "c.csv")
    seen, position, error = told(many(tmp_path))
    assert "b.csv cannot be read: line 1 has no column" in error
    assert seen == ["1", "3"]
    drop(tmp_path, rows(good(2)), "b.csv")
    assert [record.row["id"] for record in records(many(tmp_path), position)] == ["2"]


def test_a_file_that_cannot_be_opened_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk, the network drive, the rights: nothing is taken as read."""
    path = drop(tmp_path, rows(good(1)), "a.csv")

    def broken(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(delimited, "opened", broken)
    with pytest.raises(RetryError, match=r"a\.csv cannot be read: Permission denied. It will be tried again"):
        records(many(tmp_path))


def test_a_file_that_goes_before_it_is_opened_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Departments tidy up."""
    gone, left = drop(tmp_path, rows(good(1)), "a.csv"), drop(tmp_path, rows(good(2)), "b.csv")
    listing = folder.Folder.listing

    def then_gone(self: folder.Folder) -> folder.Listing:
        found = listing(self)
        gone.unlink()
        return found

    monkeypatch.setattr(folder.Folder, "listing", then_gone)
    assert [record.row["id"] for record in records(many(tmp_path))] == ["2"]
    assert left.exists()


@pytest.mark.parametrize("then", ["cut", "gone"])
def test_a_file_cut_or_removed_while_it_is_read_loses_nothing(tmp_path: Path, then: str) -> None:
    """What was read stands; what comes back under its name is read again from where it differs."""
    lines = [good(number) for number in range(3000)]
    path = drop(tmp_path, rows(*lines), "a.csv")
    reading = many(tmp_path).open().fetch(None, 10)
    first = next(reading)
    if then == "cut":
        os.truncate(path, 200)
    else:
        path.unlink()
    seen = {record.row["id"] for batch in reading for record in batch.records if record.fault is None}
    drop(tmp_path, rows(*lines), "a.csv")
    position = first.position
    seen |= {record.row["id"] for record in first.records}
    seen |= {record.row["id"] for record in records(many(tmp_path), position)}
    assert seen == {str(number) for number in range(3000)}


def test_a_file_that_changes_while_it_is_read_is_looked_at_again(tmp_path: Path) -> None:
    """Its state is that of the listing, which is over."""
    path = drop(tmp_path, rows(good(1), good(2)), "a.csv")
    reading = many(tmp_path).open().fetch(None, 1)
    next(reading)
    with path.open("a") as file:
        file.write(good(3) + "\n")
    *_, end = reading
    assert {record.row["id"] for record in records(many(tmp_path), end.position)} <= {"3"}
    assert Memory(end.position).knows(folder._found("a.csv", path).state) is False


def test_a_file_rewritten_while_it_is_read_is_not_taken_for_what_was_read(tmp_path: Path) -> None:
    """The rows came from the old content, so the new one counts as new: the digest is that of the bytes that were taken."""
    path = drop(tmp_path, rows(good(1), good(2), good(3)), "a.csv")
    reading = many(tmp_path).open().fetch(None, 1)
    next(reading)
    path.write_text(rows(good(7), good(8), good(9)))
    *_, end = reading
    assert {"7", "8", "9"} <= {record.row["id"] for record in records(many(tmp_path), end.position)}


def test_a_document_replaced_while_it_is_read_is_not_taken_for_what_was_read(tmp_path: Path) -> None:
    """Its content is looked at when its rows are over: it is another one by then."""
    xml = '<all><row id="1"/><row id="{}"/></all>'
    path = drop(tmp_path, xml.format(2), "a.xml")
    drop(tmp_path, xml.format(4), "b.xml")
    found = connector(tmp_path, "kind: files\nsource: {path: drop/*.xml, format: xml, record: row}\n", IDS)
    reading = found.open().fetch(None, 1)
    next(reading)
    path.with_name("new").write_text(xml.format(3))
    path.with_name("new").replace(path)
    *_, end = reading
    assert "3" in {record.row["@id"] for record in records(found, end.position)}


def test_positions_of_older_versions_are_understood(tmp_path: Path) -> None:
    """Marks by name: reading goes on behind them."""
    drop(tmp_path, rows(good(1)), "a.csv")
    old = json.dumps(json.loads(last(many(tmp_path)) or "")["files"])
    drop(tmp_path, rows(good(1), good(2)), "a.csv")
    assert [record.row["id"] for record in records(many(tmp_path), old)] == ["2"]


def test_a_position_stays_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand files, ten thousand refused rows: below what a topic takes, and read back as it was."""
    full = Memory(None)
    for number in range(memory.READ):
        full.note(state("f", number), state("c", number))
    for number in range(300):
        full.stand(f"{number:0100}.csv", {"offset": 1, "line": 1, "digest": "0" * 32})
    full.refuse(str(number).encode() for number in range(12_000))
    text = full.text()
    assert len(text) < topics.LARGEST / 2
    again = Memory(text)
    assert again.knows(state("f", 0))
    assert len(again.marks) == memory.MARKS
    assert again.refused_before(b"11999")
    assert not again.refused_before(b"1")  # the oldest is forgotten first


def test_what_is_there_is_never_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room is made by what has gone, the oldest first."""
    monkeypatch.setattr(memory, "READ", 3)
    full = Memory(None)
    for number in range(5):
        full.note(state("f", number), b"c")
    full.trim({state("f", 0)})
    assert [number for number in range(5) if full.knows(state("f", number))] == [0, 3, 4]


def test_a_folder_of_too_many_files_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is read that would be forgotten and read again."""
    monkeypatch.setattr(memory, "READ", 2)
    for number in range(3):
        drop(tmp_path, rows(good(number)), f"{number}.csv")
    with pytest.raises(ConfigurationError, match=r"3 files lie there, more than the 2 .* Move away what has been read"):
        records(many(tmp_path))


def test_a_folder_that_cannot_be_looked_into_is_told_after_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may not look into one folder still reads the rest."""
    drop(tmp_path, rows(good(1)), "a.csv")
    drop(tmp_path, rows(good(2)), "locked/b.csv")
    scan = os.scandir

    def locked(place: str) -> Iterator[os.DirEntry[str]]:
        if str(place).endswith("locked"):
            raise PermissionError(13, "Permission denied")
        return scan(place)

    monkeypatch.setattr(os, "scandir", locked)
    seen, _, error = told(many(tmp_path))
    assert "locked cannot be read (Permission denied). Allow reading it" in error
    assert seen == ["1"]
