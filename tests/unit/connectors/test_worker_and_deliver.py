"""A fleet side by side, and deliveries into departments' systems: one that fails never stops the others."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from connector_world import CLOCK, CSV, MAPPING, NOW, connector, drop, good, kafka, rows

from bus import topics
from bus.errors import RetryError
from bus.memory import Cluster
from bus.ports import Message
from connectors import deadletters, deliver
from connectors.deliver import Deliveries, Receiver
from connectors.runner import Runner
from connectors.source import Receipt
from connectors.worker import Outcome, Pauses, Worker
from schemas.codec import default

AT_ONCE = deliver.Pauses(0.0, 0.0)
QUICK = Pauses(first=0.0, longest=0.0, attempts=3)


@pytest.fixture
def cluster() -> Cluster:
    return kafka()


def runner(cluster: Cluster, folder: Path, name: str, file: str = "rows.csv") -> Runner:
    found = connector(folder, CSV.replace("rows.csv", file), MAPPING, name)
    return Runner(found, cluster, default(), CLOCK)


def test_one_broken_connector_does_not_stop_its_neighbours(cluster: Cluster, tmp_path: Path) -> None:
    """Its file is missing; the other's rows are on the bus, and the fault is told once, without retries."""
    drop(tmp_path, rows(good(1)))
    told: list[Outcome] = []
    worker = Worker([runner(cluster, tmp_path, "broken", "gone.csv"), runner(cluster, tmp_path, "sound")], told.append, QUICK)
    broken, sound = worker.run_to_end(side_by_side=1)
    assert "gone.csv is not there" in broken.fault
    assert broken.lasting
    assert (sound.fault, sound.progress.records) == ("", 1)
    assert [outcome.name for outcome in told] == ["broken", "sound"]


def test_what_may_pass_is_tried_again(cluster: Cluster, tmp_path: Path) -> None:
    """A refused commit is done again by the next attempt."""
    drop(tmp_path, rows(good(1)))
    cluster.fail_next_commit(2)
    (outcome,) = Worker([runner(cluster, tmp_path, "dep")], lambda _: None, QUICK).run_to_end()
    assert outcome.fault == ""
    assert len(cluster.records(topics.EVENTS.name)) == 1


def test_what_does_not_pass_ends_with_its_last_reason(cluster: Cluster, tmp_path: Path) -> None:
    """After so many attempts in a row."""
    drop(tmp_path, rows(good(1)))
    cluster.fail_next_commit(99)
    (outcome,) = Worker([runner(cluster, tmp_path, "dep")], lambda _: None, QUICK).run_to_end()
    assert "refused" in outcome.fault
    assert not outcome.lasting


def test_an_unforeseen_fault_is_told_as_a_sentence(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of system with a bug must not take the fleet down."""
    drop(tmp_path, rows(good(1)))
    monkeypatch.setattr(Runner, "run_once", lambda _: 1 / 0)
    (outcome,) = Worker([runner(cluster, tmp_path, "dep")], lambda _: None, QUICK).run_to_end()
    assert outcome.fault.startswith("The connector dep failed unforeseen (ZeroDivisionError")


def test_pauses_grow_to_a_longest() -> None:
    """A dead department is not asked a thousand times a minute."""
    pauses = Pauses(first=0.5, longest=60)
    assert [pauses.after(number) for number in (1, 2, 3, 8, 1000)] == [0.5, 1.0, 2.0, 60.0, 60.0]


# deliveries


class Department:
    """A receiving system that fails when told to, and counts what it was given."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.got: list[str] = []

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        if self.failures:
            self.failures -= 1
            raise RetryError("The line is down.")
        repeated = delivery["delivery_id"] in self.got
        self.got += [] if repeated else [delivery["delivery_id"]]
        return Receipt("here", repeated)


def order(cluster: Cluster, number: int, to: str = "water@990101") -> None:
    value = {
        "delivery_id": f"d{number}",
        "case": f"case:C{number}",
        "sequence": 1,
        "rule": "hand_up",
        "to": to,
        "hand_over": None,
        "kind": "hand_over",
        "decided_at": NOW,
        "summary": {},
    }
    cluster.publish([Message(topics.DELIVERIES.name, 0, to.encode(), default().encode_record("Delivery", value), NOW // 1000)])


@pytest.fixture(autouse=True)
def _no_idling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests wait for nothing."""
    monkeypatch.setattr(deliver, "IDLE", 0.0)


def run(cluster: Cluster, *receivers: Receiver, pauses: deliver.Pauses = AT_ONCE) -> None:
    Deliveries(receivers, cluster, default(), "deliver", pauses).run_to_end(threading.Event())


def reasons(cluster: Cluster) -> list[str]:
    return [letter.value["reason"] for letter in deadletters.read(cluster, default())]


def test_each_authority_gets_its_deliveries_once(cluster: Cluster) -> None:
    """By pattern; a second run brings nothing again."""
    water, other = Department(), Department()
    for number, to in enumerate(("water@990101", "water@990102", "fire@990101")):
        order(cluster, number, to)
    receivers = Receiver("a", ["water@*"], water, 3), Receiver("b", ["*@990101"], other, 3)
    run(cluster, *receivers)
    run(cluster, *receivers)
    assert (water.got, other.got) == (["d0", "d1"], ["d2"])
    assert reasons(cluster) == []


def test_what_fails_is_parked_and_blocks_nobody(cluster: Cluster) -> None:
    """The one behind it is delivered; the parked one comes when its time has come."""
    slow, sound = Department(failures=1), Department()
    order(cluster, 1, "slow@1")
    order(cluster, 2, "sound@1")
    receivers = Receiver("slow", ["slow@*"], slow, 5), Receiver("sound", ["sound@*"], sound, 5)
    run(cluster, *receivers, pauses=deliver.Pauses(3600, 3600))
    assert (slow.got, sound.got) == ([], ["d2"])
    assert len(cluster.records(topics.RETRIES.name)) >= 1


def test_a_parked_delivery_is_tried_again_when_it_is_due(cluster: Cluster) -> None:
    """Without another order from anybody."""
    slow = Department(failures=2)
    order(cluster, 1)
    run(cluster, Receiver("slow", ["*"], slow, 5))
    assert slow.got == ["d1"]
    assert reasons(cluster) == []


def test_what_fails_for_good_becomes_a_dead_letter(cluster: Cluster) -> None:
    """With the receiver, the attempts, the remedy, and the delivery's bytes."""
    order(cluster, 1)
    run(cluster, Receiver("dead", ["*"], Department(failures=99), 3))
    (letter,) = deadletters.read(cluster, default())
    assert (letter.value["reason"], letter.value["stage"], letter.value["key"]) == ("not_delivered", "DELIVERY", "d1")
    assert "in 3 attempts: The line is down." in letter.value["text"]
    assert default().decode_record(letter.value["raw"])[1]["delivery_id"] == "d1"


def test_a_delivery_for_nobody_here_is_told(cluster: Cluster) -> None:
    """It does not vanish."""
    order(cluster, 1, "unknown@1")
    run(cluster, Receiver("a", ["water@*"], Department(), 3))
    assert reasons(cluster) == ["no_receiver"]


def test_an_effect_whose_commit_failed_is_repeated_and_dropped_by_the_receiver(cluster: Cluster) -> None:
    """At least once to the outside, with an idempotency key."""
    water = Department()
    order(cluster, 1)
    cluster.fail_next_commit()
    run(cluster, Receiver("a", ["*"], water, 3))
    assert water.got == ["d1"]


def test_a_delivery_becomes_a_file_that_is_whole_from_its_first_moment(tmp_path: Path) -> None:
    """One file for each delivery id, written aside and renamed; deliver: in the YAML names the folder."""
    delivering = CSV + "deliver: {to: water@*, kind: files, target: {folder: out/water}}\n"
    (receiver,) = deliver.receivers([connector(tmp_path, delivering)])
    assert receiver.takes("water@990101")
    assert not receiver.takes("fire@990101")
    delivery = {"delivery_id": "a/b", "case": "case:C1", "to": "water@1", "kind": "hand_over"}
    first, second = receiver.target.deliver(delivery), receiver.target.deliver(delivery)
    assert (first.repeated, second.repeated) == (False, True)
    (file,) = (tmp_path / "out/water").iterdir()
    assert (file.name, json.loads(file.read_text("utf-8"))) == ("a_b.json", delivery)
