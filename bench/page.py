"""How long a page takes over many cases: `python -m bench.page --cases 1000000`.

Makes a view with that many cases (a tenth of them open, three events each), serves the real page over it in a process of
its own, and asks as browsers and programs do: time to the whole answer, p50 and p95. Then it changes one case at a time and
tells how long until the API shows it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import httpx
import psutil
from sqlalchemy import insert

from bus.ports import Partition, Record
from bus.topics import STATE
from casebus.commands.page import some_port
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from monitor import tables
from monitor.clockmode import wall
from monitor.rows import event_row, rows_of
from monitor.times import DAY
from monitor.view import View
from monitor.web.access import Role, User
from schemas import codec
from schemas.case import Case, CaseState, Phase, encode_state
from schemas.envelope import Event, event_id

REGIONS = ("991201", "991202", "991203", "991204")
DEPARTMENTS = ("quality-supervision", "market-supervision", "environment", "planning", "service-hall")
ITEMS = ("9912-QS-001", "9912-QS-002", "9912-MS-001", "9912-EN-001", "9912-PL-001")
OPEN, EVENTS, AT_ONCE = 10, 3, 20_000
CODEC = codec.default()
BODIES = {"FeeCharged": {"amount": 100}}
PATHS = (
    "/",
    "/cases",
    "/cases?state=all&q=99120320260",
    "/cases?state=ended&department=environment&sort=ended",
    "/places?region=991203",
    "/process?item=9912-EN-001",
    "/desk",
    "/case/{number}",
    "/api/v1/lights",
    "/api/v1/cases?state=all&page=50",
    "/api/v1/cases/{number}",
)


def case(number: int, now: int, dice: random.Random) -> Case:
    """Applied for within the last two years; every tenth, among the newest, is open."""
    is_open = number % OPEN == 0
    applied = now - dice.randrange(1, 40 if is_open else 700) * DAY - dice.randrange(DAY)
    region, department = dice.choice(REGIONS), dice.choice(DEPARTMENTS)
    who = f"{department}@{region}"
    ended = None if is_open else min(now, applied + dice.randrange(1, 30) * DAY)
    return Case(
        f"case:{region}2026{number:010}",
        region=region,
        item=dice.choice(ITEMS),
        authority=who,
        holder=who,
        level=4,
        phase=Phase.IN_PROGRESS if is_open else Phase.ENDED,
        applied_at=applied,
        received_at=applied,
        accepted_at=applied + DAY // 8,
        stopped_at=ended,
        ended_at=ended,
        promised_days=10,
        statutory_days=20,
        events=EVENTS,
        first_at=applied,
        last_at=ended or applied,
    )


def record(one: Case, offset: int) -> Record:
    return Record(STATE.name, 0, offset, one.key.encode(), encode_state(CaseState(one, sequence=EVENTS)), 0)


def event_rows(one: Case) -> Iterator[dict[str, object]]:
    types = ("Applied", "Accepted", "Decided" if one.ended_at else "FeeCharged")
    times = (one.applied_at, one.accepted_at, one.ended_at or one.accepted_at)
    for sequence, (kind, at) in enumerate(zip(types, times, strict=True), 1):
        yield event_row(one.key, sequence, event(one, kind, at or 0, sequence))


def event(one: Case, kind: str, at: int, sequence: int) -> Event:
    """As published."""
    header = {
        "event_id": event_id("bench", "t", one.key, kind, 1),
        "body_hash": "",
        "case": one.key,
        "authority": one.authority,
        "region": one.region,
        "sequence": sequence,
        "occurred_at": {"at": at, "precision": "SECOND", "zone": "Asia/Shanghai"},
        "received_at": at,
        "source": {"system": "bench", "table": "t", "key": one.key, "position": str(sequence)},
    }
    full, body = CODEC.complete(kind, header, {"result": "GRANTED"} if kind == "Decided" else BODIES.get(kind, {}))
    return Event(kind, full, body, CODEC.encode(kind, full, body))


def fill(view: View, cases: int, now: int) -> str:
    """The number of one open case."""
    dice = random.Random(7)
    for start in range(0, cases, AT_ONCE):
        made = [case(number, now, dice) for number in range(start, min(start + AT_ONCE, cases))]
        rows = rows_of([record(one, start + offset) for offset, one in enumerate(made)], CODEC)
        with view.writing() as connection:
            connection.execute(insert(tables.cases), rows.of(tables.cases))
            connection.execute(insert(tables.events), [row for one in made for row in event_rows(one)])
    with view.writing() as connection:
        connection.execute(insert(tables.offsets), {"topic": STATE.name, "partition": 0, "next_offset": cases})
    return made[0].key.partition(":")[2]


@contextlib.contextmanager
def served(folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    log = (folder / "page.log").open("wb")
    command = [sys.executable, "-P", "-m", "casebus", "page", str(folder), "--port", str(port)]
    with log, subprocess.Popen(command, stderr=log, stdout=log, env=os.environ) as process:
        try:
            began = time.monotonic()
            while process.poll() is None and time.monotonic() - began < 600:
                with contextlib.suppress(httpx.TransportError):
                    httpx.get(f"http://127.0.0.1:{port}/login")
                    break
                time.sleep(0.2)
            yield process
        finally:
            process.terminate()


def times(client: httpx.Client, path: str, rounds: int) -> dict[str, float]:
    """Milliseconds."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        answer = client.get(path)
        found.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"  # noqa: S101  a benchmark of errors is none
    cuts = quantiles(found, n=100)
    return {"p50": round(cuts[49], 1), "p95": round(cuts[94], 1)}


def shown(view: View, client: httpx.Client, cases: int, now: int, rounds: int) -> list[float]:
    """Milliseconds from the commit of a changed case to the API's showing it."""
    dice, found, offset = random.Random(8), [], cases
    for _ in range(rounds):
        one = case(0, now, dice)
        one.supervisions = [f"SV-{offset}"]
        view.apply_batch([record(one, offset)], {Partition(STATE.name, 0): offset}, CODEC)
        offset += 1
        began = time.perf_counter()
        while f"SV-{offset - 1}" not in client.get(f"/api/v1/cases?q={one.key.partition(':')[2]}").text:
            time.sleep(0.01)
        found.append((time.perf_counter() - began) * 1000)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(measured(Path(place) / "city", asked.cases, asked.rounds), indent=1))


def measured(folder: Path, cases: int, rounds: int) -> dict[str, object]:
    from importlib.resources import as_file, files
    from shutil import copytree

    with as_file(files("casebus") / "templates" / "demo") as template:
        copytree(template, folder)
    settings = folder / "casebus.yaml"
    settings.write_text(settings.read_text("utf-8").split("clock:")[0] + "clock: {mode: wall}\n", "utf-8")
    wiring, port, now = Wiring(Deployment.load(folder)), some_port("127.0.0.1"), wall()
    wiring.accounts.add(User("bench", Role.SUPERVISOR), "correct horse", now)
    token = wiring.accounts.new_token("bench", now)
    view = wiring.view()
    began = time.monotonic()
    number = fill(view, cases, now)
    report: dict[str, object] = {"cases": cases, "events": cases * EVENTS, "filled_s": round(time.monotonic() - began, 1)}
    began = time.monotonic()
    with served(folder, port) as process, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
        report["started_s"] = round(time.monotonic() - began, 1)
        client.headers["Authorization"] = f"Bearer {token}"
        client.post("/login", data={"name": "bench", "password": "correct horse"})
        paths = [path.format(number=number) for path in PATHS]
        report["ms"] = {path: times(client, path, rounds) for path in paths}
        cuts = quantiles(shown(view, client, cases, now, rounds), n=100)
        report["committed_to_shown_ms"] = {"p50": round(cuts[49]), "p99": round(cuts[98])}
        report["memory_mb"] = psutil.Process(process.pid).memory_info().rss // 1_000_000
    view.close()
    return report


if __name__ == "__main__":
    main()
