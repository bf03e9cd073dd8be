"""What a released version leaves behind, frozen: its topics, its view, its router's stores, a deployment's folder.

Made once, when a version is released, and never again: `PYTHONPATH=tests/worlds python -m released 0.1.0` writes
`tests/released/0.1.0`. `tests/truth/test_released.py` holds every later version to all of them.
"""

from __future__ import annotations

import base64
import gzip
import json
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

from fastavro import schemaless_writer
from router_lives import event
from router_story import CODEC, PARTITIONS, Story

from bus.memory import Cluster
from bus.memory_log import Log, Status, Transaction
from bus.ports import Message, Partition, Record, Store
from bus.store import open_store
from bus.topics import ALERTS, DEADLETTERS, EVENTS, STATE, standard
from casebus.letters import ledger
from connectors import fleet_orders
from connectors.fleet_orders import Word
from connectors.fleet_status import Reporter, Standing, State
from connectors.positions import Progress
from monitor.service import Service
from monitor.view import View
from schemas import contract
from schemas.codec import SINGLE_OBJECT
from schemas.contract import Contract
from schemas.envelope import Event
from schemas.handled import Act
from schemas.handled import State as Handled

FOLDER = Path(__file__).parents[1] / "released"
TEMPLATE = Path(__file__).parents[2] / "casebus" / "templates" / "init"
TOPICS, VIEW, STORE = "topics.jsonl.gz", "view.sql.gz", "state-{}.sql.gz"
GROUP = "router"
#: A case in which most things happen; the others come with each event type alone.
LIFE = (
    "Applied",
    "SupplementRequested",
    "SupplementReceived",
    "Accepted",
    "StepStarted",
    "StepCompleted",
    "HandedUp",
    "Received",
)


def events() -> list[Event]:
    """A life, and each event type once in every version that was frozen of it, each for a case of its own."""
    life = [event(name, day, case="city:life") for day, name in enumerate(LIFE)]
    forms = [form for form in contract.frozen() if form.is_event]
    return life + [
        _as(form, f"city:{number}") for number, form in enumerate(forms) if form.name not in {"AlertRaised", "AlertWithdrawn"}
    ]


def alerts() -> list[Event]:
    """In every version, about the same case: the router refuses those that judged too little."""
    return [_as(form, "city:life") for form in contract.frozen() if form.name in {"AlertRaised", "AlertWithdrawn"}]


def _as(form: Contract, case: str) -> Event:
    """An event as a writer of this version of its schema would write it."""
    made = event(form.name, 20, case=case)
    stream = BytesIO()
    schemaless_writer(stream, form.plain, {**made.body, "header": made.header})
    return CODEC.decode(SINGLE_OBJECT + form.fingerprint + stream.getvalue())


def freeze(folder: Path) -> None:
    """Let this version work on all of that, and keep what it leaves behind. Raises FileExistsError: a release is made once."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        story = Story(Path(scratch))
        story.play(events())
        story.alert(*alerts())
        story.cluster.publish(list(_beside()))
        with closing(View.at(Path(scratch) / "view.db")) as view:
            Service(view, story.cluster, CODEC).load()
        for router in story.routers:
            router.close()
        _keep(folder / TOPICS, "\n".join(_lines(story.cluster)))
        _keep(folder / VIEW, _dump(Path(scratch) / "view.db"))
        for number in range(PARTITIONS):
            _keep(folder / STORE.format(number), _dump(Path(scratch) / "router-0" / str(number) / "state.sqlite"))
    shutil.copytree(TEMPLATE, folder / "deployment")


def _beside() -> Iterator[Message]:
    """What connectors and people write beside the events."""
    yield Progress("7", 7, 6, 1).message("permits", 1)
    yield fleet_orders.message("permits", Word.PAUSE, {"by": "somebody"}, 1)
    yield ledger.message("0-1", [Act(Handled.DISMISSED, 1, "somebody", "twice")])
    told: list[Message] = []
    reporter = Reporter(_Told(told), "worker-1")  # type: ignore[arg-type]  the part of a client that it uses
    reporter.tell(Standing("permits", State.RUNNING, "files", rows=7, events=6, letters=1))
    reporter.flush(5)
    yield from told
    letter = {
        "reason": "missing_time",
        "text": "The row has no time.",
        "stage": "CONNECTOR",
        "system": "hall",
        "table": "t",
        "key": None,
        "position": "row 7",
        "field": "at",
        "found": "",
        "mapping_line": "hall.yaml:12",
        "event_id": None,
        "case": None,
        "raw": b"7,,",
        "received_at": 1,
    }
    yield Message(DEADLETTERS.name, 0, None, CODEC.encode_record("DeadLetter", letter), 1)


class _Told:
    """A client whose producer keeps what is sent."""

    def __init__(self, messages: list[Message]) -> None:
        self._messages = messages

    def producer(self, _: str) -> Any:
        return self

    def begin(self) -> None: ...
    def commit(self) -> None: ...

    def send(self, messages: list[Message]) -> None:
        self._messages += messages

    def read(self, _: object) -> Iterator[list[Record]]:
        yield from ()


def _lines(cluster: Cluster) -> Iterator[str]:
    """A line for each record and for how far the router has read; of a compacted topic all, as before the compaction."""
    for topic in sorted({place.topic for place in cluster.logs}):
        for record in cluster.records(topic):
            headers = [[name, _text(value)] for name, value in record.headers]
            yield json.dumps([*record[:3], _text(record.key), _text(record.value), record.timestamp, headers])
    committed = [[*place, offset] for place, offset in sorted(cluster.groups.committed(GROUP).items())]
    yield json.dumps({"committed": committed})


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)


def _dump(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return "\n".join(connection.iterdump())


def _keep(file: Path, text: str) -> None:
    file.write_bytes(gzip.compress(text.encode(), mtime=0))


def thaw(folder: Path) -> Cluster:
    """The topics again, every record at the offset where it stood, and how far the router had read."""
    cluster = Cluster()
    cluster.create(standard(PARTITIONS))
    done = Transaction(0, Status.COMMITTED)
    for line in _kept(folder / TOPICS).splitlines():
        said = json.loads(line)
        if isinstance(said, dict):
            cluster.groups.join(GROUP, "frozen", ())
            cluster.groups.store(GROUP, {Partition(*place): offset for *place, offset in said["committed"]})
            cluster.groups.leave(GROUP, "frozen")
            continue
        topic, partition, offset, key, value, timestamp, headers = said
        log = cluster.logs[Partition(topic, partition)]
        _fill(log, offset, done)
        pairs = tuple((name, _bytes(text) or b"") for name, text in headers)
        log.append(Message(topic, partition, _bytes(key), _bytes(value), timestamp, pairs), done)
    for log in cluster.logs.values():
        _fill(log, log.end() + 1, done)
        log._open.clear()
    return cluster


def _fill(log: Log, offset: int, done: Transaction) -> None:
    """Control records stood where no record does."""
    while log.end() < offset:
        log._open.setdefault(done, 0)
        log.close(done)


def view_of(folder: Path, place: Path) -> str:
    """The address of the view, as that version left it."""
    _load(place / "view.db", _kept(folder / VIEW))
    return f"sqlite:///{place / 'view.db'}"


def stores_of(folder: Path, place: Path) -> Callable[[int], Store]:
    """What opens the router's stores, as that version left them."""
    for number in range(PARTITIONS):
        home = place / str(number)
        home.mkdir(parents=True)
        _load(home / "state.sqlite", _kept(folder / STORE.format(number)))
    return opener(place)


def opener(place: Path) -> Callable[[int], Store]:
    """What opens a router's stores in this folder."""
    return lambda number: open_store(place / str(number))


def _kept(file: Path) -> str:
    return gzip.decompress(file.read_bytes()).decode()


def _load(database: Path, text: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(text)


def raws(cluster: Cluster) -> list[Record]:
    """Every event on the bus, alerts among them."""
    return [*cluster.records(EVENTS.name), *cluster.records(ALERTS.name)]


def states(cluster: Cluster) -> dict[bytes, bytes]:
    return {record.key or b"": record.value or b"" for record in cluster.records(STATE.name)}


if __name__ == "__main__":
    freeze(FOLDER / sys.argv[1])
    sys.stdout.write(f"frozen: {FOLDER / sys.argv[1]}\n")
