"""The monitor killed with -9 at each of its named points leaves neither rows without offsets nor offsets without rows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from bus.ports import Partition
from monitor import tables
from monitor.view import View

ROOT = Path(__file__).parents[2]
HELPERS = ROOT / "tests" / "worlds"
WORK = """
import sys
import monitor_world as world
from monitor.view import View
chain = world.chain([world.event("Applied", 1), world.event("Accepted", 3)])
records = [world.journal_record(entry, n) for n, entry in enumerate(chain)]
View.open(sys.argv[1]).apply_batch(records, {}, world.CODEC)
"""


@pytest.mark.parametrize("point", ["monitor.between_tables_and_offsets", "monitor.before_commit"])
def test_a_monitor_killed_in_between_leaves_neither_rows_nor_offsets(tmp_path, point):
    """Killed, then started again: each row is there once."""
    flag = tmp_path / "killed"
    environment = {**os.environ, "CASEBUS_CRASH": f"{point}:1:{flag}", "PYTHONPATH": f"{HELPERS}:{ROOT}"}
    command = [sys.executable, "-c", WORK, f"sqlite:///{tmp_path}/view.db"]
    assert subprocess.run(command, env=environment, check=False).returncode == -signal.SIGKILL
    assert flag.exists()
    view = View.at(tmp_path / "view.db")
    assert (view.positions(), view.all(select(tables.events))) == ({}, [])
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    assert [row.sequence for row in view.all(select(tables.events))] == [1, 2]
    assert view.positions() == {Partition("case.journal", 0): 2}
    view.close()
