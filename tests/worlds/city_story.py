"""The example city in one process: its connectors, a router, deliveries and the view over the double of Kafka."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bus.memory import Cluster
from bus.store import open_store
from bus.topics import DEADLETTERS, DELIVERIES, standard
from bus.transaction import Loop
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from connectors.deliver import Deliveries, receivers
from connectors.runner import Runner
from monitor import tables
from monitor.afterwards import QUIET, Afterwards
from monitor.alerts import Judge
from monitor.rows import Rows
from monitor.service import Service
from monitor.speaker import Speaker
from router.contexts import Contexts
from router.service import TOPICS, Router, Settings
from schemas.case import Case, decode_state

EXAMPLE = Path(__file__).parents[2] / "examples" / "city"
PARTITIONS = 4


class City:
    """What `casebus up --exit` does, with the same parts."""

    def __init__(self, tmp_path: Path, patch: pytest.MonkeyPatch, folder: Path = EXAMPLE) -> None:
        self.out = tmp_path / "out"
        patch.setenv("CASEBUS_OUT", str(self.out))
        patch.setenv("CASEBUS_DATA", str(tmp_path / "data"))
        patch.setenv("CASEBUS_IN", "0")
        self.wiring = Wiring(Deployment.load(folder))
        self.wiring.check()
        self.cluster = Cluster()
        self.cluster.create(standard(PARTITIONS))
        contexts = Contexts(self.wiring.catalogue, self.wiring.directory, self.wiring.settings.zone)
        settings = Settings(PARTITIONS, self.wiring.law, contexts)
        stores = tmp_path / "stores"
        self._router = Router(
            self.cluster, self.wiring.codec, lambda number: open_store(stores / str(number), "sqlite"), settings
        )
        self._loop = Loop(self.cluster, "router", TOPICS, self._router, "router-0")
        self._runners = [
            Runner(one, self.cluster, self.wiring.codec, self.wiring.receipts, replay=True) for one in self.wiring.connectors
        ]

    def run(self) -> City:
        for runner in self._runners:
            runner.run_once()
        self._route()
        self.view = self.wiring.view()
        service = Service(self.view, self.cluster, self.wiring.codec)
        service.load()
        if self.wiring.settings.alerts.replay:
            self._supervise()
        service.load()
        found = receivers(self.wiring.connectors)
        Deliveries(found, self.cluster, self.wiring.codec, "deliveries").run_to_end(threading.Event())
        return self

    def _route(self) -> None:
        idle = 0
        while idle < 3:
            idle = 0 if self._loop.step() else idle + 1

    def _supervise(self) -> None:
        """As `alerts.replay` has it: everything has come, it is quiet, and now the supervision speaks."""
        seconds = iter((0.0, 0.0, QUIET, QUIET))
        language = self.wiring.settings.alerts.language
        judge = Judge(self.wiring.panel, self.wiring.clockwork, self.wiring.now(self.view), language)
        speaker = Speaker(self.view, self.cluster, self.wiring.codec, judge)
        told = Afterwards(self.view, judge, speaker, lambda: next(seconds))
        told(Rows({}, [row.case_key for row in self.view.all(select(tables.cases.c.case_key))]))
        told(Rows({}, []))
        self._route()

    def close(self) -> None:
        self._router.close()
        self.view.close()

    # what stands

    def cases(self) -> dict[str, Case]:
        records = self.cluster.records("case.state")
        return {(record.key or b"").decode(): decode_state(record.value or b"").case for record in records}

    def opened(self) -> int:
        """Cases that an application has come for, under their own number."""
        return len(self.view.all(select(tables.cases.c.case_key).where(tables.cases.c.opened, tables.cases.c.forwards_to == "")))

    def told(self, case: str) -> list[tuple[str, str]]:
        """What was told to whom about a case, without what was taken back."""
        decoded = [self.wiring.codec.decode_record(one.value or b"")[1] for one in self.cluster.records(DELIVERIES.name)]
        withdrawn = {one["summary"]["withdraws"] for one in decoded if one["kind"] == "withdrawn"}
        mine = [one for one in decoded if one["case"] == case and one["kind"] != "withdrawn"]
        return [(one["kind"], one["to"]) for one in mine if one["delivery_id"] not in withdrawn]

    def letters(self) -> list[dict[str, Any]]:
        return [self.wiring.codec.decode_record(one.value or b"")[1] for one in self.cluster.records(DEADLETTERS.name)]

    def files(self, system: str) -> list[dict[str, Any]]:
        """What lies in the folder that a department's system watches."""
        return [json.loads(path.read_text("utf-8")) for path in sorted((self.out / system).glob("*.json"))]
