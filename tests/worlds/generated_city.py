"""The cases of a city that the shared tool gen_city.py made, held against its truth_cases.jsonl."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from casebus.deployment import Deployment
from casebus.wiring import Wiring
from monitor import tables
from schemas.case import Case, Phase, decode_state
from schemas.clock import Reading

#: What is only said of an accepted case.
CLOCK = ("elapsed_workdays", "paused_workdays", "overdue_promise", "overdue_legal", "due_date")


def differences(files: Path, folder: Path) -> dict[tuple[str, str], Any]:
    """(case, field) -> (found, right) wherever the view of the deployment in `folder` says something else than the truth.

    A case that is there and should not be, or the other way round, has the field "case".
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEBUS_CITY", str(files))
        wiring = Wiring(Deployment.load(folder))
        view, clockwork = wiring.view(), wiring.clockwork
    end = micros(json.loads((files / "truth_summary.json").read_text(encoding="utf-8"))["span"][1])
    query = select(tables.cases).where(tables.cases.c.opened, tables.cases.c.forwards_to == "", ~tables.cases.c.expired)
    cases = {row.number: decode_state(row.state).case for row in view.all(query)}
    lines = (files / "truth_cases.jsonl").read_text(encoding="utf-8").splitlines()
    truth = {row["case_no"]: row for row in map(json.loads, lines)}
    wrong: dict[tuple[str, str], Any] = {
        (number, "case"): (number in cases, number in truth) for number in cases.keys() ^ truth.keys()
    }
    for number in cases.keys() & truth.keys():
        found = told(cases[number], clockwork.reading(cases[number], end))
        wrong |= {(number, name): (found[name], value) for name, value in right(truth[number]).items() if found[name] != value}
    return wrong


def state_of(case: Case) -> str:
    """The city's word for where a case stands."""
    if case.phase is Phase.ENDED:
        return {"granted": "closed_approved", "refused": "closed_denied"}.get(str(case.outcome), str(case.outcome))
    if case.paused:
        return "paused"
    return {"applied": "submitted", "in_progress": "reviewing"}.get(str(case.phase), str(case.phase))


def told(case: Case, clock: Reading) -> dict[str, Any]:
    """The case in the truth's words, times in microseconds."""
    accepted = case.accepted_at is not None
    said = {
        "region": case.region,
        "dept": case.authority.partition("@")[0],
        "item": case.item,
        "state": state_of(case),
        "submitted": case.applied_at,
        "accepted": case.accepted_at,
        "clock_stop": case.stopped_at if accepted else None,
        "closed": case.ended_at,
        "pauses": sorted((pause.start, pause.end) for pause in case.pauses),
        "extension_days": sum(one.days for one in case.extensions),
        "events": case.events,
    }
    return said | (counted(clock) if accepted else {})


def counted(clock: Reading) -> dict[str, Any]:
    return {
        "elapsed_workdays": clock.elapsed_days,
        "paused_workdays": clock.paused_days,
        "overdue_promise": clock.overdue_promise,
        "overdue_legal": clock.overdue_legal,
        "due_date": clock.due.isoformat() if clock.due else None,
    }


def right(row: dict[str, Any]) -> dict[str, Any]:
    """A line of truth_cases.jsonl in the same words."""
    times = {name: micros(row[name]) for name in ("submitted", "accepted", "clock_stop", "closed")}
    pauses = sorted((micros(start), micros(end)) for start, end in row["pauses"])
    plain = {name: row[name] for name in ("region", "dept", "item", "state", "extension_days", "events")}
    return plain | times | {"pauses": pauses} | ({name: row[name] for name in CLOCK} if row["accepted"] else {})


def micros(text: str | None) -> int | None:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000 if text else None
