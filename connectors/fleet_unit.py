"""One connector in a worker: what is wanted of it, and its turns of work.

What is wanted (`Wish`) is set from the worker's main thread at any time; it takes effect at the next turn, and a pass that is
at work ends after its batch. Turns never run side by side, so all the rest belongs to them alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from bus.errors import FencedError
from connectors.config import Connector
from connectors.fleet_orders import NONE, Orders
from connectors.fleet_status import Standing, State
from connectors.positions import Progress
from connectors.runner import Runner
from connectors.worker import Outcome, Pauses, attempt

SLICE = 10.0  # seconds after which a pass makes room, where others wait for a thread
FENCED = 2.0  # seconds before a connector is taken back from whoever has taken it: long enough to hear that it is not ours


class Wish(NamedTuple):
    """What is wanted of a connector here. `held`: do nothing for now; `gone`: give it up."""

    connector: Connector
    orders: Orders = NONE
    file_error: str = ""
    held: bool = False
    gone: bool = False


class Ways(NamedTuple):
    """What all connectors of a worker share: how a runner is made, whom to tell, and whether somebody waits for a thread."""

    runner: Callable[[Connector], Runner]
    tell: Callable[[Standing], None]
    told: Callable[[Outcome], None]
    now: Callable[[], int]
    pressed: Callable[[], bool]
    wake: Callable[[str], None]
    pauses: Pauses


class Unit:
    """A connector with its runner."""

    def __init__(self, wish: Wish, ways: Ways) -> None:
        self.wish = wish
        self._ways = ways
        self._under = wish
        self._runner = self._made(wish.connector)
        self._progress = Progress()
        self._failures = 0
        self._passed = 0
        self._begun = 0.0
        self._cut = False

    @property
    def name(self) -> str:
        return self.wish.connector.name

    def turn(self) -> float | None:
        """One turn; seconds until the next, None where it waits to be woken."""
        wish, before = self.wish, self._under
        self._under, self._begun, self._cut = wish, time.monotonic(), False
        if wish.gone:
            self._runner.close()
            wish.connector.left()
            return None
        if wish.held:
            return None
        if wish.connector is not before.connector or wish.orders.restart != before.orders.restart:
            self._renew(wish.connector, before.connector)
        return self._judged(attempt(self.name, self._work))

    def close(self) -> None:
        self._runner.close()

    def _made(self, connector: Connector) -> Runner:
        runner = self._ways.runner(connector)
        runner.wake = lambda: self._ways.wake(connector.name)
        return runner

    def _renew(self, connector: Connector, before: Connector) -> None:
        """Nothing of what was is kept, failures neither."""
        self._runner.close()
        if connector is not before:
            before.left()
        self._runner = self._made(connector)
        self._failures = 0

    def _work(self) -> Progress:
        orders = self._under.orders
        if orders.rewind is not None:
            self._runner.rewind(orders.rewind.id, orders.rewind.to)
        if orders.paused:
            self._progress = self._runner.progress
            self._runner.close()
            return Progress()
        return self._runner.run_once(self._interrupted)

    def _interrupted(self) -> bool:
        self._cut = self.wish is not self._under or (time.monotonic() - self._begun > SLICE and self._ways.pressed())
        return self._cut

    def _judged(self, outcome: Outcome) -> float | None:
        self._passed = self._ways.now()
        if outcome.fault:
            return self._failed(outcome)
        self._failures = 0
        if self._under.orders.paused:
            self._tell(State.PAUSED)
            return None
        self._progress = self._runner.progress
        self._tell(State.RUNNING)
        if outcome.progress.records:
            self._ways.told(outcome)
        return 0.0 if self._cut else self._under.connector.settings.every

    def _failed(self, outcome: Outcome) -> float:
        """To be fenced once is how one hears that a connector has moved; only who is fenced again has something to tell."""
        self._failures += 1
        pause = self._ways.pauses.after(self._failures)
        if isinstance(outcome.error, FencedError):
            pause = max(pause, FENCED)
        if self._failures > 1 or not isinstance(outcome.error, FencedError):
            self._ways.told(outcome)
            state = State.FAILED if outcome.lasting else State.RESTARTING
            self._tell(state, outcome.fault, self._passed + round(pause * 1_000_000))
        return pause

    def _tell(self, state: State, error: str = "", due: int = 0) -> None:
        connector, progress = self._under.connector, self._progress
        self._ways.tell(
            Standing(
                name=connector.name,
                state=state,
                kind=connector.settings.kind,
                about=connector.settings.about,
                file=connector.path.name,
                passed=self._passed,
                position=progress.position,
                rows=progress.records,
                events=progress.events,
                letters=progress.rejected,
                error=error,
                due=due,
                file_error=self._under.file_error,
            )
        )
