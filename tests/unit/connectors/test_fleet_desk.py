"""Orders as people give them, and what going back would read."""

from __future__ import annotations

from pathlib import Path

import pytest
from connector_world import CLOCK, connector, drop, good, rows
from fleet_world import NOW, Place

from bus.errors import ConfigurationError
from connectors import fleet_rewind, positions
from connectors.fleet_desk import Desk
from connectors.fleet_status import State
from connectors.runner import Runner
from schemas.codec import default


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.add("dep")
    made.rows("dep", 1, 2, 3)
    return made


def test_an_order_reaches_the_worker_and_its_standing_the_desk(place: Place) -> None:
    """Each by a topic: the desk knows no worker, the worker no desk."""
    desk, worker = Desk(place.cluster, lambda: NOW), place.worker("a").work()
    orders = {
        "paused": lambda: desk.pause("dep", "anna"),
        "resumed": lambda: desk.resume("dep"),
        "restarted": lambda: desk.restart("dep", "anna"),
    }
    state = {}
    for name, order in orders.items():
        order()
        worker.work(0).reporter.flush(NOW)
        standing = desk.standing("dep")
        state[name] = standing and standing.state
    assert state == {"paused": State.PAUSED, "resumed": State.RUNNING, "restarted": State.RUNNING}
    assert sum(place.keys("dep").values()) == 3


def test_going_back_is_seen_where_the_position_stands(place: Place) -> None:
    """By the order's own id: two orders to the same place are two."""
    desk, worker = Desk(place.cluster), place.worker("a").work()
    at = desk.position("dep").position
    for _ in range(2):
        order = desk.rewind("dep", None, "anna")
        assert desk.position("dep").rewound != order
        worker.work(0)
        assert desk.position("dep").rewound == order
    worker.work()
    assert desk.position("dep").position == at
    assert place.keys("dep") == {"1": 3, "2": 3, "3": 3}


def test_an_unknown_connector_is_told_with_those_there_are(place: Place) -> None:
    """One that only has a file is known, though no worker has told of it yet."""
    desk = Desk(place.cluster)
    desk.check("new", ["new"])
    with pytest.raises(ConfigurationError, match=r"There is no connector gone\. Name one of: new\."):
        desk.check("gone", ["new"])


def test_a_dry_run_counts_the_rows_between_two_positions(tmp_path: Path) -> None:
    """Back, forth, and not at all; nothing is published."""
    place = Place(tmp_path)
    found = connector(tmp_path)
    path = drop(tmp_path, rows(good(1), good(2)))
    runner = Runner(found, place.cluster, default(), CLOCK)
    runner.run_once()
    first = positions.read(place.cluster)["dep"].position
    with path.open("a") as file:
        file.write(good(3) + "\n")
    runner.run_once()
    now = positions.read(place.cluster)["dep"].position
    assert [fleet_rewind.lookback(found, place.cluster, now, then).rows for then in (None, first, now)] == [3, 1, 0]
    assert fleet_rewind.lookback(found, place.cluster, first, now).rows == -1
    assert sum(place.keys("dep").values()) == 3


@pytest.mark.parametrize("position", ["nonsense", '{"a": 1}', "[]"])
def test_a_position_that_is_none_is_refused_with_an_example(tmp_path: Path, position: str) -> None:
    """Before it is ordered: the connector would fail at it for ever."""
    place = Place(tmp_path)
    found = connector(tmp_path)
    drop(tmp_path, rows(good(1)))
    Runner(found, place.cluster, default(), CLOCK).run_once()
    now = positions.read(place.cluster)["dep"].position
    with pytest.raises(ConfigurationError, match=r"is no position of dep.*One of its positions looks like this: \{"):
        fleet_rewind.check(found, place.cluster, now, position)
    fleet_rewind.check(found, place.cluster, now, now)
    fleet_rewind.check(found, place.cluster, now, None)
