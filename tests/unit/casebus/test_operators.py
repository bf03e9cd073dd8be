"""The page's hand on the connectors: a look at the page starts no broker."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from casebus.deployment import Deployment
from casebus.operators import Operators
from casebus.wiring import Wiring


def operators(folder: Path, brokers: str = "embedded") -> Operators:
    (folder / "casebus.yaml").write_text(f'name: x\nkafka: {{brokers: "{brokers}"}}\n', "utf-8")
    return Operators(Wiring(Deployment.load(folder)))


def test_an_embedded_broker_that_nobody_runs_is_not_reachable(tmp_path: Path) -> None:
    """And asking leaves nothing behind."""
    assert not operators(tmp_path).reachable()
    assert not (tmp_path / ".casebus").exists()


@pytest.mark.parametrize(("bootstrap", "right"), [("127.0.0.1:9092", True), ("", False)])
def test_one_that_another_process_runs_is_reachable_when_it_serves(tmp_path: Path, bootstrap: str, right: bool) -> None:
    """Not while it starts."""
    lock = tmp_path / ".casebus" / "kafka" / "owner.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(json.dumps({"owner": os.getpid(), "bootstrap": bootstrap}), "ascii")
    assert operators(tmp_path).reachable() is right


def test_a_cluster_elsewhere_is_asked_always(tmp_path: Path) -> None:
    """Whether it answers is seen when it is asked."""
    assert operators(tmp_path, "kafka.example:9092").reachable()
