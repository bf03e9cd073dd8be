"""The runner over Kafka's double: whatever fails, nothing is lost and nothing comes twice."""

from __future__ import annotations

import contextlib
import itertools
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import pytest
from connector_world import CLOCK, CSV, MAPPING, NOW, connector, drop, good, kafka, rows

from bus import topics
from bus.errors import FencedError, RetryError
from bus.memory import Cluster
from bus.partition import partition_of
from connectors import deadletters, positions, runner
from connectors.positions import Progress
from connectors.runner import Runner
from connectors.source import Batch, Settled, SourceRecord
from schemas.codec import default


@pytest.fixture
def cluster() -> Cluster:
    return kafka(4)


def run(cluster: Cluster, folder: Path, yaml: str = CSV + "batch: 3" + MAPPING, replay: bool = False) -> Runner:
    return Runner(connector(folder, yaml, ""), cluster, default(), CLOCK, replay)


def keys(cluster: Cluster) -> list[str]:
    """The business keys of the events on the bus."""
    return [default().decode(record.value or b"").header["source"]["key"] for record in cluster.records(topics.EVENTS.name)]


def letters(cluster: Cluster) -> list[deadletters.Letter]:
    return list(deadletters.read(cluster, default()))


def test_events_dead_letters_and_position_stand_together(cluster: Cluster, tmp_path: Path) -> None:
    """A pass publishes every row once, the bad one as a dead letter, and remembers where it stands."""
    drop(tmp_path, rows(good(1), good(2), "3,,2025-06-01 09:00:00,u", good(4)))
    read = run(cluster, tmp_path).run_once()
    assert sorted(keys(cluster)) == ["1", "2", "4"]
    (letter,) = letters(cluster)
    assert (letter.value["reason"], letter.value["key"], letter.value["position"]) == ("missing_case", "3", "rows.csv:4")
    assert letter.value["raw"] == b"3,,2025-06-01 09:00:00,u\n"
    assert letter.value["mapping_line"].startswith("connectors/dep.yaml:")
    assert positions.read(cluster)["dep"] == read
    assert read[1:4] == (4, 3, 1)


def test_an_event_too_large_for_the_bus_is_a_dead_letter(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row that holds a whole document stops nobody: it is refused with its size, its neighbours go on."""
    monkeypatch.setattr(runner, "LARGEST_EVENT", 2_000)
    wide = good(2).rsplit(",", 1)[0] + "," + "x" * 3_000
    drop(tmp_path, rows(good(1), wide, good(3)))
    run(cluster, tmp_path).run_once()
    (letter,) = letters(cluster)
    assert sorted(keys(cluster)) == ["1", "3"]
    assert letter.value["reason"] == "too_large"
    assert "more than 2,000" in letter.value["text"]


def test_a_second_run_adds_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """A new process finds the position and has nothing to do."""
    drop(tmp_path, rows(good(1), "2,,,", good(3)))
    run(cluster, tmp_path).run_once()
    before = cluster.records(topics.EVENTS.name), cluster.records(topics.DEADLETTERS.name)
    again = run(cluster, tmp_path).run_once()
    assert again.records == 0
    assert (cluster.records(topics.EVENTS.name), cluster.records(topics.DEADLETTERS.name)) == before


def test_an_appended_file_continues(cluster: Cluster, tmp_path: Path) -> None:
    """Only the new rows are read, by the same runner or a new one."""
    path = drop(tmp_path, rows(good(1), good(2)))
    first = run(cluster, tmp_path)
    first.run_once()
    with path.open("a") as file:
        file.write(good(3) + "\n")
    assert first.run_once().records == 1
    with path.open("a") as file:
        file.write(good(4) + "\n")
    first.close()
    assert run(cluster, tmp_path).run_once().records == 1
    assert sorted(keys(cluster)) == ["1", "2", "3", "4"]


def test_every_message_is_where_its_case_belongs(cluster: Cluster, tmp_path: Path) -> None:
    """Keyed by case, placed by our partitioner, with the attributes of CloudEvents and the receipt time."""
    drop(tmp_path, rows(*map(good, range(1, 9))))
    run(cluster, tmp_path).run_once()
    for record in cluster.records(topics.EVENTS.name):
        event = default().decode(record.value or b"")
        assert record.key == event.case.encode()
        assert record.partition == partition_of(record.key, 4)
        headers = dict(record.headers)
        assert headers["ce_id"].decode() == event.id
        assert headers["ce_type"] == b"casebus.events.Accepted"
        assert headers["ce_time"] == b"2025-06-01T01:00:00.000000Z"
        assert headers["ce_source"] == b"/dep/rows.csv"
        assert event.received_at == NOW
        assert record.timestamp > NOW // 1000  # this machine's clock, not the receipt time of a replay


def test_in_replay_the_sources_report_is_the_receipt(cluster: Cluster, tmp_path: Path) -> None:
    """The mapped reported_at counts where there is one, the clock where there is none."""
    drop(tmp_path, "id,case_no,at,who,sent\n1,C1,2025-06-01 09:00:00,u,2025-06-02 09:00:00\n2,C2,2025-06-01 09:00:00,u,\n")
    mapping = MAPPING.replace("who: {}", 'who: {}\n  sent: {type: time, formats: "%Y-%m-%d %H:%M:%S"}')
    mapping = mapping.replace("actor: who", "actor: who, reported_at: sent")
    run(cluster, tmp_path, CSV + mapping, replay=True).run_once()
    found = {(event := default().decode(record.value or b"")).case: event for record in cluster.records(topics.EVENTS.name)}
    assert found["case:C1"].received_at == found["case:C1"].header["reported_at"]["at"] == 1_748_826_000_000_000
    assert found["case:C2"].received_at == NOW


@pytest.mark.parametrize("inject", [Cluster.fail_next_commit, Cluster.fail_after_commit])
@pytest.mark.parametrize("number", [1, 2, 4])
def test_after_a_failed_commit_everything_stands_once(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inject: Callable[[Cluster], None], number: int
) -> None:
    """Refused, or committed with the answer lost: the runner cannot know which, asks again, and neither loses nor doubles."""
    drop(tmp_path, rows(*map(good, range(1, 10)), "10,,,"))
    passes, commit = itertools.count(1), cluster.commit
    monkeypatch.setattr(cluster, "commit", lambda name: (next(passes) == number and inject(cluster), commit(name))[1])
    found = run(cluster, tmp_path)
    with pytest.raises(RetryError):
        found.run_once()
    found.run_once()
    assert Counter(keys(cluster)) == Counter(str(one) for one in range(1, 10))
    assert len(letters(cluster)) == 1
    assert positions.read(cluster)["dep"][1:4] == (10, 9, 1)


class Killed(BaseException):
    """What kill -9 is to the code: nothing after it runs."""


def _killing(point: str, passes: int) -> Generator[str, str, None]:
    count = 0
    while True:
        name = yield ""
        count += name == point
        if count == passes:
            raise Killed


@pytest.mark.parametrize("point", ["connector.after_send", "connector.before_commit", "connector.after_commit"])
@pytest.mark.parametrize("passes", [1, 2, 4])
def test_a_killed_connector_leaves_nothing_lost_or_doubled(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, passes: int
) -> None:
    """Killed at each named point, with the transaction left open: its successor fences it and goes on where it stood."""
    drop(tmp_path, rows(*map(good, range(1, 11)), "11,,,"))
    killer = _killing(point, passes)
    next(killer)
    monkeypatch.setattr(runner.crash, "point", killer.send)
    monkeypatch.setattr(Runner, "_drop", lambda _: None)  # a killed process tidies nothing up
    with pytest.raises(Killed):
        run(cluster, tmp_path).run_once()
    monkeypatch.setattr(runner.crash, "point", lambda _: None)
    run(cluster, tmp_path).run_once()
    assert Counter(keys(cluster)) == Counter(str(number) for number in range(1, 11))
    assert len(letters(cluster)) == 1
    assert positions.read(cluster)["dep"][1:4] == (11, 10, 1)


def test_a_second_owner_fences_the_first(cluster: Cluster, tmp_path: Path) -> None:
    """Two processes run the same connector by mistake: the older one is refused, and goes on where the newer one stands."""
    path = drop(tmp_path, rows(good(1)))
    old, new = run(cluster, tmp_path), run(cluster, tmp_path)
    old.run_once()
    append(path, 2)
    new.run_once()
    append(path, 3)
    with pytest.raises(FencedError):
        old.run_once()
    old.run_once()
    assert sorted(keys(cluster)) == ["1", "2", "3"]


def append(path: Path, number: int) -> None:
    with path.open("a") as file:
        file.write(good(number) + "\n")


def test_a_look_that_finds_nothing_opens_no_producer(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eighty idle connectors hold eighty connections otherwise; one that was busy gives its own back after a while."""
    taken: list[str] = []
    producer = cluster.producer
    monkeypatch.setattr(cluster, "producer", lambda name: (taken.append(name), producer(name))[1])
    path = drop(tmp_path, rows())
    found = run(cluster, tmp_path)
    found.run_once()
    assert taken == []
    append(path, 1)
    found.run_once()
    append(path, 2)
    found.run_once()
    assert taken == ["connector-dep"]
    monkeypatch.setattr(runner, "IDLE", -1.0)
    found.run_once()
    append(path, 3)
    found.run_once()
    assert taken == ["connector-dep"] * 2
    assert sorted(keys(cluster)) == ["1", "2", "3"]


def test_a_look_by_an_old_position_is_done_again(cluster: Cluster, tmp_path: Path) -> None:
    """Another worker had the connector meanwhile: what it read is not read twice, though the look would have given it."""
    path = drop(tmp_path, rows())
    ours, other = run(cluster, tmp_path), run(cluster, tmp_path)
    ours.run_once()
    append(path, 1)
    other.run_once()
    append(path, 2)
    assert ours.run_once().records == 1
    assert sorted(keys(cluster)) == ["1", "2"]


def test_a_pass_ends_after_a_batch_when_it_is_told_to(cluster: Cluster, tmp_path: Path) -> None:
    """To be paused, given away, or read by another mapping; the rest comes with the next pass."""
    drop(tmp_path, rows(*map(good, range(1, 8))))
    found = run(cluster, tmp_path)
    assert found.run_once(lambda: True).records == 3
    assert found.run_once().records == 4
    assert len(keys(cluster)) == 7


@pytest.mark.parametrize("inject", [lambda _: None, Cluster.fail_next_commit, Cluster.fail_after_commit])
def test_an_order_to_go_back_is_carried_out_once(cluster: Cluster, tmp_path: Path, inject: Callable[[Cluster], None]) -> None:
    """By whoever has the connector, though the answer is lost or the order is heard again; the sums go on."""
    drop(tmp_path, rows(good(1), good(2)))
    found = run(cluster, tmp_path)
    found.run_once()
    inject(cluster)
    with contextlib.suppress(RetryError):
        found.rewind("order-1", None)
    found.rewind("order-1", None)
    assert found.run_once().records == 2
    other = run(cluster, tmp_path)
    assert not other.rewind("order-1", None)
    assert other.rewind("order-2", None)
    assert Counter(keys(cluster)) == Counter({"1": 2, "2": 2})
    assert positions.read(cluster)["dep"] == Progress(None, 4, 4, 0, "order-2")


def test_a_code_that_arrived_after_its_table_was_read_is_found(cluster: Cluster, tmp_path: Path) -> None:
    """A row newer than the lookup is worth a second look at the table before it is refused."""
    (tmp_path / "drop").mkdir()
    database = sqlite3.connect(tmp_path / "drop/a.db")
    database.executescript("create table r (id integer primary key, case_no, at, code); create table codes (code, step)")
    database.execute("insert into r values (1, 'C1', '2025-06-01 09:00:00', 'A')")
    database.execute("insert into codes values ('A', 'first')")
    database.commit()
    source = """
    kind: sql
    source: {url: "sqlite:///drop/a.db", table: r, key: id}
    lookups: {codes: {sql: {table: codes}, key: code, value: step}}
    columns:
      id: {required: true}
      case_no: {required: true}
      at: {type: time, formats: "%Y-%m-%d %H:%M:%S"}
      step: {from: code, lookup: codes}
    key: id
    case: case_no
    zone: Asia/Shanghai
    header: {occurred_at: at}
    events: [{type: StepCompleted, body: {step: step}}]
    """
    found = run(cluster, tmp_path, source)
    found.run_once()
    database.execute("insert into codes values ('B', 'second')")
    database.execute("insert into r values (2, 'C1', '2025-06-02 09:00:00', 'B')")
    database.execute("insert into r values (3, 'C1', '2025-06-02 09:00:00', '?')")
    database.commit()
    found.run_once()
    assert sorted(keys(cluster)) == ["1", "2"]
    assert [letter.value["reason"] for letter in letters(cluster)] == ["unknown_code"]


def test_a_dead_letter_is_found_by_its_place(cluster: Cluster, tmp_path: Path) -> None:
    """What `list` shows, `show` finds."""
    drop(tmp_path, rows("1,,,", "2,,,"))
    run(cluster, tmp_path).run_once()
    for letter in letters(cluster):
        assert deadletters.find(cluster, default(), letter.partition, letter.offset) == letter
    assert deadletters.find(cluster, default(), 0, 99) is None


def test_the_position_is_text_that_people_can_read(cluster: Cluster, tmp_path: Path) -> None:
    """JSON by the connector's name, with the sums that the audit compares."""
    drop(tmp_path, rows(good(1)))
    run(cluster, tmp_path).run_once()
    (record,) = cluster.records(topics.POSITIONS.name)
    assert record.key == b"dep"
    assert Progress(**json.loads(record.value or b"")).events == 1


class Called:
    """A department that calls: it stays open, and hears what became of each row."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.heard: list[tuple[str, int, str]] = []
        self.closed = 0

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:  # noqa: ARG002  the port's signature
        if position is None:
            one = {"id": "1", "case_no": "A1", "at": "2025-06-01 09:00:00", "who": "u"}
            yield Batch([SourceRecord(str(n), n, row, b"") for n, row in enumerate([one, one | {"case_no": ""}])], "2")

    def settled(self, rows: Sequence[Settled]) -> None:
        assert positions.read(self.cluster)["dep"].position == "2"  # Kafka has it already
        self.heard += [(one.record.position, one.events, one.reason) for one in rows]

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("standing", [True, False])
def test_a_source_hears_what_became_of_its_rows(cluster: Cluster, tmp_path: Path, standing: bool) -> None:
    """After the commit, a row each: its events, or why it was refused. One that is called stays open between passes."""
    called = Called(cluster)
    found = connector(tmp_path)
    part = found.parts[""]
    kind = part.kind._replace(open=lambda *_: called, standing=standing)
    runner = Runner(found._replace(parts={"": part._replace(kind=kind)}), cluster, default(), CLOCK)
    runner.run_once()
    runner.run_once()
    assert called.heard == [("0", 1, ""), ("1", 0, "missing_case")]
    assert called.closed == (0 if standing else 2)
    runner.close()
    assert called.closed == (1 if standing else 2)


def test_a_source_that_cannot_be_closed_leaves_no_producer_behind(cluster: Cluster, tmp_path: Path) -> None:
    """With it the position of before the commit would be believed, and every row published once more."""
    drop(tmp_path, rows(good(1), good(2)))
    found = connector(tmp_path)
    part, faults = found.parts[""], [OSError("gone"), OSError("gone")]

    class Broken:
        def __init__(self) -> None:
            self._inner = part.open(tmp_path, "dep.yaml")

        def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
            return self._inner.fetch(position, limit)

        def settled(self, _: Sequence[Settled]) -> None:
            if faults:
                raise faults.pop()

        def close(self) -> None:
            if faults:
                raise faults.pop()

    kind = part.kind._replace(open=lambda *_: Broken())
    once = Runner(found._replace(parts={"": part._replace(kind=kind)}), cluster, default(), CLOCK)
    with pytest.raises(OSError, match="gone"):
        once.run_once()
    once.run_once()
    assert sorted(keys(cluster)) == ["1", "2"]


@pytest.mark.parametrize("form", ["jsonl", "json"])
@pytest.mark.parametrize("depth", [99, 500, 985, 5000])
def test_a_row_nested_without_end_keeps_no_other_back(cluster: Cluster, tmp_path: Path, form: str, depth: int) -> None:
    """It could be read, and then no dead letter could hold it: every pass would have failed at it."""
    wrong = json.loads('{"id": "1", "case_no": "", "at": "2025-06-01 09:00:00"}')
    line = json.dumps(wrong)[:-1] + ', "who": ' + '{"a":' * (depth - 1) + "1" + "}" * depth
    drop(tmp_path, line, "a.json")
    drop(tmp_path, json.dumps(wrong | {"id": "2", "case_no": "C2"}), "b.json")
    run(cluster, tmp_path, f"kind: files\nsource: {{path: drop/*.json, format: {form}}}\n{MAPPING}").run_once()
    assert keys(cluster) == ["2"]
    assert [one.value["position"] for one in letters(cluster)] == ["a.json:1"]
