"""`casebus connector status|pause|resume|restart|rewind`: how the connectors stand, and orders to them, through Kafka alone."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bus.errors import ConfigurationError
from bus.topics import standard
from casebus.commands import output
from casebus.deployment import Deployment
from casebus.wiring import CONNECTORS, Wiring
from connectors.fleet_desk import Desk
from connectors.fleet_rewind import Lookback, lookback, shown
from connectors.fleet_rewind import check as check_position
from connectors.fleet_status import Standing, State

if TYPE_CHECKING:
    from bus.ports import Client
    from connectors.config import Connector

FAILED = 1  # the exit code of `status` where a connector is not as it should be
LOOK = 0.25  # seconds between two looks whether an order has taken effect


class Opened(NamedTuple):
    wiring: Wiring
    client: Client
    desk: Desk


@contextmanager
def _opened(folder: Path) -> Iterator[Opened]:
    wiring = Wiring(Deployment.load(folder))
    with wiring.client() as client:
        client.create(standard(wiring.settings.kafka.partitions))
        yield Opened(wiring, client, Desk(client))


def status(folder: Path, only: Sequence[str], *, as_json: bool) -> int:
    """1 where one of them failed, restarts, or has no worker."""
    with _opened(folder) as opened:
        for name in only:
            opened.desk.check(name)
        found = [one for one in opened.desk.standings() if not only or one.name in only]
        if as_json:
            output.as_json({"workers": opened.desk.workers(), "connectors": [_plain(one) for one in found]})
        else:
            _print(found, opened.wiring.deployment.zone)
    return FAILED if any(one.state not in {State.RUNNING, State.PAUSED} or one.file_error for one in found) else 0


def pause(folder: Path, names: Sequence[str], by: str, wait: float) -> int:
    return _order(folder, names, wait, Order("is paused", lambda desk, name: desk.pause(name, by), _is(State.PAUSED)))


def resume(folder: Path, names: Sequence[str], wait: float) -> int:
    def running(_: Desk, one: Standing, __: int) -> bool:
        return one.state is not State.PAUSED

    return _order(folder, names, wait, Order("goes on", lambda desk, name: desk.resume(name), running))


def restart(folder: Path, names: Sequence[str], by: str, wait: float) -> int:
    def passed(_: Desk, one: Standing, asked: int) -> bool:
        return one.passed > asked

    return _order(folder, names, wait, Order("begins anew", lambda desk, name: desk.restart(name, by), passed))


class Back(NamedTuple):
    """Where to go back to; `dry` only looks."""

    to: str | None
    beginning: bool
    dry: bool


def rewind(folder: Path, name: str, back: Back, by: str, wait: float) -> int:
    """Raises ConfigurationError where it does not say where to, or names a position that is none."""
    if (back.to is None) == (not back.beginning):
        raise ConfigurationError(
            "Say where to go back to: --to POSITION (as `connector status --json` shows it) or --to-beginning."
        )
    with _opened(folder) as opened:
        connector = _connector(opened.wiring, name)
        now = opened.desk.position(name).position
        if back.dry:
            _tell_lookback(name, lookback(connector, opened.client, now, back.to))
            return 0
        check_position(connector, opened.client, now, back.to)
    ids: dict[str, str] = {}

    def give(desk: Desk, one: str) -> None:
        ids[one] = desk.rewind(one, back.to, by)

    def done(desk: Desk, one: Standing, _: int) -> bool:
        return desk.position(one.name).rewound == ids[one.name]

    return _order(folder, [name], wait, Order(f"goes on from {shown(back.to)}", give, done))


class Order(NamedTuple):
    """What is said when it is done, how it is given, and how one sees that it is done (since a moment in microseconds)."""

    done: str
    give: Callable[[Desk, str], None]
    seen: Callable[[Desk, Standing, int], bool]


def _is(state: State) -> Callable[[Desk, Standing, int], bool]:
    return lambda _, one, __: one.state is state


def _order(folder: Path, names: Sequence[str], wait: float, order: Order) -> int:
    if not names:
        raise ConfigurationError("Name the connectors that are meant; casebus connector status lists them.")
    with _opened(folder) as opened:
        known = [path.stem for path in _files(opened.wiring)]
        for name in names:
            opened.desk.check(name, known)
        asked = time.time_ns() // 1000
        for name in names:
            order.give(opened.desk, name)
        for name in names:
            sys.stdout.write(_heard(opened.desk, name, order, asked, wait) + "\n")
    return 0


def _heard(desk: Desk, name: str, order: Order, asked: int, wait: float) -> str:
    """Waits for the worker that has it; the order stands in any case."""
    until = time.monotonic() + wait
    while True:
        standing = desk.standing(name)
        if standing is not None and standing.state is not State.UNATTENDED and order.seen(desk, standing, asked):
            return f"{name} {order.done}."
        if standing is None or standing.state is State.UNATTENDED:
            return f"{name}: no worker has it now. The order stands, and is followed when one does (casebus connect)."
        if time.monotonic() > until:
            return f"{name}: the order stands, but was not followed within {wait:g} s. Look again: casebus connector status."
        time.sleep(LOOK)


def _files(wiring: Wiring) -> list[Path]:
    from connectors import config

    return config.paths(wiring.deployment.path(CONNECTORS))


def _connector(wiring: Wiring, name: str) -> Connector:
    found = next((one for one in wiring.connectors if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in wiring.connectors) or "none"
        raise ConfigurationError(f"There is no connector {name}. Name one of: {known}.")
    return found


def _tell_lookback(name: str, found: Lookback) -> None:
    words = [f"{name} stands at {shown(found.now)}, and would go on from {shown(found.then)}."]
    if found.rows is None:
        words.append("Its source keeps nothing that could be read again: it is called.")
    elif found.rows >= 0:
        words.append(f"{output.several(found.rows, 'row')} would be read again.")
        words.append("Rows that have not changed are recognised by their event ids and change nothing; those whose mapping")
        words.append("has changed since become new versions or dead letters, as `conflict:` says.")
    else:
        words.append(f"{output.several(-found.rows, 'row')} would never be read.")
    sys.stdout.write(" ".join(words) + "\n")


def _plain(one: Standing) -> dict[str, Any]:
    times = {name: _moment(getattr(one, name), UTC) or None for name in ("since", "passed", "due")}
    return one._asdict() | {"state": str(one.state)} | times


def _print(found: Sequence[Standing], zone: Any) -> None:
    screen = output.console()
    columns = ("connector", "state", "worker", "last pass", ">rows", ">events", ">letters", "stands at")
    rows = [
        (one.name, one.state, one.worker, _moment(one.passed, zone), one.rows, one.events, one.letters, _short(one.position))
        for one in found
    ]
    screen.print(output.table("", columns, rows))
    for one in found:
        again = f" Tried again at {_moment(one.due, zone)}." if one.due else ""
        if one.error:
            screen.print(f"{one.name}: {one.error}{again}", markup=False)
        if one.file_error:
            screen.print(f"{one.name} runs on as it was, for its file has errors: {one.file_error}", markup=False)


def _moment(micros: int, zone: Any) -> str:
    return datetime.fromtimestamp(micros // 1_000_000, zone).isoformat() if micros else ""


def _short(position: str | None) -> str:
    text = shown(position) if position is not None else ""
    return text if len(text) <= 60 else text[:57] + "..."
