"""Kind `kafka` over Kafka's double: a department's own topic, and the envelopes of Debezium."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connector_world import CLOCK, connector

from bus import topics
from bus.errors import ConfigurationError
from bus.memory import Cluster
from bus.ports import Message, Partition
from connectors import deadletters
from connectors.config import Connector
from connectors.formats.envelopes import EnvelopeError, row
from connectors.runner import Runner
from schemas.codec import default

TOPIC = "approval.ingress.weather"
SOURCE = f"kind: kafka\nsource: {{topic: {TOPIC}}}\nbatch: 3\n"
#: A step of a case, as the department writes it.
STEP = {"id": "1", "case_no": "A1", "at": "2025-06-01 09:00:00", "who": "王"}


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.create([*topics.standard(4), topics.ingress("weather", 2)])
    return made


def put(cluster: Cluster, *values: Any, partition: int = 0) -> None:
    raws = [one if isinstance(one, bytes) or one is None else json.dumps(one).encode() for one in values]
    cluster.publish(Message(TOPIC, partition, None, raw, 0) for raw in raws)


def ran(cluster: Cluster, found: Connector) -> list[str]:
    """The keys of all events after one more pass."""
    runner = Runner(found, cluster, default(), CLOCK)
    runner.run_once()
    runner.close()
    return sorted(default().decode(one.value or b"").header["source"]["key"] for one in cluster.records(topics.EVENTS.name))


def letters(cluster: Cluster) -> Iterator[tuple[str, str, bytes]]:
    for letter in deadletters.read(cluster, default()):
        yield letter.value["reason"], letter.value["position"], letter.value["raw"]


def test_a_department_writes_and_each_record_is_read_once(cluster: Cluster, tmp_path: Path) -> None:
    """Both partitions, over several batches; a second pass adds what came since."""
    found = connector(tmp_path, SOURCE)
    put(cluster, *(STEP | {"id": str(number)} for number in range(5)))
    put(cluster, STEP | {"id": "9"}, partition=1)
    assert ran(cluster, found) == ["0", "1", "2", "3", "4", "9"]
    put(cluster, STEP | {"id": "7"}, partition=1)
    assert ran(cluster, found) == ["0", "1", "2", "3", "4", "7", "9"]


def test_a_topic_of_ours_is_made_where_it_is_missing(tmp_path: Path) -> None:
    """The department's first record needs no visit of an administrator."""
    cluster = Cluster()
    cluster.create(topics.standard(1))
    assert ran(cluster, connector(tmp_path, SOURCE)) == []
    assert cluster.ends([TOPIC]) == {Partition(TOPIC, 0): 0}


def test_a_record_that_is_no_json_is_refused_alone(cluster: Cluster, tmp_path: Path) -> None:
    """With its place and its bytes; the records after it go on."""
    put(cluster, b"\xff not JSON", [1, 2], STEP)
    assert ran(cluster, connector(tmp_path, SOURCE)) == ["1"]
    assert sorted(letters(cluster)) == [
        ("broken_line", f"{TOPIC}:0:0", b"\xff not JSON"),
        ("broken_line", f"{TOPIC}:0:1", b"[1, 2]"),
    ]


def test_what_went_before_it_was_read_is_told(cluster: Cluster, tmp_path: Path) -> None:
    """Retention took what was not read: the connector stops and says where, or goes on where it is told to."""
    found = connector(tmp_path, SOURCE)
    put(cluster, STEP)
    assert ran(cluster, found) == ["1"]
    put(cluster, *(STEP | {"id": str(number)} for number in range(2, 6)))
    cluster.forget(Partition(TOPIC, 0), 5)
    with pytest.raises(
        ConfigurationError, match=r"connectors/dep\.yaml: .*, partition 0: offsets 1 to 4 went before they were read"
    ):
        ran(cluster, found)
    assert ran(cluster, connector(tmp_path, SOURCE.replace("weather}", "weather, lost: skip}"))) == ["1", "5"]


def test_a_partition_without_rows_so_far_loses_nothing_in_silence(cluster: Cluster, tmp_path: Path) -> None:
    """Its first rows came and went between two looks: nothing of it had been read, so nothing in it said where to go on."""
    found = connector(tmp_path, SOURCE)
    put(cluster, STEP)
    assert ran(cluster, found) == ["1"]
    put(cluster, *(STEP | {"id": str(number)} for number in range(2, 6)), partition=1)
    cluster.forget(Partition(TOPIC, 1), 3)
    with pytest.raises(ConfigurationError, match="partition 1: offsets 0 to 2 went before they were read"):
        ran(cluster, found)


def test_a_topic_made_again_is_told(cluster: Cluster, tmp_path: Path) -> None:
    """Its rows stand at offsets that were read already: they would be passed over until it is as long as it was."""
    found = connector(tmp_path, SOURCE)
    put(cluster, *(STEP | {"id": str(number)} for number in range(5)))
    ran(cluster, found)
    for number in (0, 1):
        del cluster.logs[Partition(TOPIC, number)]
    cluster.create([topics.ingress("weather", 2)])
    put(cluster, STEP | {"id": "new"})
    with pytest.raises(ConfigurationError, match=r"partition 0 was read up to offset 5 and ends at \d: the topic was made again"):
        ran(cluster, found)


def test_without_the_deployments_kafka_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    """A preview publishes nothing and opens no Kafka."""
    with pytest.raises(ConfigurationError, match="lies in the deployment's own Kafka"):
        connector(tmp_path, SOURCE).open()


DEBEZIUM = """
zone: Asia/Shanghai
columns:
  id: {required: true}
  case_no: {clean: key, required: true}
  at: {type: time, required: true}
  who: {}
  op: {from: ../op}
  table: {from: ../source.table}
key: id
version: "op == 'd' ? 3 : op == 'u' ? 2 : 1"
case: case_no
choose: op
header: {occurred_at: at, actor: who, activity: table}
events:
  - {type: Accepted, name: accepted, on: [c, r, u]}
  - {type: Corrected, name: gone, on: d, cancels: accepted}
"""


def envelope(op: str, **more: Any) -> dict[str, Any]:
    """As Debezium writes it with schemas, of a table whose name its topic cannot carry."""
    held = {"before": STEP if op == "d" else None, "after": None if op == "d" else STEP | more}
    return {"schema": {}, "payload": {**held, "op": op, "source": {"table": "办件过程"}, "ts_ms": 1}}


def test_the_envelopes_of_debezium_are_rows(cluster: Cluster, tmp_path: Path) -> None:
    """Created, changed, deleted; the tombstone behind a deletion tells nothing; the table keeps its true name."""
    found = connector(tmp_path, SOURCE.replace("weather}", "weather, value: debezium}"), DEBEZIUM)
    put(cluster, envelope("c"), envelope("u", who="李"), envelope("d"), None, {"ts_ms": 5})
    ran(cluster, found)
    events = [default().decode(one.value or b"") for one in cluster.records(topics.EVENTS.name)]
    assert [(one.type, one.header["version"]) for one in events] == [("Accepted", 1), ("Accepted", 2), ("Corrected", 3)]
    assert {one.header["activity"] for one in events} == {"办件过程"}
    assert list(letters(cluster)) == []


@pytest.mark.parametrize("value", [3, [], {"op": "c"}, {"op": "x", "after": {}}, {"op": ["c"]}, STEP])
def test_what_is_no_envelope_is_refused(value: Any) -> None:
    """A mapping for envelopes over a topic without them must not lose every record in silence."""
    with pytest.raises(EnvelopeError, match="write value: json"):
        row(value)
