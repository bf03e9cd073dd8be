"""The single services of a deployment, each in its own process: `broker`, `connect`, `route`, `deliver`, `monitor`.

Each finds the embedded broker where one runs already, and starts it where none does.
"""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import closing
from pathlib import Path

import structlog

from bus.errors import ConfigurationError
from bus.ports import Client
from bus.topics import standard
from casebus.deployment import Deployment, Mode
from casebus.stopping import stop_on_signals
from casebus.wiring import Wiring

ATTEMPTS = 6  # in a row, where there is an end: 15 s in all, longer than an abandoned transaction holds anybody up


def _started(folder: Path) -> tuple[Wiring, threading.Event]:
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event"), bool_as_flag=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # its errors reach us as exceptions, said in our words
    return Wiring(Deployment.load(folder)), stop_on_signals()


def broker(folder: Path) -> int:
    """Until stopped. Raises ConfigurationError for a deployment whose Kafka is elsewhere."""
    from bus.broker import Broker

    wiring, stop = _started(folder)
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


def connect(folder: Path, only: tuple[str, ...], *, leave: bool) -> int:
    """With `leave`: to the end of every source; 2 when one could not be read, after the others were."""
    from connectors.runner import Runner
    from connectors.worker import Pauses, Worker

    wiring, stop = _started(folder)
    wanted = [one for one in wiring.connectors if not only or one.name in only]
    if missing := set(only) - {one.name for one in wanted}:
        known = ", ".join(one.name for one in wiring.connectors)
        raise ConfigurationError(f"There is no connector {', '.join(sorted(missing))}. Name some of: {known}.")
    with wiring.client() as client:
        _prepare(wiring, client)
        runners = [Runner(one, client, wiring.codec, wiring.receipts, wiring.replays) for one in wanted]
        worker = Worker(runners, pauses=Pauses(attempts=ATTEMPTS) if leave else None)
        if not leave:
            every = {one.name: one.settings.every for one in wanted}
            worker.run(stop, every.__getitem__)
            return 0
        failed = [outcome for outcome in worker.run_to_end() if outcome.fault]
    if failed:
        raise ConfigurationError("\n".join(f"{one.name}: {one.fault}" for one in failed))
    return 0


def route(folder: Path, member: int) -> int:
    """Until stopped. Several members share the partitions."""
    from bus.store import open_store
    from bus.transaction import Loop
    from router.contexts import Contexts
    from router.service import TOPICS, Router, Settings, calm_collector

    wiring, stop = _started(folder)
    states = wiring.deployment.data / "state"
    settings = Settings(
        wiring.settings.kafka.partitions, wiring.law, Contexts(wiring.catalogue, wiring.directory, wiring.settings.zone)
    )
    with wiring.client() as client:
        _prepare(wiring, client)
        calm_collector()
        router = Router(client, wiring.codec, lambda number: open_store(states / str(number)), settings)
        try:
            Loop(client, wiring.router_group, TOPICS, router, f"{wiring.router_group}-{member}", name="router").run(stop)
        finally:
            router.close()
    return 0


def monitor(folder: Path, until: str | None) -> int:
    """Until stopped, or until the end of a run has been seen everywhere.

    Alerts are raised only by the wall's clock and only while it follows live: history speaks to nobody.
    """
    from monitor.alerts import Judge, Speaker
    from monitor.indicator import indicators
    from monitor.service import Service

    wiring, stop = _started(folder)
    with closing(wiring.view()) as view, wiring.client() as client:
        _prepare(wiring, client)
        if until:
            Service(view, client, wiring.codec).until_ended(until)
        elif wiring.settings.clock.mode is Mode.WALL:
            judge = Judge(tuple(indicators().values()), wiring.clockwork, wiring.now(view))
            speaker = Speaker(view, client, wiring.codec, judge)
            Service(view, client, wiring.codec, speaker, judge.after_batch).follow(stop.is_set)
        else:
            Service(view, client, wiring.codec).follow(stop.is_set)
    return 0


def deliver(folder: Path, *, leave: bool) -> int:
    """Until stopped, or until everything decided so far has been tried.

    Where no system of the deployment takes deliveries there is nothing to do: they stay in their topic for whoever reads it.
    """
    from connectors.deliver import Deliveries, receivers

    wiring, stop = _started(folder)
    found = receivers(wiring.connectors)
    if not found:
        if not leave:
            stop.wait()
        return 0
    with wiring.client() as client:
        _prepare(wiring, client)
        deliveries = Deliveries(found, client, wiring.codec, f"{wiring.settings.name}-deliveries")
        if leave:
            deliveries.run_to_end(stop)
        else:
            deliveries.run(stop)
    return 0


def _prepare(wiring: Wiring, client: Client) -> None:
    client.create(standard(wiring.settings.kafka.partitions))
