"""A deployment with wrong rows in one process: connector, router and view over the double of Kafka."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import yaml

from bus.memory import Cluster
from bus.store import open_store
from bus.topics import DEADLETTERS, EVENTS, standard
from bus.transaction import Loop
from casebus import supervisor
from casebus.deployment import Deployment
from casebus.letters.desk import Desk, Item, Who
from casebus.wiring import Wiring
from connectors.runner import Runner
from monitor.service import Service
from router.contexts import Contexts
from router.service import TOPICS, Router, Settings
from schemas.envelope import Event
from schemas.handled import PENDING

TEMPLATE = Path(supervisor.__file__).parent / "templates" / "init"
PARTITIONS = 2
ME = Who("li", "the department said so")

MAPPING: dict[str, Any] = {
    "kind": "files",
    "source": {"path": "exports/rows.csv", "format": "csv"},
    "columns": {
        "serial": {"required": True},
        "number": {"required": True},
        "state": {"required": True},
        "at": {"type": "time", "formats": "%Y-%m-%d", "required": True},
        "item": {},
    },
    "key": "serial",
    "case": "number",
    "choose": "state",
    "header": {"authority": "'environment@500001'", "region": "'500001'", "occurred_at": "at", "item": "item"},
    "events": [{"type": "Applied", "on": "A"}, {"type": "Accepted", "on": "B"}],
}
HEAD = "serial,number,state,at,item"


class World:
    """What `casebus up` does, by hand: `publish` reads the sources, `route` lets the router work and the view read."""

    def __init__(self, folder: Path, *rows: str) -> None:
        self.folder = folder / "mycity"
        shutil.copytree(TEMPLATE, self.folder)
        (self.folder / "connectors" / "permits.yaml").unlink()
        self.write(*rows)
        self.map()
        self.cluster = Cluster()
        self.cluster.create(standard(PARTITIONS))
        self.again()
        self._stores = folder / "stores"
        self._start()
        self.view = self.wiring.view()
        self._service = Service(self.view, self.cluster, self.wiring.codec)

    def _start(self) -> None:
        contexts = Contexts(self.wiring.catalogue, self.wiring.directory, self.wiring.settings.zone)
        settings = Settings(PARTITIONS, self.wiring.law, contexts)
        codec, stores = self.wiring.codec, self._stores
        self._router = Router(self.cluster, codec, lambda number: open_store(stores / str(number), "sqlite"), settings)
        self._loop = Loop(self.cluster, self.wiring.router_group, TOPICS, self._router, "router-0")

    def write(self, *rows: str) -> None:
        text = "\n".join([HEAD, *rows]) + "\n"
        (self.folder / "exports" / "rows.csv").write_bytes(text.encode("utf-8", "surrogateescape"))

    def map(self, *more: dict[str, Any]) -> None:
        """The connector's file, with more events."""
        found = {**MAPPING, "events": [*MAPPING["events"], *more]}
        (self.folder / "connectors" / "dep.yaml").write_text(yaml.safe_dump(found, allow_unicode=True), "utf-8")

    def again(self) -> None:
        """A new process: settings, mappings and catalogue are read anew."""
        head = Deployment.load(self.folder)
        kafka = head.settings.kafka.model_copy(update={"partitions": PARTITIONS})
        self.wiring = Wiring(Deployment(head.folder, head.settings.model_copy(update={"kafka": kafka})))

    def restart(self) -> None:
        """A new router, which knows today's catalogue."""
        self.again()
        self._loop.close()
        self._router.close()
        self._start()

    def publish(self) -> World:
        for connector in self.wiring.connectors:
            runner = Runner(connector, self.cluster, self.wiring.codec, self.wiring.receipts)
            runner.run_once()
            runner.close()
        return self

    def end_input(self) -> World:
        """What `up --exit` says at the end: cases without an application expire."""
        self.cluster.publish(supervisor.end_markers(self.wiring.codec, "run", range(PARTITIONS)))
        return self

    def route(self) -> World:
        idle = 0
        while idle < 3:
            idle = 0 if self._loop.step() else idle + 1
        self._service.load()
        return self

    @property
    def desk(self) -> Desk:
        return Desk(self.wiring, self.cluster, self.view)

    def replay(self, *names: str) -> None:
        """Publish, let the router work, hear what it says."""
        self.desk.replay(names, ME)
        self.route()
        self.desk.settle(names, ME, 5)

    def open(self) -> list[Item]:
        return [item for item in self.desk.items() if item.state in PENDING]

    def the_only(self) -> Item:
        (item,) = self.open()
        return item

    def state(self, name: str) -> str:
        return next(item.state.value for item in self.desk.items() if item.id == name)

    def events(self) -> list[Event]:
        """On the bus, without markers."""
        records = self.cluster.records(EVENTS.name)
        return [self.wiring.codec.decode(record.value or b"") for record in records if record.key is not None]

    def letters(self) -> int:
        return len(self.cluster.records(DEADLETTERS.name))

    def close(self) -> None:
        self._loop.close()
        self._router.close()
        self.view.close()


Make = Callable[..., World]


@contextmanager
def makers(folder: Path) -> Iterator[Make]:
    """`make(*rows)`: these rows have been published and routed. All that was made is closed in the end."""
    with ExitStack() as made:
        yield lambda *rows: made.enter_context(closing(World(folder, *rows))).publish().route()
