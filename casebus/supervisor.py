"""`casebus up`: a deployment's broker, its topics and its processes, from start to end.

With an end (`run_to_end`): the connectors run until their sources have nothing more; then one end-of-input marker goes
into every partition of the events, the router passes it on when nothing more can come, and the monitor stops when it has
seen it everywhere. Without (`run`): all stay up until told to stop.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from types import TracebackType
from typing import Self

from bus.errors import RetryError
from bus.ports import Client, Message
from bus.topics import EVENTS, standard
from casebus.alone import alone
from casebus.crew import USAGE, Crew
from casebus.display import Display
from casebus.wiring import Wiring, patiently
from monitor.service import Service
from schemas.codec import Codec

SERVICES = ("route", "monitor", "connect", "deliver")
PAGE = "page"
TICK = 0.05  # seconds between two looks at the crew
LOOK = 0.5  # seconds between two looks at how far the work is


class Supervisor:
    """`with Supervisor(deployment, display) as supervisor: supervisor.run_to_end()`."""

    def __init__(self, wiring: Wiring, display: Display) -> None:
        self._wiring = wiring
        self._display = display
        self._stack = ExitStack()
        self._failures: list[str] = []
        self._paged = False
        self._folder = str(wiring.deployment.folder)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(alone(self._wiring.deployment.data))
            self._display.phase("starting Kafka")
            self._client = stack.enter_context(self._wiring.client(self._display.progress))
            patiently(lambda: self._client.create(standard(self._wiring.settings.kafka.partitions)))
            self._crew = Crew(self._wiring.deployment.data / "logs", self._display.say)
            stack.callback(self._crew.dismiss_all)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stack.close()

    @property
    def client(self) -> Client:
        return self._client

    def begin(self, port: int | None = None) -> None:
        """All services, for good, and the page at this port; `tend` must then be called every moment or so."""
        for name in SERVICES:
            self._crew.hire(name, name, self._folder)
        if port is not None:
            self._crew.hire(PAGE, PAGE, self._folder, "--port", str(port))
        self._paged = port is not None

    def tend(self) -> None:
        """Raises ConfigurationError or ChildError where a service cannot stay up; without its page the bus goes on."""
        self._crew.tend()
        self._crew.demand(SERVICES)
        if self._paged and self._crew.code(PAGE) == USAGE:
            self._paged = False
            self._display.say(" ".join(self._crew.last_words(PAGE)))

    def run(self, stop: Callable[[], bool]) -> None:
        """All services, until `stop` says so."""
        self.begin(self._wiring.settings.page.port)
        while not stop():
            self.tend()
            time.sleep(TICK)

    def run_to_end(self) -> list[str]:
        """What there is, from the sources to the figures. Returns a sentence for each connector that could not run."""
        run = uuid.uuid4().hex
        self._crew.hire("route", "route", self._folder)
        self._crew.hire("monitor", "monitor", self._folder, "--until", run)
        self._crew.hire("connect", "connect", self._folder, "--exit")
        self._display.phase("reading the sources")
        self._wait("connect", self._published)
        patiently(lambda: self._end_input(run))
        self._display.phase("folding into cases")
        self._wait("monitor", self._shown)
        self._crew.demand(["route", "monitor"])
        self._deliver()
        self._crew.dismiss("route")
        return self._failures

    def _deliver(self) -> None:
        """Bring what was decided to its receivers, where any system here takes deliveries."""
        if not any(connector.settings.deliver for connector in self._wiring.connectors):
            return
        self._display.phase("delivering")
        self._crew.hire("deliver", "deliver", self._folder, "--exit")
        self._wait("deliver", lambda: (0, 0))
        self._show_the_rest()

    def _show_the_rest(self) -> None:
        """What could not be delivered became dead letters after the monitor had seen the end."""
        view = self._wiring.view()
        Service(view, self._client, self._wiring.codec).load()
        view.close()

    def _wait(self, name: str, progress: Callable[[], tuple[int, int]]) -> None:
        """Until that child has ended; the others must not give up meanwhile."""
        look = 0.0
        while self._crew.code(name) is None:
            self._crew.tend()
            self._crew.demand(other for other in ("route", "monitor") if other != name)
            if time.monotonic() >= look:
                with suppress(RetryError):  # a look that fails is not worth stopping for
                    self._display.progress(*progress())
                look = time.monotonic() + LOOK
            time.sleep(TICK)
        if self._crew.code(name) == USAGE:
            self._failures += self._crew.last_words(name)

    def _published(self) -> tuple[int, int]:
        """Records on the bus; how many there will be nobody knows yet."""
        return sum(self._client.ends([EVENTS.name]).values()), 0

    def _shown(self) -> tuple[int, int]:
        """How far the routers have read the events."""
        done = self._client.committed(self._wiring.router_group, [EVENTS.name])
        return sum(done.values()), sum(self._client.ends([EVENTS.name]).values())

    def _end_input(self, run: str) -> None:
        """Say in every partition that nothing more comes in this run. Said twice, it counts once."""
        numbers = sorted(place.number for place in self._client.ends([EVENTS.name]))
        with closing(self._client.producer(f"{self._wiring.settings.name}-up")) as producer:
            producer.begin()
            producer.send(end_markers(self._wiring.codec, run, numbers))
            producer.commit()


def end_markers(codec: Codec, run: str, partitions: Sequence[int]) -> list[Message]:
    """One marker for each partition of the events, each its own sender."""
    now = time.time_ns() // 1_000_000
    return [
        Message(
            EVENTS.name,
            number,
            None,
            codec.encode_record("InputEnded", {"run": run, "hop": 0, "sender": number}),
            now,
            (("type", b"InputEnded"),),
        )
        for number in partitions
    ]
