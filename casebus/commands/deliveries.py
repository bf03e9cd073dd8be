"""`casebus deliveries list|retry`: handed-over cases that their receivers have not taken yet."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bus.errors import ConfigurationError
from bus.ports import Client
from casebus.commands import output
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from connectors import waiting
from connectors.waiting import Waiting
from monitor.times import local

COLUMNS = ("delivery", "case", "to", ">attempts", "next", "reason")


def show_all(folder: Path, *, as_json: bool) -> int:
    """Those that wait; the clocks of their hand-overs run on meanwhile."""
    wiring = Wiring(Deployment.load(folder))
    with wiring.client() as client:
        found = _in_order(waiting.read(client, wiring.codec).values())
    rows = [_plain(one, wiring) for one in found]
    if as_json:
        output.as_json(rows)
    else:
        title = "1 delivery waits" if len(rows) == 1 else f"{len(rows)} deliveries wait"
        output.console().print(output.table(title, COLUMNS, [[row[name.lstrip(">")] for name in COLUMNS] for row in rows]))
    return 0


def retry(folder: Path, wanted: list[str]) -> int:
    """Have these tried now, or all; each once. Raises ConfigurationError for one that does not wait."""
    wiring = Wiring(Deployment.load(folder))
    with wiring.client() as client:
        known = waiting.read(client, wiring.codec)
        if missing := [name for name in wanted if name not in known]:
            raise ConfigurationError(f"{', '.join(missing)} does not wait. Take an id from `casebus deliveries list`.")
        _ask(client, wiring, [known[name] for name in wanted or known])
    count = len(wanted or known)
    output.console().print("1 delivery is tried now." if count == 1 else f"{count} deliveries are tried now.")
    return 0


def _ask(client: Client, wiring: Wiring, found: list[Waiting]) -> None:
    producer = client.producer(f"{wiring.settings.name}-deliveries-asked")
    try:
        producer.begin()
        producer.send(one.at_once().message(time.time_ns() // 1_000_000) for one in found)
        producer.commit()
    finally:
        producer.close()


def _in_order(found: Iterable[Waiting]) -> list[Waiting]:
    """Who waits longest for the next attempt last."""
    return sorted(found, key=lambda one: (one.at, one.delivery["case"], one.turn))


def _plain(one: Waiting, wiring: Wiring) -> dict[str, Any]:
    due = local(one.at * 1000, wiring.deployment.zone).isoformat(" ", "seconds") if one.at else "at once"
    told = {name: one.delivery[name] for name in ("case", "to", "kind", "hand_over")}
    return {"delivery": one.id, **told, "attempts": one.attempts, "next": due, "reason": one.reason}
