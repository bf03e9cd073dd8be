"""A short storm of every kind, as `storm.py` blows for an hour: nothing is lost, nothing is there twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

STORM = Path(__file__).with_name("storm.py")
pytestmark = [pytest.mark.broker, pytest.mark.shared, pytest.mark.timeout(600)]


def storm(report: Path, *options: str, inside: tuple[str, ...] = ()) -> dict[str, Any]:
    command = [*inside, sys.executable, "-P", str(STORM), "--report", str(report), *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=560, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return dict(json.loads(report.read_text(encoding="utf-8")))


def test_a_short_storm_changes_nothing(shared: Path, tmp_path: Path) -> None:
    """Three brokers, killed and frozen services, a lost coordinator, a locked database, a stranger's bytes: kafka-python."""
    found = storm(tmp_path / "report.json", "--minutes", "0.5", "--seed", "1", "--rate", "60")
    assert (found["lost"], found["twice"], found["wrong"], found["audit"]) == (0, 0, [], [])
    assert len(found["faults"]) >= 3


@pytest.mark.tier2
def test_a_short_storm_with_silent_cuts_and_a_full_disk(shared: Path, tmp_path: Path) -> None:
    """As root, in namespaces of its own, with the confluent client."""
    options = ("--minutes", "0.75", "--seed", "5", "--rate", "60", "--client", "confluent", "--as-root")
    found = storm(tmp_path / "report.json", *options, inside=("unshare", "--net", "--mount"))
    assert (found["lost"], found["twice"], found["wrong"], found["audit"]) == (0, 0, [], [])
    assert {"silent_cut", "full_disk"} & found["faults"].keys()
