"""`casebus connector tasks`: the codes that nobody has mapped, and the line that would map each."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from bus.errors import BusError
from casebus.commands import output
from casebus.commands.open_view import opened
from casebus.letters import ledger
from casebus.letters.desk import Item, items
from casebus.wiring import Wiring
from connectors.tasks import Task, Waiting, tasks
from monitor.times import local
from schemas.handled import PENDING

COLUMNS = ("system", "table", "column", "code", ">rows", "first seen", "for example", "write", "at")


def show(folder: Path, *, as_json: bool) -> int:
    with opened(folder) as (wiring, view):
        found = of_items(items(view, wiring, _acts(wiring)), wiring)
        zone = wiring.deployment.zone
    if as_json:
        output.as_json([task._asdict() for task in found])
        return 0
    rows = [
        (*task[:4], task.rows, f"{local(task.first_seen, zone):%Y-%m-%d %H:%M}", task.example, *_remedy(task)) for task in found
    ]
    output.console().print(output.table(output.several(len(found), "mapping task"), COLUMNS, rows))
    if any(task.mapped for task in found):
        sys.stdout.write("What is mapped now waits to be replayed: casebus deadletters replay.\n")
    return 0


def of_items(found: Iterable[Item], wiring: Wiring) -> list[Task]:
    """The tasks that the letters open which somebody has still to act on."""
    return tasks((_waiting(item) for item in found if item.state in PENDING), wiring.connectors)


def _acts(wiring: Wiring) -> ledger.Ledger:
    """What was done about the letters; while Kafka is away all of them are shown as open."""
    try:
        with wiring.client() as client:
            return ledger.read(client)
    except BusError as error:
        sys.stderr.write(f"casebus: What was done about dead letters cannot be asked ({error}), so all count as open.\n")
        return {}


def _waiting(item: Item) -> Waiting:
    row = item.row
    return Waiting(item.id, row["system"], row["source_table"], row["field"], row["found"], row["position"], row["received_at"])


def _remedy(task: Task) -> tuple[str, str]:
    return ("mapped: replay", "") if task.mapped else (task.write, task.where)
