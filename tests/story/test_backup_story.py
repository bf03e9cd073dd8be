"""A city that is saved while it works, destroyed, and put back elsewhere goes on: nothing is lost, nothing is there twice."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bus.broker import Broker
from bus.errors import ConfigurationError
from bus.snapshot import LONGEST
from bus.topics import EVENTS, JOURNAL
from casebus.__main__ import AGAIN
from casebus.commands.demo import make
from casebus.demo_check import check
from casebus.deployment import Deployment
from casebus.wiring import Wiring, patiently

pytestmark = [pytest.mark.broker, pytest.mark.timeout(600)]
CASES = 40
GROWING = ("market.jsonl", "quality.csv")
#: Seconds over which the growing exports arrive.
DAY = 12.0


class Growing:
    """Two departments' exports, which grow line by line; the others are there from the start."""

    def __init__(self, exports: Path) -> None:
        self._exports = exports
        self._whole = {name: (exports / name).read_bytes().splitlines(keepends=True) for name in GROWING}
        self._over = threading.Event()
        self.put(exports, 0.1)

    def put(self, exports: Path, share: float) -> None:
        for name, lines in self._whole.items():
            (exports / name).write_bytes(b"".join(lines[: max(1, int(len(lines) * share))]))

    def run(self) -> None:
        for step in range(1, 21):
            if self._over.wait(DAY / 20):
                return
            self.put(self._exports, 0.1 + 0.4 * step / 20)

    @contextmanager
    def day(self) -> Iterator[None]:
        thread = threading.Thread(target=self.run)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()


def ends(wiring: Wiring, topic: str) -> int:
    """0 too while Kafka and its topics are being made."""
    if not Broker(wiring.deployment.data / "kafka").serves:
        return 0
    with wiring.client() as client, suppress(ConfigurationError):
        return sum(patiently(lambda: client.ends([topic])).values())
    return 0


def until(up: subprocess.Popen[bytes], true: Callable[[], bool]) -> None:
    """And `up` must live; nobody else may start its broker."""
    deadline = time.monotonic() + 180
    while not true():
        assert up.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)


def saved(casebus: Any, folder: Path, to: Path) -> Any:
    """On a machine that is far too busy a copy is refused, and may be tried again."""
    for _ in range(5):
        if (done := casebus("backup", folder, "--to", to, "--json")).code != AGAIN:
            break
    return done.good().json


def test_a_city_saved_at_work_goes_on_elsewhere(casebus: Any, tmp_path: Path) -> None:
    """Saved between two batches, killed later, restored, given the rest: figures as the truth has them, the audit equal."""
    first, second = tmp_path / "first", tmp_path / "far" / "second"
    truth = make(first, CASES, 11)
    growing = Growing(first / "exports")
    up = subprocess.Popen([sys.executable, "-P", "-m", "casebus", "up", str(first)], stderr=subprocess.DEVNULL)
    try:
        wiring = Wiring(Deployment.load(first))
        with growing.day():
            until(up, lambda: ends(wiring, JOURNAL.name) > 100)
            said = saved(casebus, first, tmp_path)
        known = ends(wiring, EVENTS.name)
        growing.put(first / "exports", 0.8)  # work that the copy does not know
        until(up, lambda: ends(wiring, EVENTS.name) > known)
    finally:
        up.kill()  # whatever it has started ends with it
        up.wait()
    first.rename(tmp_path / "lost")  # Kafka may be ending in it yet

    assert 0 < said["held_seconds"] < LONGEST
    assert "elsewhere" not in casebus("restore", said["file"], second).good().out
    wiring = Wiring(Deployment.load(second))
    with Broker(wiring.deployment.data / "kafka"):
        assert 0 < ends(wiring, EVENTS.name) <= known
    growing.put(second / "exports", 1.0)
    casebus("up", second, "--exit", "--json").good()
    report = casebus("audit", second, "--json").good().json
    assert (report["differences"], report["waiting"], report["behind"]) == ([], 0, 0)
    with closing(wiring.view()) as view, wiring.client() as client:
        found = check(wiring, view, client, truth)
    assert [line for line in found.lines if not line.right] == []
    assert found.wrong == []
