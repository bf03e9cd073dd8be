"""Deliveries that wait: written once, remembered over a restart, in order for each case, tried when they are due."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from connector_world import NOW

from bus import topics
from bus.errors import BusError, RetryError
from bus.memory import Cluster
from bus.ports import Message
from connectors import deadletters, deliver, waiting
from connectors.deliver import Deliveries, Pauses, Receiver
from connectors.source import LaterError, Receipt, RefusedError
from schemas.codec import default

HOUR = Pauses(3600, 3600)
AT_ONCE = Pauses(0, 0)


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.create(topics.standard(2))
    return made


class Department:
    """Fails with these errors, one after the other; then takes what comes. `asked` counts every attempt."""

    def __init__(self, *errors: BusError, seconds: float = 0.0) -> None:
        self.errors = list(errors)
        self.seconds = seconds
        self.asked: list[str] = []
        self.got: list[str] = []

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        self.asked.append(delivery["delivery_id"])
        time.sleep(self.seconds)
        if self.errors:
            raise self.errors.pop(0)
        self.got.append(delivery["delivery_id"])
        return Receipt("here", False)


def order(cluster: Cluster, number: int, case: str = "", sequence: int = 1) -> None:
    value = {
        "delivery_id": f"d{number}",
        "case": case or f"case:C{number}",
        "sequence": sequence,
        "rule": "hand_up",
        "to": "water@1",
        "hand_over": None,
        "kind": "hand_over",
        "decided_at": NOW,
        "summary": {},
    }
    cluster.publish([Message(topics.DELIVERIES.name, 0, b"water@1", default().encode_record("Delivery", value), NOW // 1000)])


def run(cluster: Cluster, department: Department, pauses: Pauses = HOUR, attempts: int = 5) -> None:
    receiver = Receiver("water", ["*"], department, attempts)
    Deliveries([receiver], cluster, default(), "deliver", pauses).run_to_end(threading.Event())


def waits(cluster: Cluster) -> dict[str, waiting.Waiting]:
    return waiting.read(cluster, default())


def reasons(cluster: Cluster) -> list[str]:
    return [letter.value["reason"] for letter in deadletters.read(cluster, default())]


DOWN = RetryError("The line is down.")


def test_what_waits_is_written_once_and_remembered(cluster: Cluster) -> None:
    """Looking again and again writes nothing; a process that starts anew knows of it and keeps to its time."""
    order(cluster, 1)
    for department in (Department(DOWN), Department(), Department()):
        run(cluster, department)
        assert department.got == []
    (one,) = waits(cluster).values()
    assert (one.id, one.attempts, one.reason) == ("d1", 1, "The line is down.")
    assert one.at > time.time() * 1000 + 3_500_000
    assert len(cluster.records(topics.RETRIES.name)) == 1


def test_what_was_delivered_waits_no_more(cluster: Cluster) -> None:
    """Its last record says so; a restart does not deliver it again."""
    order(cluster, 1)
    department = Department(DOWN, DOWN)
    run(cluster, department, AT_ONCE)
    run(cluster, department, AT_ONCE)
    assert (department.asked, department.got) == (["d1"] * 3, ["d1"])
    assert waits(cluster) == {}


def test_one_receiver_is_told_of_one_case_in_order(cluster: Cluster) -> None:
    """A withdrawal does not overtake the hand-over that waits; other cases go on."""
    order(cluster, 1, "case:A", 1)
    run(cluster, Department(DOWN))
    order(cluster, 2, "case:A", 2)
    order(cluster, 3, "case:B", 1)
    department = Department()
    run(cluster, department)
    assert department.got == ["d3"]
    assert waits(cluster)["d2"].reason == "It waits behind d1 of the same case."
    ask(cluster, "d1")
    run(cluster, department)
    assert department.got == ["d3", "d1", "d2"]


def ask(cluster: Cluster, name: str) -> None:
    """A person wants it tried now."""
    cluster.publish([waits(cluster)[name].at_once().message(0)])


def test_a_receiver_that_does_not_answer_is_not_asked_for_each(cluster: Cluster) -> None:
    """A transaction of twenty deliveries would last twenty time-outs, and the process would be ended as one that hangs."""
    for number in range(30):
        order(cluster, number)
    department = Department(*[DOWN] * 99)
    run(cluster, department)
    assert len(department.asked) == 1
    assert len(waits(cluster)) == 30
    assert sum(one.attempts for one in waits(cluster).values()) == 1


def test_a_slow_receiver_does_not_make_a_transaction_long(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the time does not suffice for comes with the next one."""
    monkeypatch.setattr(deliver, "BUDGET", 0.02)
    for number in range(5):
        order(cluster, number)
    department = Department(seconds=0.015)
    run(cluster, department)
    assert sorted(department.got) == [f"d{number}" for number in range(5)]
    assert any(one.value for one in cluster.records(topics.RETRIES.name))


def test_what_can_never_be_taken_keeps_the_others_up_no_longer(cluster: Cluster) -> None:
    """Those that were tried least come first."""
    for number in range(4):
        order(cluster, number)
    department = Department(DOWN)
    run(cluster, department, AT_ONCE)
    assert department.asked == ["d0", "d1", "d2", "d3", "d0"]


def test_what_is_refused_for_good_is_a_dead_letter_at_once(cluster: Cluster) -> None:
    """Asking again would not help; with the receiver's own words."""
    order(cluster, 1)
    department = Department(RefusedError("No such case number."))
    run(cluster, department)
    (letter,) = deadletters.read(cluster, default())
    assert (letter.value["reason"], department.asked, waits(cluster)) == ("delivery_refused", ["d1"], {})
    assert letter.value["text"] == "water refused it: No such case number."


def test_what_waited_in_vain_is_a_dead_letter_and_waits_no_more(cluster: Cluster) -> None:
    """After so many attempts."""
    order(cluster, 1)
    run(cluster, Department(*[DOWN] * 9), AT_ONCE, attempts=3)
    assert (reasons(cluster), waits(cluster)) == (["not_delivered"], {})


def test_the_receivers_own_word_about_when_counts(cluster: Cluster) -> None:
    """Retry-After, where it is longer than our pause."""
    order(cluster, 1)
    run(cluster, Department(LaterError("Closed.", 7200)), AT_ONCE)
    assert waits(cluster)["d1"].at > time.time() * 1000 + 7_100_000


def test_a_person_may_have_it_tried_before_its_time(cluster: Cluster) -> None:
    """Once: when it fails again it waits again."""
    order(cluster, 1)
    run(cluster, Department(DOWN))
    ask(cluster, "d1")
    department = Department(DOWN)
    run(cluster, department)
    assert department.asked == ["d1"]
    assert (waits(cluster)["d1"].attempts, waits(cluster)["d1"].asked) == (2, False)


def test_an_error_nobody_thought_of_is_one_receivers_alone(cluster: Cluster) -> None:
    """It waits like any other failure, and says what it was."""

    class Broken(Department):
        def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
            raise ZeroDivisionError(f"a fault of the kind, at {delivery['delivery_id']}")

    order(cluster, 1)
    run(cluster, Broken())
    assert waits(cluster)["d1"].reason == "ZeroDivisionError: a fault of the kind, at d1"


def test_bytes_that_are_no_delivery_are_told(cluster: Cluster) -> None:
    """They stop nobody behind them."""
    cluster.publish([Message(topics.DELIVERIES.name, 0, b"water@1", b"nothing of ours", 0)])
    order(cluster, 1)
    department = Department()
    run(cluster, department)
    assert (reasons(cluster), department.got) == (["unreadable_delivery"], ["d1"])


def test_who_takes_deliveries_may_change_between_two_batches(cluster: Cluster) -> None:
    """What waits for one whose settings were mended is tried at once; where nobody is left, nothing becomes a dead letter."""
    order(cluster, 1)
    broken, mended = Department(DOWN), Department()
    run(cluster, broken)
    found = [(Receiver("water", ["*"], broken, 5),), (Receiver("water", ["*"], mended, 5),)]
    service = Deliveries(lambda: found[0], cluster, default(), "deliver", HOUR)
    service.run_to_end(threading.Event())
    assert (broken.got, mended.got) == ([], [])
    waiter = Deliveries(changing(found), cluster, default(), "deliver", HOUR)
    waiter.run_to_end(threading.Event())
    assert (broken.got, mended.got) == ([], ["d1"])
    order(cluster, 2)
    Deliveries(lambda: (), cluster, default(), "deliver", HOUR).run(threading.Event())
    assert reasons(cluster) == []


def changing(found: list[tuple[Receiver, ...]]) -> Callable[[], tuple[Receiver, ...]]:
    """The second answer from the third time on that it is asked: when what waits has been read."""
    asked = itertools.count()
    return lambda: found[0] if next(asked) < 2 else found[1]
