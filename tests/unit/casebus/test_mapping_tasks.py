"""Mapping tasks follow from the dead letters: each unmapped code once, with its rows, and the line that maps it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from letter_world import MAPPING, Make, World, makers

from casebus.commands.mapping_tasks import of_items
from connectors.tasks import Task

KINDS = {
    "lookups": {
        "kinds": {"table": {"1": {"form": "PROMISED"}, "2": {"form": "JOINT"}}, "unknown": "unknown_kind"},
        "halls": {"file": "halls.csv", "key": "code", "value": "name"},
    },
    "columns": {**MAPPING["columns"], "kind": {"from": "item", "lookup": "kinds"}},
}


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with makers(tmp_path) as make:
        yield make


def tasks(world: World) -> list[Task]:
    return of_items(world.desk.items(), world.wiring)


def remap(world: World, **more: Any) -> None:
    """The connector's file with other keys, and a new process."""
    original = {**MAPPING}
    MAPPING.update(more)
    try:
        world.map()
        world.again()
    finally:
        MAPPING.clear()
        MAPPING.update(original)


def test_rows_with_one_unmapped_code_open_one_task(make: Make) -> None:
    """With their number, the place of the first, and what to write; the code with most rows first."""
    world = make("1,C1,X,2026-03-03,", "2,C1,Y,2026-03-03,", "3,C2,Y,2026-03-04,", "4,C2,B,,")
    most, other = tasks(world)
    assert (most.code, most.rows, most.example, most.column, most.lookup) == ("Y", 2, "rows.csv:3", "state", "")
    assert (other.code, other.rows) == ("X", 1)
    assert most.write == 'on: ["Y"] at an event, or ignore: ["Y"]'
    assert most.where.startswith("connectors/dep.yaml:")
    assert (len(most.letters), most.mapped) == (2, False)


def test_a_task_ends_when_its_letters_are_replayed(make: Make) -> None:
    """First the code is mapped, which the task says; with the last letter it is gone."""
    world = make("0,C1,A,2026-03-02,EN-001", "1,C1,X,2026-03-03,")
    (task,) = tasks(world)
    world.map({"type": "Received", "on": "X"})
    world.again()
    (mapped,) = tasks(world)
    assert (task.mapped, mapped.mapped) == (False, True)
    world.replay(*mapped.letters)
    assert tasks(world) == []


def test_an_unknown_code_of_a_lookup_names_the_lookup_and_its_meanings(make: Make) -> None:
    """Whatever reason the lookup gives."""
    world = make()
    remap(world, **KINDS)
    world.write("1,C1,A,2026-03-03,it's 9")
    world.publish().route()
    (task,) = tasks(world)
    assert (task.lookup, task.code, task.column) == ("kinds", "it's 9", "item")
    assert task.write == ("""lookups: {kinds: {table: {"it's 9": ?}}}  # one of {"form": "PROMISED"}, {"form": "JOINT"}""")
    remap(world, **{**KINDS, "lookups": {"kinds": {"table": {"it's 9": {"form": "JOINT"}}}}})
    assert tasks(world)[0].mapped


def test_an_unknown_code_of_a_file_asks_for_a_row(make: Make) -> None:
    """A table that the department keeps itself."""
    world = make()
    (world.folder / "halls.csv").write_text("code,name\nH1,north\n", "utf-8")
    remap(world, lookups=KINDS["lookups"], columns={**MAPPING["columns"], "hall": {"from": "item", "lookup": "halls"}})
    world.write("1,C1,A,2026-03-03,H9")
    world.publish().route()
    assert tasks(world)[0].write == "a row in halls.csv: code = H9"


def test_a_number_that_a_register_does_not_have_is_no_code(make: Make) -> None:
    """`within:` holds values to a list; who is missing there is to be registered, not mapped."""
    world = make()
    columns = {**MAPPING["columns"], "hall": {"from": "item", "within": "kinds"}}
    remap(world, lookups=KINDS["lookups"], columns=columns)
    world.write("1,C1,A,2026-03-03,H9")
    world.publish().route()
    assert [item.reason for item in world.open()] == ["unknown_kind"]
    assert tasks(world) == []


def test_letters_of_other_faults_and_of_systems_that_are_gone_open_none(make: Make) -> None:
    """A missing time is nothing to map; what nobody reads any more neither."""
    world = make("1,C1,B,,", "2,C1,X,2026-03-03,")
    (world.folder / "connectors" / "dep.yaml").rename(world.folder / "connectors" / "other.yaml")
    world.again()
    assert len(world.open()) == 2
    assert tasks(world) == []
