"""A router on the double of Kafka, with a hand that breaks things: for the story tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from router_lives import EVERY_DAY_WORKS, event, finished, life, moment

from bus.memory import Cluster
from bus.partition import partition_of
from bus.ports import Message, Record
from bus.store import open_store
from bus.topics import ALERTS, DEADLETTERS, DELIVERIES, EVENTS, JOURNAL, STATE, standard
from bus.transaction import Loop
from router.law import LawProfile
from router.service import TOPICS, Router, Settings
from schemas.case import CaseState, decode_state
from schemas.codec import default
from schemas.envelope import Event

__all__ = ["CODEC", "EVERY_DAY_WORKS", "PARTITIONS", "Story", "event", "finished", "life", "moment"]

PARTITIONS = 3
CODEC = default()


class Story:
    """Some routers over one cluster. `play` publishes events and works until nothing is left to do."""

    def __init__(
        self, folder: Path, profile: LawProfile | None = None, routers: int = 1, batch: int = 7, **settings: Any
    ) -> None:
        self.cluster = Cluster()
        self.cluster.create(standard(PARTITIONS))
        self.settings = Settings(PARTITIONS, profile or LawProfile(), **settings)
        self._folder, self._batch = folder, batch
        self.routers: list[Router] = []
        self.loops = [self.start(number) for number in range(routers)]

    def start(self, number: int) -> Loop:
        """A router with a folder of its own: what it does not hold it reads from the changelogs."""
        home = self._folder / f"router-{number}"
        router = Router(self.cluster, CODEC, lambda place: open_store(home / str(place), "sqlite"), self.settings)
        self.routers.append(router)
        return Loop(self.cluster, "router", TOPICS, router, f"router-{number}", self._batch)

    def replace(self, index: int) -> None:
        """One router dies without a word; another starts with an empty folder."""
        self.routers[index].close()
        self.loops[index].close()
        self.loops[index] = self.start(len(self.routers))

    def publish(self, events: Iterable[Event], topic: str = EVENTS.name) -> None:
        self.cluster.publish([_message(event, topic) for event in events])

    def end(self, run: str = "run") -> None:
        """The runner's markers: no more input."""
        value = CODEC.encode_record("InputEnded", {"run": run, "hop": 0, "sender": 0})
        headers = (("type", b"InputEnded"),)
        self.cluster.publish([Message(EVENTS.name, number, None, value, 9, headers) for number in range(PARTITIONS)])

    def work(self, random: Random | None = None) -> None:
        """Step every loop until none has anything to do; with `random`, break something now and then."""
        idle = 0
        while idle < 3 * len(self.loops):
            if random is not None and random.random() < 0.2:
                self._break(random)
            done = sum(loop.step() for loop in self.loops)
            idle = 0 if done else idle + 1
        self.cluster._fail_before = self.cluster._fail_after = 0  # what was not met is not left for the publisher

    def play(self, events: Iterable[Event], random: Random | None = None) -> None:
        self.publish(events)
        self.work(random)

    def alert(self, *events: Event) -> None:
        self.publish(events, ALERTS.name)
        self.work()

    def _break(self, random: Random) -> None:
        what = random.choice(["refuse", "unknown", "replace"])
        if what == "refuse":
            self.cluster.fail_next_commit()
        elif what == "unknown":
            self.cluster.fail_after_commit()
        else:
            self.replace(random.randrange(len(self.loops)))

    # what stands

    def states(self) -> dict[str, CaseState]:
        return {(record.key or b"").decode(): decode_state(record.value or b"") for record in self.cluster.records(STATE.name)}

    def journal(self) -> dict[str, list[dict[str, Any]]]:
        """The entries of each case in the order of the topic."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in self.cluster.records(JOURNAL.name):
            name, entry = CODEC.decode_record(record.value or b"")
            if name == "JournalEntry":
                found[entry["case"]].append(entry)
        return found

    def kinds(self, case: str) -> list[str]:
        return [entry["kind"] for entry in self.journal()[case]]

    def deliveries(self) -> list[dict[str, Any]]:
        return [_value(record) for record in self.cluster.records(DELIVERIES.name)]

    def letters(self) -> list[dict[str, Any]]:
        return [_value(record) for record in self.cluster.records(DEADLETTERS.name)]

    def ended(self) -> set[int]:
        """The journal partitions in which the end of input is the last word."""
        found = set()
        for record in self.cluster.records(JOURNAL.name):
            name, value = CODEC.decode_record(record.value or b"")
            if name == "InputEnded" and value["hop"] == 2:
                found.add(record.partition)
        return found


def _message(event: Event, topic: str) -> Message:
    key = event.case.encode()
    return Message(topic, partition_of(key, PARTITIONS), key, event.raw, event.received_at // 1000)


def _value(record: Record) -> dict[str, Any]:
    return CODEC.decode_record(record.value or b"")[1]
