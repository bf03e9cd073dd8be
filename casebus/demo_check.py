"""What the bus made of the made-up city, beside the truth that was written before: total by total, case by case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, func, select

from bus.ports import Client
from bus.topics import DELIVERIES
from casebus.wiring import Wiring
from monitor import tables
from monitor.statistics.compute import Inputs, compute
from monitor.view import View
from schemas.case import Case, decode_state
from schemas.clock import Reading

#: The city's names for its dirt, where the bus has another word for why it refuses it.
REASONS = {"impossible_date": "unreadable_time", "orphan": "no_application"}
MOVES = {"up": "HandedUp", "down": "HandedDown", "across": "HandedAcross"}
#: Kinds of deliveries that carry a case or a part of it to another authority.
CARRYING = frozenset({"handed_up", "handed_down", "handed_across", "part_handed_over"})


class Line(NamedTuple):
    """One figure: what the bus says, and the truth."""

    group: str
    name: str
    found: int
    truth: int

    @property
    def right(self) -> bool:
        return self.found == self.truth


class Wrong(NamedTuple):
    """A case of which the bus says something else than the truth."""

    case: str
    field: str
    found: Any
    truth: Any


class Report(NamedTuple):
    lines: list[Line]
    wrong: list[Wrong]
    cases: int
    lights: dict[str, int]

    @property
    def right(self) -> bool:
        return not self.wrong and all(line.right for line in self.lines)

    def to_json(self) -> dict[str, Any]:
        return {
            "equal": self.right,
            "cases": self.cases,
            "cases_wrong": len({wrong.case for wrong in self.wrong}),
            "lights": self.lights,
            "figures": [{**line._asdict(), "equal": line.right} for line in self.lines],
            "wrong": [wrong._asdict() for wrong in self.wrong],
        }


def check(wiring: Wiring, view: View, client: Client, truth: Mapping[str, Any]) -> Report:
    """Compare everything the truth tells."""
    figures = compute(view, Inputs(wiring.codec, wiring.folding, wiring.clockwork), wiring.now(view)())
    cases, total = figures.cases, figures.cases.total
    lines = [
        Line("cases", "all", total.cases, truth["cases"]),
        *_beside("events of", _events(view), truth["events_by_department"]),
        *_beside("phase", cases.phases, truth["phases"]),
        *_beside("outcome", cases.outcomes, truth["outcomes"]),
        Line("overdue", "promise", total.running_overdue_promise + total.stopped_overdue_promise, truth["overdue"]),
        Line("overdue", "statutory", total.running_overdue_legal + total.stopped_overdue_legal, truth["overdue_legal"]),
        *_beside("finding", cases.findings, truth["findings"]),
        *_beside("moves", _moves(view), truth["moves"]),
        *_beside("delivered to", _deliveries(wiring, client), truth["deliveries_by_receiver"]),
        *_beside("dead letters", figures.dead_letters, _reasons(truth["dead_letters"])),
    ]
    return Report(lines, list(_wrong(wiring, view, truth["by_case"])), truth["cases"], cases.lights)


def _beside(group: str, found: Mapping[str, int], truth: Mapping[str, int]) -> Iterator[Line]:
    for name in sorted(found.keys() | truth.keys()):
        yield Line(group, name, found.get(name, 0), truth.get(name, 0))


def _reasons(kinds: Mapping[str, int]) -> dict[str, int]:
    return {REASONS.get(kind, kind): count for kind, count in kinds.items()}


def _events(view: View) -> dict[str, int]:
    """Events that count, by the department that acted; those of a case's other names count with the case."""
    events, aside, cases = tables.events, tables.set_aside, tables.cases
    same = and_(aside.c.case_key == events.c.case_key, aside.c.sequence == events.c.sequence)
    counted = and_(cases.c.case_key == events.c.case_key, cases.c.forwards_to == "", ~cases.c.expired)
    query = (
        select(events.c.department, func.count())
        .select_from(events.join(cases, counted).outerjoin(aside, same))
        .where(aside.c.sequence.is_(None))
        .group_by(events.c.department)
    )
    return {row[0]: row[1] for row in view.all(query)}


def _moves(view: View) -> dict[str, int]:
    query = select(tables.moves.c.kind, func.count()).group_by(tables.moves.c.kind)
    return {MOVES.get(kind, kind): count for kind, count in view.all(query)}


def _deliveries(wiring: Wiring, client: Client) -> Counter[str]:
    """What went out, by receiver: each must have gone once."""
    found: Counter[str] = Counter()
    for batch in client.read(dict.fromkeys(client.ends([DELIVERIES.name]), 0)):
        for record in batch:
            _, delivery = wiring.codec.decode_record(record.value or b"")
            found[delivery["to"]] += delivery["kind"] in CARRYING
    return +found


def _wrong(wiring: Wiring, view: View, told: list[dict[str, Any]]) -> Iterator[Wrong]:
    """Every case whose state or clock is not the true one."""
    table, now = tables.cases.c, wiring.now(view)()
    states = {row.number: decode_state(row.state).case for row in view.all(select(table.number, table.state).where(table.opened))}
    for truth in told:
        case = states.get(truth["case"])
        if case is None:
            yield Wrong(truth["case"], "case", None, "known")
            continue
        found = _said(wiring, case, wiring.clockwork.reading(case, now))
        yield from (
            Wrong(truth["case"], name, found[name], value)
            for name, value in truth.items()
            if name in found and found[name] != value
        )


def _said(wiring: Wiring, case: Case, reading: Reading) -> dict[str, Any]:
    """The case in the truth's words. Without an acceptance there is no clock to read."""
    accepted = case.accepted_at is not None
    return {
        "item": case.item,
        "phase": str(case.phase),
        "outcome": str(case.outcome) if case.outcome else None,
        "events": case.events,
        "paused": reading.paused,
        "accepted": _local(wiring, case.accepted_at),
        "elapsed_days": reading.elapsed_days if accepted else None,
        "paused_days": reading.paused_days if accepted else None,
        "due": reading.due.isoformat() if reading.due else None,
        "overdue": reading.overdue_promise if accepted else None,
        "overdue_legal": reading.overdue_legal if accepted else None,
    }


def _local(wiring: Wiring, moment: int | None) -> str | None:
    if moment is None:
        return None
    return datetime.fromtimestamp(moment // 1_000_000, wiring.deployment.zone).replace(tzinfo=None).isoformat()
