"""The folder of connectors, looked at while it changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from connector_world import CSV, MAPPING, deployment

from connectors.config import Connector
from connectors.fleet_files import RETRY, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    deployment(tmp_path, CSV + MAPPING, "one")
    found = Folder(tmp_path / "connectors")
    found.look(at_once=True)
    return found


def connectors(folder: Folder) -> dict[str, Connector]:
    return dict(folder.found.connectors)


def test_what_has_not_changed_is_not_read_again(folder: Folder, tmp_path: Path) -> None:
    """Touched files neither: their contents count."""
    before = connectors(folder)["one"]
    os.utime(tmp_path / "connectors/one.yaml", (1, 1))
    assert [folder.look() for _ in range(4)] == [False] * 4
    assert connectors(folder)["one"] is before


def test_a_file_counts_when_it_looks_the_same_twice(folder: Folder, tmp_path: Path) -> None:
    """What an editor is still writing is left alone."""
    path = deployment(tmp_path, CSV + MAPPING, "two")
    with path.open("a") as file:
        assert not folder.look()
        file.write("batch: 7\n")
    assert not folder.look()
    assert folder.look()
    assert connectors(folder)["two"].settings.batch == 7


def test_included_files_and_functions_count(folder: Folder, tmp_path: Path) -> None:
    """A change of theirs is a change of whoever names them, and of nobody else."""
    part = tmp_path / "connectors/_shared.yaml"
    part.write_text("batch: 5\n", "utf-8")
    (tmp_path / "functions").mkdir()
    code = tmp_path / "functions/names.py"
    code.write_text("def clean(who):\n    return who\n", "utf-8")
    python = MAPPING.replace("who: {}", "who: {python: functions.names:clean}")
    deployment(tmp_path, CSV + python + "include: connectors/_shared.yaml\n", "two")
    folder.look()
    assert folder.look(), folder.found.faults
    one, two = connectors(folder)["one"], connectors(folder)["two"]
    assert two.settings.batch == 5
    part.write_text("batch: 60\n", "utf-8")
    folder.look()
    assert folder.look()
    assert connectors(folder)["two"].settings.batch == 60
    part.write_text("include: connectors/_more.yaml\n", "utf-8")
    (tmp_path / "connectors/_more.yaml").write_text("batch: 70\n", "utf-8")
    folder.look()
    assert folder.look()
    (tmp_path / "connectors/_more.yaml").write_text("batch: 700\n", "utf-8")
    folder.look()
    assert folder.look()
    assert connectors(folder)["two"].settings.batch == 700
    two = connectors(folder)["two"]
    code.write_text("def clean(who):\n    return who + '!'\n", "utf-8")
    folder.look()
    assert folder.look()
    assert connectors(folder)["two"] is not two
    assert connectors(folder)["one"] is one


def test_two_files_of_one_system_are_told_and_the_first_one_runs(folder: Folder, tmp_path: Path) -> None:
    """Two connectors of one name would share a position."""
    deployment(tmp_path, CSV + "system: one\n" + MAPPING, "zz")
    folder.look()
    assert folder.look()
    assert connectors(folder)["one"].path.name == "one.yaml"
    assert "stands in one.yaml too" in folder.found.faults["zz"]


def test_a_file_with_errors_is_tried_again_when_what_it_lacks_may_have_come(folder: Folder, tmp_path: Path) -> None:
    """The file itself is as it was: its code table was missing. Meanwhile it is not told anew each second."""
    lookups = "lookups: {codes: {file: codes.csv, key: code, value: name}}\n"
    samples = "samples: [{row: {id: 1, case_no: A1, at: 2025-06-01 09:00:00, who: x}, gives: [{type: Accepted}]}]\n"
    with_table = MAPPING.replace("who: {}", "who: {lookup: codes}")
    deployment(tmp_path, CSV + lookups + samples + with_table, "two")
    folder.look()
    assert folder.look()
    assert "codes.csv" in folder.found.faults["two"]
    assert [folder.look() for _ in range(RETRY + 1)] == [False] * (RETRY + 1)
    (tmp_path / "codes.csv").write_text("code,name\nx,y\n", "utf-8")
    assert any(folder.look() for _ in range(RETRY + 1))
    assert folder.found.faults == {}
    assert "two" in connectors(folder)
