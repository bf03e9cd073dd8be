"""How a worker of connectors is: ready when it has its part, with its connectors counted by state."""

from __future__ import annotations

from pathlib import Path

from fleet_world import Place

from bus.errors import RetryError
from connectors.fleet_orders import Word
from connectors.fleet_share import Alone


def test_a_worker_is_ready_when_it_has_its_part(tmp_path: Path) -> None:
    """Not before it has joined; and a paused connector is counted as one."""
    place = Place(tmp_path)
    place.add("water")
    place.add("parks")
    place.order("parks", Word.PAUSE, {"by": "chief", "at": 0})
    worker = place.worker("a")
    before = worker.fleet.pulse()
    assert not before.ready
    assert "no part of the connectors" in before.missing
    worker.work()
    pulse = worker.fleet.pulse()
    assert pulse.ready
    assert (pulse.figures["connectors_running"], pulse.figures["connectors_paused"]) == (1, 1)


def test_a_worker_whose_group_cannot_be_asked_is_not_ready(tmp_path: Path) -> None:
    """It lives: another try comes."""
    place = Place(tmp_path)
    worker = place.worker("a").work()
    worker.share.step = lambda _: refuse()  # type: ignore[method-assign]  # the group is away
    worker.fleet.step()
    pulse = worker.fleet.pulse()
    assert pulse.alive
    assert "cannot be asked" in pulse.missing


def refuse() -> bool:
    raise RetryError("no coordinator")


def test_one_that_has_connectors_of_its_own_is_ready_at_once(tmp_path: Path) -> None:
    """Without a group."""
    place = Place(tmp_path)
    share = Alone(place.cluster, frozenset({"water"}))
    assert not share.joined
    share.step(0)
    assert share.joined
