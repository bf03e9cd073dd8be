"""A view of many cases, written straight into its tables: a tenth of them open, three events each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from bus.ports import Record
from bus.topics import STATE
from monitor import tables
from monitor.bulk import insert_many
from monitor.columns import department
from monitor.rebuild import SCRATCH, indexed_at_last
from monitor.rows import rows_of
from monitor.times import DAY
from monitor.view import View
from schemas import codec
from schemas.case import Case, CaseState, Phase, encode_state
from schemas.envelope import body_hash, event_id

REGIONS = ("991201", "991202", "991203", "991204")
DEPARTMENTS = ("quality-supervision", "market-supervision", "environment", "planning", "service-hall")
ITEMS = ("9912-QS-001", "9912-QS-002", "9912-MS-001", "9912-EN-001", "9912-PL-001")
OPEN, EVENTS, AT_ONCE = 10, 3, 20_000
CODEC = codec.default()
_BODIES: dict[str, dict[str, Any]] = {"FeeCharged": {"amount": 100}, "Decided": {"result": "GRANTED"}}


def fill(url: str, cases: int, now: int) -> str:
    """The number of one open case. Nothing of this was ever on a bus: a monitor begins at its beginning."""
    sqlite = url.startswith("sqlite")
    view = View.open(url, SCRATCH) if sqlite else View.open(url)
    dice, first = random.Random(7), ""
    with indexed_at_last(view):
        for start in range(0, cases, AT_ONCE):
            made = [case(number, now, dice) for number in range(start, min(start + AT_ONCE, cases))]
            first = first or made[0].key.partition(":")[2]
            with view.writing() as connection:
                rows = rows_of([_record(one) for one in made], CODEC)
                insert_many(connection, tables.cases, rows.values(tables.cases))
                insert_many(connection, tables.events, [row for one in made for row in _events(one)])
    view.close()
    return first


def case(number: int, now: int, dice: random.Random) -> Case:
    """Applied for within the last two years; every tenth, among the newest, is open."""
    is_open = number % OPEN == 0
    applied = now - dice.randrange(1, 40 if is_open else 700) * DAY - dice.randrange(DAY)
    region = dice.choice(REGIONS)
    who = f"{dice.choice(DEPARTMENTS)}@{region}"
    ended = None if is_open else min(now, applied + dice.randrange(1, 30) * DAY)
    return Case(
        f"case:{region}2026{number:010}", region=region, item=dice.choice(ITEMS), authority=who, holder=who, level=4,
        phase=Phase.IN_PROGRESS if is_open else Phase.ENDED, applied_at=applied, received_at=applied,
        accepted_at=applied + DAY // 8, stopped_at=ended, ended_at=ended, promised_days=10, statutory_days=20, events=EVENTS,
        first_at=applied, last_at=ended or applied,
    )  # fmt: skip


def published(key: str, kind: str, sequence: int, at: int, who: str, item: str) -> bytes:  # noqa: PLR0913, PLR0917  one event's parts
    """An event of a case, as a connector publishes it."""
    source = {"system": "bench", "table": "t", "key": f"{key}/{sequence}", "position": str(sequence)}
    header = {
        "event_id": event_id("bench", "t", source["key"], kind, 1), "body_hash": "", "case": key, "authority": who, "item": item,
        "region": who.partition("@")[2], "sequence": sequence, "received_at": at, "source": source,
        "occurred_at": {"at": at, "precision": "MICROSECOND", "zone": "Asia/Shanghai"},
    }  # fmt: skip
    full, body = CODEC.complete(kind, header, _BODIES.get(kind, {}))
    full["body_hash"] = body_hash(kind, full, body)
    return CODEC.encode(kind, full, body)


def _record(one: Case) -> Record:
    """At an offset before all that a bus may bring."""
    return Record(STATE.name, 0, -1, one.key.encode(), encode_state(CaseState(one, sequence=EVENTS)), 0)


def _events(one: Case) -> Iterator[tuple[Any, ...]]:
    """The published bytes are those of one event of the kind: encoding millions of them would take the longest."""
    kinds = ("Applied", "Accepted", "Decided" if one.ended_at else "FeeCharged")
    times = (one.applied_at, one.accepted_at, one.ended_at or one.accepted_at)
    for sequence, (kind, at) in enumerate(zip(kinds, times, strict=True), 1):
        yield (
            one.key, sequence, f"{one.key}/{sequence}", kind, kind, one.authority, department(one.authority), one.region, "", at,
            None, at, -1, "bench", sequence, f"bench/t/{one.key}/{sequence}", 1, _raw(kind),
        )  # fmt: skip


_raws: dict[str, bytes] = {}


def _raw(kind: str) -> bytes:
    if kind not in _raws:
        _raws[kind] = published("case:0", kind, 1, 1_770_000_000_000_000, "environment@991203", ITEMS[0])
    return _raws[kind]
