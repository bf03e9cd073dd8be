"""A deployment with a real Kafka of its own, as `casebus init` makes it, before any department is in it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bus.broker import Broker
from bus.ports import Client
from bus.topics import standard
from casebus.crew import CASEBUS
from casebus.deployment import Deployment
from casebus.wiring import Wiring

#: What a department's connector says of its rows; what they give is the test's.
COLUMNS = """\
every: 1
zone: Asia/Shanghai
columns:
  serial: {clean: key, required: true}
  number: {clean: key, required: true}
  at: {type: time, formats: "%Y-%m-%d %H:%M:%S", required: true}
key: serial
case: number
header: {occurred_at: at, region: "'990101'", authority: "'permits@990101'"}
"""
HEADING = "serial,number,at\n"


def line(number: int) -> str:
    """A row of a case of its own."""
    return f"{number},99010120260105{number:06d},2026-01-05 09:00:00\n"


class Begun(NamedTuple):
    """Its folder, its parts, a client of its Kafka."""

    folder: Path
    wiring: Wiring
    client: Client


class Workers:
    """The worker processes that are started in a deployment's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workers: list[subprocess.Popen[bytes]] = []

    def worker(self) -> subprocess.Popen[bytes]:
        with (self.folder / f"worker-{len(self.workers)}.log").open("wb") as log:
            self.workers.append(subprocess.Popen([*CASEBUS, "connect", str(self.folder)], stderr=log))
        return self.workers[-1]

    def logs(self) -> str:
        return "\n".join(path.read_text("utf-8", "replace")[-3000:] for path in self.folder.glob("worker-*.log"))

    def end(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(30)


@contextmanager
def begun(folder: Path, casebus: Any) -> Iterator[Begun]:
    """Every topic is there, and the broker serves whoever is started in the folder."""
    casebus("init", folder).good()
    for old in (folder / "connectors").glob("*.yaml"):
        old.unlink()
    wiring = Wiring(Deployment.load(folder))
    with Broker(wiring.deployment.data / "kafka"), wiring.client() as client:
        client.create(standard(wiring.settings.kafka.partitions))
        yield Begun(folder, wiring, client)
