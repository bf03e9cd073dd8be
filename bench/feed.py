"""A monitor's writes without a bus: cases that live on, written into a view at a rate as `casebus monitor` writes batches.

uv run python -m bench.feed sqlite:///view.db --rate 500 --seconds 30

On standard output, a line of JSON for some of the cases as they are first written (key, and when on the machine's monotonic
clock), and at last how many events there were, in how many transactions, and the seconds of a core they took.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

from bench.city import CODEC, DEPARTMENTS, ITEMS, REGIONS, published
from bus.ports import Partition, Record
from bus.topics import JOURNAL, STATE
from monitor.clockmode import wall
from monitor.times import DAY
from monitor.view import View, advanced
from schemas.case import Case, CaseState, Phase, encode_state

#: An event's kinds, one after the other in the life of each case; so many cases live at the same time.
LIFE = ("Applied", "Accepted", "FeeCharged", "Collected")
TOGETHER = 100
#: Seconds between two transactions, as a bus brings batches; the share of new cases that is told.
LINGER, TOLD = 0.05, 0.3


class Step(NamedTuple):
    """Which case, and its how-many-th event, from 1."""

    case: int
    sequence: int


def steps(first: int, last: int) -> Iterator[Step]:
    """Events by number: a hundred cases step by step, then the next hundred."""
    for number in range(first, last):
        group, one = divmod(number, len(LIFE) * TOGETHER)
        turn, which = divmod(one, TOGETHER)
        yield Step(group * TOGETHER + which, turn + 1)


def key_of(step: Step, year: int) -> str:
    return f"case:991201{year}{step.case:010}"


def records(step: Step, year: int, offset: int, now: int) -> tuple[Record, Record]:
    """The journal's entry and the state after it; both stand at this offset of their topics."""
    key, kind = key_of(step, year), LIFE[step.sequence - 1]
    place = step.case % TOGETHER
    who = f"{DEPARTMENTS[place % len(DEPARTMENTS)]}@{REGIONS[place % len(REGIONS)]}"
    raw = published(key, kind, step.sequence, now, who, ITEMS[place % len(ITEMS)])
    entry = CODEC.encode_record("JournalEntry", {
        "case": key, "sequence": step.sequence, "previous": bytes(32), "hash": bytes(32), "kind": "EVENT", "recorded_at": now,
        "event_id": f"{key}/{step.sequence}", "event": raw, "rule": None, "target": None, "facts": {},
    })  # fmt: skip
    state = encode_state(CaseState(_folded(key, who, step, now), sequence=step.sequence))
    return (
        Record(JOURNAL.name, 0, offset, key.encode(), entry, 0),
        Record(STATE.name, 0, offset, key.encode(), state, 0),
    )


def _folded(key: str, who: str, step: Step, now: int) -> Case:
    """Still open after its last event, as the router has a case without a decision: who waits for it must not miss it."""
    applied = now - step.case % 30 * DAY
    return Case(
        key, region=who.partition("@")[2], item=ITEMS[step.case % len(ITEMS)], authority=who, holder=who, level=4,
        phase=Phase.IN_PROGRESS, applied_at=applied, received_at=applied,
        accepted_at=applied if step.sequence > 1 else None, promised_days=10, statutory_days=20,
        events=step.sequence, first_at=applied, last_at=now,
    )  # fmt: skip


def feed(view: View, rate: int, seconds: float, year: int) -> tuple[int, int]:
    """Events and transactions; new cases are told when they are committed."""
    positions = view.positions([Partition(JOURNAL.name, 0), Partition(STATE.name, 0)])
    base = max(positions.values())
    dice, sent, batches, began = random.Random(9), 0, 0, time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        handed, due = time.monotonic(), list(steps(sent, int(elapsed * rate)))
        pairs = [records(step, year, base + sent + ahead, wall()) for ahead, step in enumerate(due)]
        batch = [one for pair in pairs for one in pair]
        if batch:
            view.apply_batch(batch, positions, CODEC)
            positions |= advanced(batch)
            sent, batches = sent + len(due), batches + 1
            new = [step for step in due if step.sequence == 1]
            if new and dice.random() < TOLD:
                print(json.dumps({"key": key_of(new[-1], year), "handed": handed}), flush=True)
        time.sleep(LINGER)
    return sent, batches


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("url")
    options.add_argument("--rate", type=int, default=500)
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--year", type=int, default=2027, help="Part of the cases' numbers: another one for another run.")
    asked = options.parse_args()
    with closing(View.open(asked.url)) as view:
        before = time.process_time()
        events, batches = feed(view, asked.rate, asked.seconds, asked.year)
        print(json.dumps({"events": events, "batches": batches, "core_s": round(time.process_time() - before, 2)}))


if __name__ == "__main__":
    main()
