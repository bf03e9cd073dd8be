"""Connectors shared by Kafka's group protocol: over the double and over both client libraries."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bus.topics import CONTROL
from connectors import fleet_orders
from connectors.fleet_orders import Orders, Rewind, Word
from connectors.fleet_share import Grouped

NAMES = [f"dep{number}" for number in range(40)]


def until(shares: list[Grouped], true: Callable[[], bool]) -> None:
    """Each looks again and again, as in its own process, until it is so."""
    deadline = time.monotonic() + 30
    with ThreadPoolExecutor(len(shares)) as pool:
        while not true():
            assert time.monotonic() < deadline, [owned(share) for share in shares]
            list(pool.map(lambda share: share.step(0.3), shares))


def owned(share: Grouped) -> list[str]:
    return [name for name in NAMES if share.has(name)]


def test_members_share_all_names_and_one_takes_over(bus) -> None:
    """Disjoint, whole, and about even; when one leaves, the other has all."""
    bus.client.create([CONTROL])
    group = bus.name()
    shares = [Grouped(bus.client, group) for _ in range(2)]
    until(shares, lambda: sorted(owned(shares[0]) + owned(shares[1])) == sorted(NAMES) and all(map(owned, shares)))
    assert min(len(owned(share)) for share in shares) >= 8
    shares[0].close()
    until(shares[1:], lambda: owned(shares[1]) == NAMES)
    assert owned(shares[0]) == []
    shares[1].close()


def test_orders_are_known_before_a_connector_begins_and_heard_afterwards(bus) -> None:
    """Those from before with the share itself, the others as they come; each once, the last of each word."""
    bus.client.create([CONTROL])
    first, second = f"dep-{bus.name()}", f"dep-{bus.name()}"
    bus.put(fleet_orders.message(first, Word.PAUSE, {"by": "anna"}, 0))
    bus.put(fleet_orders.message(first, Word.REWIND, {"id": "r1", "to": "7"}, 0))
    share = Grouped(bus.client, bus.name())
    before: list[Orders] = []

    def joined() -> bool:
        if share.has(first):
            before.append(share.book.of(first))
        return share.has(first)

    until([share], joined)
    assert before == [Orders(True, "", Rewind("r1", "7"))]
    bus.put(fleet_orders.message(first, Word.PAUSE, None, 0), fleet_orders.message(second, Word.RESTART, {"id": "x"}, 0))
    until([share], lambda: share.book.of(second).restart == "x" and not share.book.of(first).paused)
    assert share.book.of(first) == Orders(False, "", Rewind("r1", "7"))
    share.close()
