"""`health:` in casebus.yaml: each service answers at an address of its own whether it lives, whether it is ready, and in numbers.

`GET /healthz` 200 while its main loop turns, else 503 (start it again); `GET /readyz` 200 when it does its work (route no traffic
to it, and go on with a rolling restart, only then), else 503 with what it waits for; `GET /metrics` for Prometheus. Under systemd
the same is told through its notification socket.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import Field

from bus.errors import BusError, ConfigurationError
from bus.ports import Client
from bus.pulse import Asked, Pulse, unread
from schemas.yamlfile import Settings

#: Seconds between two words to systemd, where it says no interval of its own.
EVERY = 10.0
PREFIX = "casebus_service_"
#: What a service has not yet read, asked of Kafka; a number by partition would be many series for few answers.
Behind = Callable[[], float]


class HealthSettings(Settings):
    """A port for each service that is to answer; none: it does not. Routers beside each other count up from theirs."""

    host: str = "127.0.0.1"
    connect: int | None = Field(default=None, ge=1, le=65535)
    route: int | None = Field(default=None, ge=1, le=65535)
    deliver: int | None = Field(default=None, ge=1, le=65535)
    monitor: int | None = Field(default=None, ge=1, le=65535)

    def address(self, service: str, member: int = 0) -> Address | None:
        port: int | None = getattr(self, service)
        return None if port is None else Address(self.host, port + member)


class Address(NamedTuple):
    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> Address:
        """`127.0.0.1:9101`. Raises ConfigurationError."""
        host, _, port = text.rpartition(":")
        if not (host and port.isdigit() and int(port) < 65_536):
            raise ConfigurationError(f"`{text}` is no address; write --health HOST:PORT, such as 127.0.0.1:9101.")
        return cls(host.strip("[]"), int(port))


class Vital(NamedTuple):
    """A service by name: how to ask for its pulse, and how much it has not read yet, where that can be asked."""

    name: str
    pulse: Asked
    behind: Behind | None = None

    def told(self) -> dict[str, Any]:
        pulse = self.pulse()
        said = {"service": self.name, "alive": pulse.alive, "ready": pulse.ready, "silent_seconds": round(pulse.silent, 1)}
        return said | {"missing": _missing(pulse), "figures": dict(pulse.figures)}


def behind(client: Client, group: str, topics: Sequence[str]) -> Behind:
    """Records of these topics that the group has not read. Raises RetryError when it is called and nobody answers."""

    def asked() -> float:
        return unread(client.committed(group, topics), client.ends(topics))

    return asked


class Health:
    """`with Health(vital, address):` answers, and tells systemd, while the service works. Without an address only the latter."""

    @classmethod
    def of(cls, vital: Vital, settings: HealthSettings, asked: str | None, member: int = 0) -> Self:
        """At the address that was asked for, else at that of the settings."""
        return cls(vital, Address.of(asked) if asked else settings.address(vital.name, member))

    def __init__(self, vital: Vital, address: Address | None, environment: Mapping[str, str] = os.environ) -> None:
        self._vital = vital
        self._server = None if address is None else _bound(vital, address)
        self._systemd = Systemd.of(environment)
        self._stop = threading.Event()
        works: list[Callable[[], None]] = [partial(self._server.serve_forever, 0.1)] if self._server else []
        works += [self._tell] if self._systemd else []
        self._threads = [threading.Thread(target=work, name="casebus-health", daemon=True) for work in works]

    @property
    def port(self) -> int:
        """Where it answers; 0 where it does not."""
        return int(self._server.server_address[1]) if self._server else 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._systemd:
            self._systemd.say("STOPPING=1")
        if self._server:
            self._server.shutdown()
            self._server.server_close()

    def _tell(self) -> None:
        """Started as soon as it works; what it waits for stands in its status. A loop that turns no more is not vouched for."""
        assert self._systemd  # noqa: S101  for the type checker: without it this thread is not begun
        self._systemd.say("READY=1")
        while True:
            pulse = self._vital.pulse()
            words = [f"STATUS={_missing(pulse) or 'ready'}"] + ["WATCHDOG=1"] * pulse.alive
            self._systemd.say("\n".join(words))
            if self._stop.wait(self._systemd.every):
                return


def _missing(pulse: Pulse) -> str:
    return pulse.missing if pulse.alive else f"Its main loop has not turned for {pulse.silent:.0f} s."


class Systemd(NamedTuple):
    """sd_notify(3), without its library: a datagram to the socket in NOTIFY_SOCKET."""

    place: str
    every: float = EVERY

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Systemd | None:
        """None where no systemd waits for word. Half the watchdog's interval is what its manual asks for."""
        place = environment.get("NOTIFY_SOCKET")
        interval = environment.get("WATCHDOG_USEC", "")
        return cls(place, int(interval) / 2_000_000 if interval.isdigit() else EVERY) if place else None

    def say(self, words: str) -> None:
        place = f"\0{self.place[1:]}" if self.place.startswith("@") else self.place  # an abstract one
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.connect(place)
                line.sendall(words.encode())
        except OSError:
            pass  # systemd is being restarted: it hears the next word


class Figures:
    """What Prometheus reads."""

    def __init__(self, vital: Vital) -> None:
        self._vital = vital

    def collect(self) -> Iterator[Metric]:
        pulse = self._vital.pulse()
        yield self._gauge("alive", "1 while its main loop turns.", pulse.alive)
        yield self._gauge("ready", "1 when it does its work.", pulse.ready)
        yield self._gauge("silent_seconds", "Since its main loop turned.", pulse.silent)
        for name, number in pulse.figures.items():
            if name.endswith("_total"):
                metric = CounterMetricFamily(
                    PREFIX + name.removesuffix("_total"), f"{name} since its start.", labels=("service",)
                )
                metric.add_metric((self._vital.name,), number)
                yield metric
            else:
                yield self._gauge(name, f"{name} now.", number)
        if self._vital.behind is not None:
            try:
                yield self._gauge("behind", "Records that it has not read yet.", self._vital.behind())
            except BusError:
                return  # Kafka does not answer: no number is better than an old one

    def _gauge(self, name: str, says: str, number: float) -> Metric:
        metric = GaugeMetricFamily(PREFIX + name, says, labels=("service",))
        metric.add_metric((self._vital.name,), float(number))
        return metric


def _bound(vital: Vital, address: Address) -> ThreadingHTTPServer:
    """Raises ConfigurationError where somebody else has the port."""
    registry = CollectorRegistry()
    registry.register(Figures(vital))
    ProcessCollector(registry=registry)
    pages: dict[str, Callable[[], tuple[int, str, bytes]]] = {
        "/healthz": lambda: _answer(vital, "alive"),
        "/readyz": lambda: _answer(vital, "ready"),
        "/metrics": lambda: (200, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry)),
    }

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds for a caller to say what he wants

        def do_GET(self) -> None:
            found = pages.get(self.path.partition("?")[0])
            status, kind, body = found() if found else (404, "text/plain", b"/healthz, /readyz, /metrics\n")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A probe every few seconds is no news."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET

        def handle_error(self, *_: object) -> None:
            """A prober that hung up."""

    try:
        return Server((address.host, address.port), Handler)
    except OSError as error:
        raise ConfigurationError(
            f"The health of `{vital.name}` cannot be told at {address.host}:{address.port}: {error.strerror}. "
            "End what uses the port, or name another one: health: in casebus.yaml, or --health."
        ) from error


def _answer(vital: Vital, asked: str) -> tuple[int, str, bytes]:
    said = vital.told()
    return (200 if said[asked] else 503), "application/json", json.dumps(said, ensure_ascii=False).encode() + b"\n"
