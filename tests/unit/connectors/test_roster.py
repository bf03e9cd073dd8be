"""Who takes deliveries, by files that change."""

from __future__ import annotations

from pathlib import Path

import pytest
from connector_world import CSV, MAPPING, deployment

from connectors.fleet_files import Folder
from connectors.roster import Roster

PLAIN = CSV + MAPPING


def delivering(folder: str, kind: str = "files") -> str:
    return f"{PLAIN}deliver: {{to: water@*, kind: {kind}, target: {{folder: {folder}}}}}\n"


@pytest.fixture
def roster(tmp_path: Path) -> Roster:
    deployment(tmp_path, PLAIN, "one")
    deployment(tmp_path, delivering("out/two"), "two")
    return Roster(Folder(tmp_path / "connectors"), None)


def look(roster: Roster) -> list[str]:
    """A file counts when it looks the same twice."""
    for _ in range(3):
        roster.look()
    return [one.name for one in roster.found()]


def test_deliver_is_added_changed_and_taken_away(roster: Roster, tmp_path: Path) -> None:
    """Whoever did not change stays the very same, with all that it remembers."""
    (two,) = before = roster.found()
    assert look(roster) == ["two"]
    assert roster.found() is before
    path = deployment(tmp_path, delivering("out/one"), "one")
    assert look(roster) == ["one", "two"]
    assert roster.found()[1] is two
    deployment(tmp_path, delivering("out/elsewhere"), "two")
    look(roster)
    assert roster.found()[1] != two
    path.unlink()
    assert look(roster) == ["two"]
    deployment(tmp_path, PLAIN, "two")
    assert look(roster) == []


@pytest.mark.parametrize("wrong", [delivering("out/two") + "nonsense: 1\n", delivering("out/two", "teleprinter")])
def test_a_file_with_errors_leaves_its_receiver_as_it_is(roster: Roster, tmp_path: Path, wrong: str) -> None:
    """Errors of the mapping and errors of the target alike; mended, it is another one."""
    before = roster.found()
    deployment(tmp_path, wrong, "two")
    look(roster)
    assert roster.found() == before
    deployment(tmp_path, delivering("out/mended"), "two")
    assert look(roster) == ["two"]
    assert roster.found() != before
