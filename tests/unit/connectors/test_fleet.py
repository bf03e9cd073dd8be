"""A fleet over Kafka's double: shared by workers, ordered about, its files changed under it; nothing lost, nothing twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from connector_world import MAPPING
from fleet_world import NOW, Place, Worker

from bus.errors import RetryError
from connectors import fleet_unit, positions
from connectors.config import Connector
from connectors.fleet_orders import Book, Word
from connectors.fleet_share import Alone, Grouped
from connectors.fleet_status import State
from connectors.positions import Progress

NAMES = [f"dep{number}" for number in range(8)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def city(place: Place) -> Place:
    for name in NAMES:
        place.add(name)
        place.rows(name, 1)
    return place


def test_one_worker_has_all_connectors(city: Place) -> None:
    """Each is read, and stands in the topic with its sums and its worker."""
    worker = city.worker("a").work()
    assert worker.fleet.names == NAMES
    assert all(city.keys(name) == Counter({"1": 1}) for name in NAMES)
    found = city.standings(worker)
    assert {(one.state, one.rows, one.events, one.letters, one.worker) for one in found.values()} == {
        (State.RUNNING, 1, 1, 0, "a")
    }


def test_workers_share_the_connectors_and_take_over(city: Place) -> None:
    """Two have disjoint parts; when one is gone the other has all, and every row is on the bus once."""
    first, second = city.worker("a").work(), city.worker("b").work()
    first.work()
    assert sorted(first.fleet.names + second.fleet.names) == NAMES
    assert first.fleet.names
    assert second.fleet.names
    for name in NAMES:
        city.rows(name, 2)
    second.work()
    second.share.close()  # as the broker does with one that was killed; its runners are left as they are
    first.work()
    assert first.fleet.names == NAMES
    assert all(city.keys(name) == Counter({"1": 1, "2": 1}) for name in NAMES)


def test_what_a_worker_gives_up_or_changes_it_frees(city: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that calls come to must be free for whoever has the connector now."""
    left: list[str] = []
    monkeypatch.setattr(Connector, "left", lambda one: left.append(one.name))
    first, second = city.worker("a").work(), city.worker("b").work()
    first.work()
    assert sorted(left) == second.fleet.names
    left.clear()
    city.add(first.fleet.names[0], more="batch: 3\n")
    first.edit().work()
    assert left == first.fleet.names[:1]


def test_a_connector_does_not_move_when_another_is_added(place: Place) -> None:
    """Its name alone says whose it is."""
    for name in NAMES:
        place.add(name)
    workers = [place.worker("a").work(), place.worker("b").work()]
    workers[0].work()
    before = [worker.fleet.names for worker in workers]
    place.add("another")
    for worker in workers:
        worker.edit().work()
    after = [[name for name in worker.fleet.names if name != "another"] for worker in workers]
    assert after == before
    assert sum("another" in worker.fleet.names for worker in workers) == 1


def test_a_worker_that_was_evicted_without_knowing_harms_nobody(city: Place) -> None:
    """It goes on until it hears of it; the transactional id keeps every row single."""
    first, second = city.worker("a").work(), city.worker("b").work()
    assert isinstance(first.share, Grouped)
    first.work()
    mine = first.fleet.names
    city.cluster.evict(first.share._consumer)
    second.work()
    assert second.fleet.names == NAMES
    for name in NAMES:
        city.rows(name, 2)
    second.work()
    for name in NAMES:
        city.rows(name, 3)
    first.time.at += 10
    first.turns()  # without a look at the group
    second.work()
    second.work()
    assert mine
    assert all(city.keys(name) == Counter({"1": 1, "2": 1, "3": 1}) for name in NAMES)


def test_when_the_group_cannot_be_asked_nothing_begins(city: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others may have our connectors by then; they go on when the group answers."""
    worker = city.worker("a").work()
    city.rows("dep1", 2)
    with monkeypatch.context() as patch:
        patch.setattr(Grouped, "_step", lambda *_: (_ for _ in ()).throw(RetryError("away")))
        worker.work().work()
        assert worker.fleet.names == []
        assert city.keys("dep1") == Counter({"1": 1})
    worker.work()
    assert worker.fleet.names == NAMES
    assert city.keys("dep1") == Counter({"1": 1, "2": 1})


# orders


def test_a_paused_connector_reads_nothing_until_it_is_resumed(place: Place) -> None:
    """Whoever has it, and from the first moment: a worker that starts later knows it before it begins."""
    place.add("dep")
    place.rows("dep", 1)
    worker = place.worker("a").work()
    place.order("dep", Word.PAUSE, {"by": "anna"})
    place.rows("dep", 2)
    worker.work().work()
    assert place.standings(worker)["dep"].state is State.PAUSED
    worker.share.close()
    other = place.worker("b").work().work()
    assert place.keys("dep") == Counter({"1": 1})
    found = place.standings(other)["dep"]
    assert (found.state, found.worker, found.rows) == (State.PAUSED, "b", 1)
    place.order("dep", Word.PAUSE, None)
    other.work()
    assert place.keys("dep") == Counter({"1": 1, "2": 1})
    assert place.standings(other)["dep"].state is State.RUNNING


def test_going_back_happens_once_whatever_happens_to_the_workers(place: Place) -> None:
    """Also while it is paused; the same order heard again by another worker does nothing."""
    place.add("dep")
    place.rows("dep", 1, 2)
    worker = place.worker("a").work()
    place.order("dep", Word.PAUSE, {})
    place.order("dep", Word.REWIND, {"id": "r1", "to": None})
    worker.work()
    assert positions.read(place.cluster)["dep"] == Progress(None, 2, 2, 0, "r1")
    place.order("dep", Word.PAUSE, None)
    worker.work()
    assert place.keys("dep") == Counter({"1": 2, "2": 2})
    worker.share.close()
    place.worker("b").work().work()
    assert place.keys("dep") == Counter({"1": 2, "2": 2})


def test_a_restart_begins_anew_and_forgets_failures(place: Place) -> None:
    """The pause that had grown does not have to be waited for."""
    path = place.add("dep")
    (place.folder / "drop/dep.csv").unlink()
    worker = place.worker("a")
    for _ in range(4):
        worker.work()
    found = place.standings(worker)["dep"]
    assert (found.state, "dep.csv is not there" in found.error, found.due > found.passed) == (State.FAILED, True, True)
    place.add("dep")
    place.rows("dep", 1)
    worker.fleet.step()
    worker.turns()
    assert place.keys("dep") == Counter()
    place.order("dep", Word.RESTART, {"id": "x"})
    worker.work(0)
    assert place.keys("dep") == Counter({"1": 1})
    found = place.standings(worker)["dep"]
    assert (found.state, found.error, found.due) == (State.RUNNING, "", 0)
    assert path.name == found.file


def test_a_failing_connector_waits_longer_each_time_and_alone(place: Place) -> None:
    """Its neighbour is read as ever."""
    place.add("good")
    place.add("bad")
    (place.folder / "drop/bad.csv").unlink()
    worker = place.worker("a")
    for number in range(10):
        place.rows("good", number)
        worker.work()
    pauses = [1.0, 2.0, 4.0]
    assert [outcome.name for outcome in worker.told].count("bad") <= 10
    assert worker.fleet._units["bad"].turn() == pauses[-1]
    assert len(place.keys("good")) == 10


def test_an_order_for_nobody_is_no_harm(place: Place) -> None:
    """A word of another version, a connector that is not there yet."""
    place.order("dep", Word.PAUSE, {})
    place.add("dep")
    place.rows("dep", 1)
    worker = place.worker("a").work()
    assert place.keys("dep") == Counter()
    assert place.standings(worker)["dep"].state is State.PAUSED


# files


def test_a_file_added_changed_and_removed_takes_effect(place: Place) -> None:
    """Nothing is read twice, and the others are not disturbed."""
    place.add("one")
    place.rows("one", 1)
    worker = place.worker("a").work()
    place.add("two")
    place.rows("two", 1)
    worker.edit().work()
    assert place.keys("two") == Counter({"1": 1})
    place.add("two", MAPPING.replace("Accepted", "PreAccepted"))
    place.rows("two", 2)
    worker.edit().work()
    assert place.keys("two") == Counter({"1": 1, "2": 1})
    (place.folder / "connectors/two.yaml").unlink()
    worker.edit().work()
    place.rows("two", 3)
    worker.work()
    assert worker.fleet.names == ["one"]
    assert place.keys("two") == Counter({"1": 1, "2": 1})
    assert [*place.standings(worker)] == ["one"]
    assert place.keys("one") == Counter({"1": 1})


def test_a_file_with_errors_leaves_the_connector_as_it_is(place: Place) -> None:
    """The error is told with its line; the former mapping goes on, and the mended file replaces it."""
    path = place.add("dep")
    worker = place.worker("a").work()
    path.write_text(path.read_text("utf-8").replace("type: Accepted", "type: Acepted"), "utf-8")
    place.rows("dep", 1)
    worker.edit().work()
    found = place.standings(worker)["dep"]
    assert (found.state, found.error) == (State.RUNNING, "")
    assert "there is no event type `Acepted`" in found.file_error
    assert "dep.yaml:" in found.file_error
    assert place.keys("dep") == Counter({"1": 1})
    place.add("dep")
    worker.edit().work()
    assert place.standings(worker)["dep"].file_error == ""


def test_a_file_that_never_was_right_fails_alone_until_it_is_mended(place: Place) -> None:
    """It shows as a connector that failed, and begins when its file changes."""
    place.add("good")
    path = place.add("bad")
    path.write_text("kind: nothing\n", "utf-8")
    worker = place.worker("a").work()
    found = place.standings(worker)
    assert (found["good"].state, found["bad"].state) == (State.RUNNING, State.FAILED)
    assert "bad.yaml" in found["bad"].error
    place.add("bad")
    place.rows("bad", 1)
    worker.edit().work()
    found = place.standings(worker)
    assert (found["bad"].state, found["bad"].error) == (State.RUNNING, "")
    path.write_text("kind: nothing\n", "utf-8")
    worker.edit().work()
    path.unlink()
    worker.edit().work()
    assert [*place.standings(worker)] == ["good"]


def test_a_changed_mapping_applies_from_the_next_batch(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of a long pass, too: it ends after its batch, and the rest is read by the new mapping."""
    place.add("dep")
    place.rows("dep", 1, 2, 3, 4, 5)
    worker = place.worker("a")
    commit, commits = place.cluster.commit, []

    def committed(name: str) -> object:
        if name == "connector-dep" and not commits:
            place.add("dep", MAPPING.replace("Accepted", "PreAccepted"))
            worker.edit().fleet.step()
        commits.append(name)
        return commit(name)

    monkeypatch.setattr(place.cluster, "commit", committed)
    worker.work()
    types = [dict(one.headers)["ce_type"].decode().rpartition(".")[2] for one in place.cluster.records("approval.events")]
    assert Counter(types) == Counter({"Accepted": 2, "PreAccepted": 3})
    assert sum(place.keys("dep").values()) == 5


# alone, and the end


def test_connectors_can_be_taken_without_a_group(city: Place) -> None:
    """Named ones, and their orders are heard."""
    worker = Worker(city, "a", Alone(city.cluster, frozenset({"dep3"})))
    assert worker.work().fleet.names == ["dep3"]
    city.order("dep3", Word.PAUSE, {})
    city.rows("dep3", 2)
    worker.work().work()
    assert city.keys("dep3") == Counter({"1": 1})


def test_whoever_is_not_heard_of_tends_nothing(city: Place) -> None:
    """After twenty seconds without a word of its worker a connector shows as unattended."""
    worker = city.worker("a").work()
    assert city.standings(worker)["dep1"].state is State.RUNNING
    assert city.standings(at=NOW + 21_000_000)["dep1"].state is State.UNATTENDED
    worker.reporter.close(NOW)
    found = city.standings()["dep1"]
    assert (found.state, found.worker) == (State.UNATTENDED, "")


def test_a_late_word_of_a_former_owner_does_not_count(city: Place) -> None:
    """Who has a connector is who passed it last, though the other one's word comes last."""
    first = city.worker("a").work()
    city.standings(first)
    first.share.close()
    second = city.worker("b").work()
    first.reporter._news = dict(first.reporter._told)
    at = NOW + 6_000_000
    assert {one.worker for one in city.standings(second, first, at=at).values()} == {"b"}


def test_everything_is_told_again_after_a_minute(city: Place) -> None:
    """What a late word of a former owner overwrote comes right, though nothing happens any more."""
    worker = city.worker("a").work()
    counts = [worker.reporter.flush(NOW + number * 5_000_000) for number in range(14)]
    assert counts[0] == len(NAMES) + 1
    assert counts[1:11] == [1] * 10
    assert max(counts[11:]) == len(NAMES) + 1


def test_a_report_that_could_not_be_written_is_written_later(city: Place) -> None:
    """The broker was away; a newer word of the same connector goes before the older one."""
    worker = city.worker("a").work()
    city.cluster.fail_next_commit()
    assert worker.reporter.flush(NOW) == 0
    assert city.standings(worker)["dep1"].state is State.RUNNING


def test_reports_of_workers_long_gone_are_removed(city: Place) -> None:
    """One that was killed cannot say that it has ended."""
    city.standings(city.worker("a").work())
    later = NOW + 2 * 86_400_000_000
    city.standings(city.worker("b").work(), at=later)
    keys = [(record.key, record.value is None) for record in city.cluster.records("connector.status")]
    assert (b"/a", True) in keys


def test_records_told_again_change_nothing(place: Place) -> None:
    """After each sharing anew the topic is read from its beginning: old orders must not come back for a moment."""
    place.order("dep", Word.PAUSE, {})
    place.order("dep", Word.PAUSE, None)
    records = [record for record in place.cluster.records("connector.control") if record.key]
    book = Book()
    book.take(records)
    book.take(records[:1])
    assert not book.of("dep").paused


def test_who_was_fenced_waits_before_taking_the_connector_back_and_says_nothing_yet(place: Place) -> None:
    """Mostly it has moved to another worker, and this one has not heard of it."""
    place.add("dep")
    place.rows("dep", 1)
    worker = place.worker("a").work()
    place.rows("dep", 2)
    place.cluster.producer("connector-dep")
    unit = worker.fleet._units["dep"]
    assert unit.turn() == fleet_unit.FENCED
    assert place.standings(worker)["dep"].error == ""
    assert worker.told[-1].fault == ""
    unit.turn()
    assert place.keys("dep") == Counter({"1": 1, "2": 1})
