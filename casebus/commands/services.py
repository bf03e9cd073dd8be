"""The single services of a deployment, each in its own process: `broker`, `connect`, `route`, `deliver`, `monitor`.

Each finds the embedded broker where one runs already, and starts it where none does.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bus.collector import calm_collector
from bus.errors import ConfigurationError
from bus.ports import Client
from bus.pulse import Pulse
from bus.topics import standard
from casebus import logs
from casebus.deployment import Deployment, Mode
from casebus.display import display
from casebus.health import Health, Vital, behind
from casebus.stopping import stop_on_signals
from casebus.wiring import CONNECTORS, PATIENCE, Wiring, patiently
from monitor.view import View

if TYPE_CHECKING:
    from connectors.deliver import Deliveries
    from connectors.fleet import Fleet
    from monitor.service import Service

ATTEMPTS = 6  # in a row, where there is an end: 15 s in all, longer than an abandoned transaction holds anybody up


def _started(folder: Path, service: str) -> tuple[Wiring, threading.Event]:
    wiring = Wiring(Deployment.load(folder))
    logs.configure(service, wiring.settings.logs)
    return wiring, stop_on_signals()


def broker(folder: Path) -> int:
    """Until stopped. Raises ConfigurationError for a deployment whose Kafka is elsewhere."""
    from bus.broker import Broker

    wiring, stop = _started(folder, "broker")
    if not wiring.settings.kafka.embedded:
        raise ConfigurationError(
            f"{wiring.settings.name} uses the Kafka at {wiring.settings.kafka.bootstrap}; there is none to start here."
        )
    with Broker(wiring.deployment.data / "kafka", wiring.settings.kafka.nodes) as running:
        sys.stdout.write(f"Kafka serves at {running.bootstrap}. End it with Ctrl+C.\n")
        sys.stdout.flush()
        while not stop.wait(1):
            running.check()
    return 0


def connect(folder: Path, only: tuple[str, ...], *, leave: bool, at: str | None = None) -> int:
    """The connectors: those of this worker's share until stopped, with `only` these alone. Its health is told `at` an address.

    With `leave`: to the end of every source; 2 when one could not be read, after the others were.
    """
    wiring, stop = _started(folder, "connect")
    with wiring.client() as client:
        _prepare(wiring, client)
        calm_collector()
        if leave:
            _connect_to_end(wiring, client, only)
        else:
            workers = fleet(wiring, client, only)
            with Health.of(Vital("connect", workers.pulse), wiring.settings.health, at):
                workers.run(stop)
    return 0


def fleet(wiring: Wiring, client: Client, only: tuple[str, ...] = ()) -> Fleet:
    """This worker's connectors. Raises ConfigurationError where there is none of a name in `only`."""
    from connectors.fleet import Fleet, Parts, Plant, worker_id
    from connectors.fleet_files import Folder
    from connectors.fleet_schedule import Schedule
    from connectors.fleet_share import Alone, Grouped
    from connectors.fleet_status import Reporter

    files = Folder(wiring.deployment.path(CONNECTORS), wiring.settings.zone, wiring.sealings)
    if only:
        files.look(at_once=True)
        _check_known(only, files.found.connectors)
    share = Alone(client, frozenset(only)) if only else Grouped(client, f"{wiring.settings.name}-connect")
    plant = Plant(client, wiring.codec, wiring.receipts, wiring.replays)
    return Fleet(plant, Parts(share, files, Reporter(client, worker_id()), Schedule()))


def _check_known(only: tuple[str, ...], known: Iterable[str]) -> None:
    if missing := set(only) - set(known):
        names = ", ".join(sorted(known))
        raise ConfigurationError(f"There is no connector {', '.join(sorted(missing))}. Name some of: {names}.")


def _connect_to_end(wiring: Wiring, client: Client, only: tuple[str, ...]) -> None:
    """What people ordered holds here too: a paused connector is left out, and one that is to go back does so first."""
    from connectors.fleet_orders import everything
    from connectors.runner import Runner
    from connectors.worker import Pauses, Worker

    _check_known(only, [one.name for one in wiring.connectors])
    orders = everything(client)
    wanted = [one for one in wiring.connectors if (not only or one.name in only) and not orders.of(one.name).paused]
    runners = [Runner(one, client, wiring.codec, wiring.receipts, wiring.replays) for one in wanted]
    for runner in runners:
        if order := orders.of(runner.name).rewind:
            runner.rewind(order.id, order.to)
    failed = [outcome for outcome in Worker(runners, pauses=Pauses(attempts=ATTEMPTS)).run_to_end() if outcome.fault]
    if failed:
        raise ConfigurationError("\n".join(f"{one.name}: {one.fault}" for one in failed))


def route(folder: Path, member: int, at: str | None = None) -> int:
    """Until stopped. Several members share the partitions."""
    from bus.store import open_store
    from bus.transaction import Loop
    from router.contexts import Contexts
    from router.keep import LAYOUT
    from router.service import AT_ONCE, TOPICS, Router, Settings

    wiring, stop = _started(folder, "route")
    states = wiring.deployment.data / "state" / LAYOUT
    contexts = Contexts(wiring.catalogue, wiring.directory, wiring.settings.zone)
    admission, signatures = wiring.settings.access.admission, wiring.signatures
    settings = Settings(wiring.settings.kafka.partitions, wiring.law, contexts, admission, signatures)
    with wiring.client() as client:
        _prepare(wiring, client)
        calm_collector()
        router = Router(client, wiring.codec, lambda number: open_store(states / str(number)), settings)
        loop = Loop(client, wiring.router_group, TOPICS, router, f"{wiring.router_group}-{member}", AT_ONCE, name="router")
        vital = Vital("route", loop.pulse, behind(client, wiring.router_group, TOPICS))
        try:
            with Health.of(vital, wiring.settings.health, at, member):
                loop.run(stop)
        finally:
            router.close()
    return 0


def monitor(folder: Path, until: str | None, at: str | None = None) -> int:
    """Until stopped, or until the end of a run has been seen everywhere.

    Alerts are raised only by the wall's clock and only while it follows live: history speaks to nobody. A replay speaks
    where `alerts.replay` says so, about what stands at its moment.
    """
    from monitor.service import Service

    wiring, stop = _started(folder, "monitor")
    with wiring.client() as client:
        _prepare(wiring, client)
        calm_collector()
        _renew(wiring, client)
        with closing(wiring.view()) as view:
            _check_same_kafka(Service(view, client, wiring.codec))
            if until:
                Service(view, client, wiring.codec).until_ended(until)
            elif wiring.settings.clock.mode is Mode.WALL or wiring.settings.alerts.replay:
                _speak(wiring, view, client, _Following(stop, at))
            else:
                _follow(wiring, Service(view, client, wiring.codec), _Following(stop, at))
    return 0


class _Following(NamedTuple):
    """Until when, and where its health is told."""

    stop: threading.Event
    at: str | None


def _follow(wiring: Wiring, service: Service, how: _Following) -> None:
    vital = Vital("monitor", service.pulse, service.behind)
    with Health.of(vital, wiring.settings.health, how.at):
        service.follow(how.stop.is_set)


def _check_same_kafka(service: Service) -> None:
    """Raises ConfigurationError where the view has read what is not in Kafka: what comes there now would be missing in it."""
    from monitor.faults import REBUILD

    deadline = time.monotonic() + PATIENCE
    while ahead := patiently(service.ahead):
        if time.monotonic() > deadline:
            raise ConfigurationError(
                f"The view has read more than Kafka holds: {ahead}. It was made from another Kafka, or Kafka was put back to an "
                f"earlier copy. If kafka.brokers is right, build the view anew: {REBUILD}."
            )
        time.sleep(0.5)


def rebuild(folder: Path) -> int:
    """The view's tables anew, beside those that people look at; then switched."""
    wiring, _ = _started(folder, "monitor")
    with wiring.client() as client:
        _prepare(wiring, client)
        calm_collector()
        sys.stdout.write(f"The view is built anew from {_build(wiring, client):,} records, and switched.\n")
    return 0


def _renew(wiring: Wiring, client: Client) -> None:
    """Tables of another version of this program are built anew."""
    from monitor.rebuild import outdated
    from monitor.tables import VERSION

    if found := outdated(wiring.view_url):
        sys.stderr.write(f"The view has tables of version {found}; building those of version {VERSION} beside them.\n")
        _build(wiring, client)


def _build(wiring: Wiring, client: Client) -> int:
    from monitor.rebuild import rebuild as build

    with display() as shown:
        shown.phase("building the view")
        return build(wiring.view_url, client, wiring.codec, lambda one: shown.progress(one.read, one.end))


def _speak(wiring: Wiring, view: View, client: Client, how: _Following) -> None:
    """Follow, and raise alerts: on the bus, and to people where there is somebody to tell."""
    from monitor.afterwards import Afterwards
    from monitor.alerts import Judge
    from monitor.herald import Herald
    from monitor.service import Service
    from monitor.speaker import Speaker

    settings, now = wiring.settings.alerts, wiring.now(view)
    judge = Judge(wiring.panel, wiring.clockwork, now, settings.language)
    speaker = Speaker(view, client, wiring.codec, judge)
    if settings.replay and wiring.settings.clock.mode is not Mode.WALL:
        service = Service(view, client, wiring.codec, Afterwards(view, judge, speaker))
    else:
        service = Service(view, client, wiring.codec, speaker, judge.after_batch)
    with Herald(view, settings.webhook, now) if settings.webhook else nullcontext():
        _follow(wiring, service, how)


def deliver(folder: Path, member: int = 0, *, leave: bool, at: str | None = None) -> int:
    """Until stopped, by whatever the connectors' files say now; with `leave` until everything decided so far has been tried.

    While no system of the deployment takes deliveries there is nothing to do: they stay in their topic for whoever reads it.
    """
    wiring, stop = _started(folder, "deliver")
    if leave:
        _deliver_to_end(wiring, stop)
    else:
        _deliver_on(wiring, stop, member, at)
    return 0


def _deliver_to_end(wiring: Wiring, stop: threading.Event) -> None:
    from connectors.deliver import Deliveries
    from connectors.receivers import receivers

    if not receivers(wiring.connectors):
        return
    with wiring.client() as client:
        _prepare(wiring, client)
        Deliveries(receivers(wiring.connectors, client), client, wiring.codec, _delivery_group(wiring)).run_to_end(stop)


def _deliver_on(wiring: Wiring, stop: threading.Event, member: int, at: str | None) -> None:
    from connectors.deliver import TOPICS, Deliveries
    from connectors.fleet_files import Folder
    from connectors.roster import Roster

    with wiring.client() as client:
        _prepare(wiring, client)
        roster = Roster(Folder(wiring.deployment.path(CONNECTORS), wiring.settings.zone), client)
        threading.Thread(target=roster.follow, args=(stop,), name="delivery-files", daemon=True).start()
        work: list[Deliveries] = []
        vital = Vital("deliver", lambda: _delivering(work), behind(client, _delivery_group(wiring), TOPICS))
        with Health.of(vital, wiring.settings.health, at, member):
            while not stop.is_set():
                if roster.found():
                    work[:] = [Deliveries(roster.found, client, wiring.codec, _delivery_group(wiring), member=member)]
                    work[0].run(stop)
                    work.clear()
                stop.wait(1)


def _delivering(work: Sequence[Deliveries]) -> Pulse:
    """Ready too where nobody takes deliveries: then there is nothing that it fails to do."""
    return next((one.pulse() for one in list(work)), Pulse(0.0))


def _delivery_group(wiring: Wiring) -> str:
    return f"{wiring.settings.name}-deliveries"


def _prepare(wiring: Wiring, client: Client) -> None:
    from casebus import published

    client.create(standard(wiring.settings.kafka.partitions))
    published.publish(client, wiring.settings.name)
