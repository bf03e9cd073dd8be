"""A storm over three brokers, several connectors, routers and monitors, for as long as one likes; then every case is compared.

    uv run python tests/torture/storm.py --minutes 60 --client confluent [--seed 7] [--rate 150] [--report FILE]

As root in namespaces of its own it also cuts brokers off without a word and fills the disk:

    unshare --net --mount uv run python tests/torture/storm.py --minutes 60 --as-root

The generator of the shared tools makes the city (`CASEBUS_SHARED`). Faults are chosen by the printed seed: the same seed
chooses the same faults in the same order (not the same moments inside the processes). At the end the weather clears, what is
left is processed to its end, and the audit, the truth of every case and both views must agree; exit 1 where they do not.
The report is JSON; `--markdown` prints it as the tables of docs/trust.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "worlds"))

import storm_faults  # noqa: E402  its folder was just named
from generated_city import differences  # noqa: E402  its folder was just named
from storm_world import LOOK, PARTITIONS, Plan, Stormy  # noqa: E402  its folder was just named

EVENTS_A_CASE = 12.4  # of the generator
CALM = (1.0, 4.0)  # seconds between two faults, at least and at most


class Blow(NamedTuple):
    """One fault: its kind, what was hit, when it began and ended (seconds of the storm)."""

    kind: str
    hit: str
    began: float
    ended: float


class Watch:
    """Looks at the journal all the time: when did each partition grow?"""

    def __init__(self, world: Stormy, begun: float) -> None:
        self._world, self._begun = world, begun
        self._ends: dict[int, int] = {}
        self.grown: list[tuple[float, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    @contextmanager
    def looking(self) -> Iterator[Watch]:
        self._thread.start()
        yield self
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(LOOK):
            now = time.monotonic() - self._begun
            for number, end in self._world.journal().items():
                if end > self._ends.get(number, 0):
                    self.grown.append((now, number))
                    self._ends[number] = end

    def recovery(self, blow: Blow) -> float | None:
        """Seconds from a fault's beginning until every partition of the journal has grown; None where the storm ended before."""
        missing = set(range(PARTITIONS))
        for moment, number in self.grown:
            if moment >= blow.began:
                missing.discard(number)
                if not missing:
                    return moment - blow.began
        return None


def blow(world: Stormy, plan: Plan, faults: tuple[storm_faults.Fault, ...], begun: float) -> Iterator[Blow]:
    """Fault after fault, each kind about as often, until the time is over."""
    chance = random.Random(plan.seed)
    bag: list[storm_faults.Fault] = []
    while time.monotonic() - begun < plan.seconds:
        bag = bag or chance.sample(faults, len(faults))
        fault = bag.pop()
        started = time.monotonic() - begun
        hit = fault(world, chance)
        yield Blow(fault.__name__, hit, started, time.monotonic() - begun)
        storm_faults.last(world, chance.uniform(*CALM))


def storm(place: Path, plan: Plan, generator: Path, *, as_root: bool) -> dict[str, Any]:
    """Let it blow, let it clear, and compare. The report."""
    faults = storm_faults.EVERYWHERE + (storm_faults.AS_ROOT if as_root else ())
    with Stormy(place, plan, generator, small_disk=as_root) as world:
        begun = time.monotonic()
        blows: list[Blow] = []
        with Watch(world, begun).looking() as watch:
            for one in blow(world, plan, faults, begun):
                blows.append(one)
                print(f"{one.began:7.1f} s  {one.kind:18} {one.hit}", flush=True)
        print("the weather clears", flush=True)
        world.settle()
        return _report(world, plan, blows, watch)


def _report(world: Stormy, plan: Plan, blows: list[Blow], watch: Watch) -> dict[str, Any]:
    wrong = differences(world.files, world.folder)
    second = differences(world.files, world.second)
    counts = {case: pair for (case, field), pair in wrong.items() if field == "events"}
    return {
        "client": plan.client,
        "seed": plan.seed,
        "minutes": round(plan.seconds / 60, 1),
        "cases": plan.cases,
        "events": sum(json.loads(line)["events"] for line in (world.files / "truth_cases.jsonl").read_text("utf-8").splitlines()),
        "lines": sum(1 for _ in (world.files / "events.jsonl").open("rb")),
        "faults": _by_kind(blows, watch),
        "restarts": len(world.said),
        "lost": sum(found < right for found, right in counts.values()) + sum(field == "case" for _, field in wrong),
        "twice": sum(found > right for found, right in counts.values()),
        "wrong": [f"{case} {field}: {pair}" for (case, field), pair in sorted(wrong.items())][:20],
        "second view wrong": len(second),
        "audit": world.audit()[:20],
    }


def _by_kind(blows: list[Blow], watch: Watch) -> dict[str, dict[str, Any]]:
    """How many of each kind, and the seconds until the journal grew everywhere again."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in blows:
        recovery = watch.recovery(one)
        found[one.kind] += [] if recovery is None else [recovery]
    return {
        kind: {
            "times": sum(one.kind == kind for one in blows),
            "recovery_median_s": round(statistics.median(times), 1) if times else None,
            "recovery_most_s": round(max(times), 1) if times else None,
        }
        for kind, times in sorted(found.items())
    }


def tables(report: dict[str, Any]) -> str:
    """The report for people: docs/trust.md holds it."""
    head = (
        f"`{report['client']}`, seed {report['seed']}, {report['minutes']:g} minutes: {report['cases']:,} cases, "
        f"{report['events']:,} events in {report['lines']:,} lines; processes were started again {report['restarts']} times. "
        f"Lost {report['lost']}, twice {report['twice']}; wrong: {len(report['wrong'])} fields of cases, "
        f"{report['second view wrong']} in the second view, {len(report['audit'])} by the audit."
    )
    rows = [
        f"| {kind.replace('_', ' ')} | {one['times']} | {one['recovery_median_s']} s | {one['recovery_most_s']} s |"
        for kind, one in report["faults"].items()
    ]
    return "\n".join((head, "", "| fault | times | back after, median | most |", "|---|---|---|---|", *rows))


def good(report: dict[str, Any]) -> bool:
    return not (report["lost"] or report["twice"] or report["wrong"] or report["second view wrong"] or report["audit"])


def main() -> int:
    asked = _arguments()
    shared = Path(os.environ.get("CASEBUS_SHARED") or ROOT.parent / "shared")
    seconds = asked.minutes * 60
    plan = Plan(seconds, asked.client, asked.seed, max(50, int(seconds * asked.rate / EVENTS_A_CASE)))
    if asked.as_root:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print(f"seed {plan.seed}, {plan.client}, {plan.cases:,} cases in {asked.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory(prefix="storm", ignore_cleanup_errors=True) as place:
        report = storm(Path(asked.keep or place), plan, shared / "tools" / "gen_city.py", as_root=asked.as_root)
    text = json.dumps(report, ensure_ascii=False, indent=1)
    print(tables(report) if asked.markdown else text)
    if asked.report:
        asked.report.write_text(text + "\n", encoding="utf-8")
    return 0 if good(report) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--client", choices=("kafka-python", "confluent"), default="kafka-python")
    parser.add_argument("--seed", type=int, default=random.randrange(100))
    parser.add_argument("--rate", type=float, default=150, help="events a second that arrive")
    parser.add_argument("--as-root", action="store_true", help="with silent cuts and a full disk; in namespaces of its own")
    parser.add_argument("--keep", type=Path, help="a folder that does not exist yet, kept for looking at afterwards")
    parser.add_argument("--report", type=Path, help="a file for the report as JSON")
    parser.add_argument("--markdown", action="store_true", help="print the report as tables")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
