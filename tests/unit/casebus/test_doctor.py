"""The doctor's looks, one by one: what is well is told, what is ill has its cure."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from bus.memory import Cluster
from bus.topics import EVENTS, standard
from casebus.commands import doctor
from casebus.deployment import Deployment
from casebus.wiring import Wiring


class Usage(NamedTuple):
    free: int


@pytest.fixture
def wiring(tmp_path: Path) -> Wiring:
    (tmp_path / "casebus.yaml").write_text("name: town\nkafka: {partitions: 3}\n", encoding="utf-8")
    return Wiring(Deployment.load(tmp_path))


def test_topics_with_the_deployments_count_are_well(wiring: Wiring) -> None:
    """Before the first start there are none, and that is no illness either."""
    cluster = Cluster()
    assert "made by casebus up" in doctor.topics(wiring, cluster).found
    cluster.create(standard(3))
    assert doctor.topics(wiring, cluster).cure == ""


def test_one_odd_topic_is_found_and_named(wiring: Wiring) -> None:
    """It would break co-partitioning for itself alone, and nobody would see why."""
    cluster = Cluster()
    cluster.create([EVENTS.sized(5)])
    ill = doctor.topics(wiring, cluster)
    assert "approval.events has 5 partitions instead of 3" in ill.found
    assert "kafka.partitions" in ill.cure


def test_a_second_owner_of_our_names_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain names need guards."""
    monkeypatch.setattr(doctor, "packages_distributions", lambda: {"router": ["casebus", "traffic"], "bus": ["casebus"]})
    ill = doctor.names()
    assert ill.found == "router also belongs to traffic"
    assert "environment of its own" in ill.cure


def test_a_full_disk_is_found_before_kafka_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data folder need not be there yet: the disk it will lie on counts."""
    assert doctor.space(tmp_path / "not" / "yet").cure == ""
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: Usage(1 << 30))
    assert "Make room" in doctor.space(tmp_path / "not" / "yet").cure


def test_an_old_python_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version that pyproject.toml asks for."""
    assert doctor.python().cure == ""
    monkeypatch.setattr(doctor, "OLDEST", (9, 0))
    assert "3.11" in doctor.python().cure
