"""`casebus catalogue migrate --dry-run`: open cases that an older version of their item holds, and what the newest changes.

A case keeps the version under which it was accepted. To move one, its department sends the application again with a higher
version and the item version meant; so there is nothing that this command writes.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bus.errors import ConfigurationError
from casebus.commands import output
from casebus.commands.open_view import opened
from casebus.wiring import Wiring
from monitor import tables
from monitor.view import View
from router.effect import local_date
from schemas.case import Case, decode_state
from schemas.catalogue import Item


def migrate(folder: Path, *, dry_run: bool, as_json: bool) -> int:
    """Raises ConfigurationError without `dry_run`."""
    if not dry_run:
        raise ConfigurationError(
            "A case keeps the version of its item under which it was accepted; its department moves it by sending the application"
            " again with a higher version and the new item_version. See first what would change: catalogue migrate --dry-run."
        )
    with opened(folder) as (wiring, view):
        found = [_row(*pair, cases) for pair, cases in _open(wiring, view).items()]
    if as_json:
        output.as_json(found)
        return 0
    heads = ("item", "from", "to", ">open cases", "what changes", "cases")
    output.console().print(output.table("Open cases of older versions", heads, ([*map(_cell, one.values())] for one in found)))
    return 0


def _open(wiring: Wiring, view: View) -> dict[tuple[Item, Item], list[str]]:
    """By version held and version of today."""
    found: dict[tuple[Item, Item], list[str]] = defaultdict(list)
    today = local_date(wiring.now(view)(), wiring.settings.zone)
    table = tables.cases.c
    query = (
        select(table.state).where(table.forwards_to == "", ~table.expired, table.applied_at.is_not(None)).order_by(table.case_key)
    )
    with view.snapshot() as snapshot:
        for row in snapshot.stream(query):
            case = decode_state(row.state).case
            pair = _versions(wiring, case, today) if case.stopped_at is None else None
            if pair is not None:
                found[pair].append(case.key)
    return found


def _versions(wiring: Wiring, case: Case, today: date) -> tuple[Item, Item] | None:
    on = local_date(case.applied_at or 0, wiring.settings.zone)
    held = wiring.catalogue.item(case.item, case.item_version or None, on, case.region)
    new = wiring.catalogue.item(case.item, None, today, case.region)
    return (held, new) if held and new and held.version != new.version else None


def _row(held: Item, new: Item, cases: list[str]) -> dict[str, Any]:
    return {
        "item": held.code,
        "from": held.version,
        "to": new.version,
        "open": len(cases),
        "changes": [
            name for name in ("form", "promised", "statutory", "decided_at", "assisting", "steps") if _differs(held, new, name)
        ],
        "cases": cases,
    }


def _differs(held: Item, new: Item, name: str) -> bool:
    return bool(getattr(held, name) != getattr(new, name))


def _cell(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value
