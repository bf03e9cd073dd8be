"""A deployment with a real schema registry, Apicurio: from before it is there to departments' own programs that read by it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import apicurio
import httpx
import pytest
from avro_values import values_of
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition
from hypothesis import given, settings

from bus import connect
from bus.addresses import free_ports
from bus.broker import Broker
from bus.errors import ConfigurationError
from bus.ports import Client, Message
from bus.registry import HttpRegistry
from bus.settings import KafkaSettings, RegistrySettings
from bus.topics import DEADLETTERS, DELIVERIES, EVENTS, JOURNAL, Topic
from casebus import published
from casebus.crew import CASEBUS
from casebus.registration import LEVEL, subjects
from schemas import contract
from schemas.codec import CONFLUENT, Codec

pytestmark = [pytest.mark.tier2, pytest.mark.timeout(600)]

EVERYTHING = Topic("department.copy", "nothing", partitions=1)
#: All that a deployment writes in Avro, and one record or more of each of its types.
TOPICS = (EVENTS.name, JOURNAL.name, DELIVERIES.name, DEADLETTERS.name, EVERYTHING.name)
#: A schema of somebody else's, under one of our names.
STRANGER = '{"type": "record", "name": "Rated", "namespace": "casebus.events", "fields": [{"name": "stars", "type": "int"}]}'
STRANGE = "casebus.events.Rated"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class City(NamedTuple):
    """A deployment that is up, the registry beside it, and what its commands said on the way."""

    folder: Path
    registry: apicurio.Apicurio
    bootstrap: str
    said: dict[str, Any]

    @property
    def codec(self) -> Codec:
        """Of a program that starts now and knows nothing yet."""
        return Codec(self.asked())

    def asked(self) -> HttpRegistry:
        return HttpRegistry(RegistrySettings(url=self.registry.confluent))


class Row(NamedTuple):
    """A record as somebody read it."""

    topic: str
    partition: int
    offset: int
    fields: Any


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, casebus: Any) -> Iterator[City]:
    """The bus starts first; then the registry, in which somebody has taken one of our names; then that is mended."""
    folder, (port,) = tmp_path_factory.mktemp("registered") / "mycity", free_ports(1)
    program = apicurio.unpacked(tmp_path_factory.mktemp("apicurio"))
    casebus("init", folder).good()
    _name_registry(folder, port)
    said: dict[str, Any] = {}

    def say(name: str, *words: str) -> Any:
        said[name] = casebus(*words[:2], folder, *words[2:])
        return said[name]

    with subprocess.Popen([*CASEBUS, "up", str(folder)], stderr=subprocess.PIPE, text=True) as up:
        assert up.stderr
        try:
            assert any(line.startswith("up;") for line in _told(up.stderr))
            _within(200, lambda: "RESTARTING" in say("waits", "connector", "status", "--json").out)
            said["doctor, away"] = casebus("doctor", folder, "--json")
            say("apply, away", "registry", "apply")
            with apicurio.started(program, port) as registry:
                _take_a_name(registry)
                say("plan, taken", "registry", "plan")
                say("apply, taken", "registry", "apply")
                _give_it_back(registry)
                say("apply", "registry", "apply").good()
                said["held"] = _held(registry)
                say("again", "registry", "apply").good()
                casebus("connector", "restart", "permits", folder).good()
                _within(200, lambda: _recorded(casebus("audit", folder, "--json")))
                with Broker(folder / ".casebus/kafka") as kafka:
                    found = City(folder, registry, kafka.bootstrap, said)
                    _publish_everything(found)
                    yield found
        finally:
            up.terminate()
            up.stderr.read()
    assert up.returncode == 0


def _name_registry(folder: Path, port: int) -> None:
    file = folder / "casebus.yaml"
    text = file.read_text("utf-8")
    named = f"kafka:\n  registry: http://127.0.0.1:{port}/apis/ccompat/v7\n"
    for written, wanted in (("kafka:\n", named), ("port: 8080", "port: null")):
        assert text.count(written) == 1, written
        text = text.replace(written, wanted)
    file.write_text(text, "utf-8")


def _told(lines: Iterable[str]) -> Iterator[str]:
    """Each line, which whoever looks at a failure sees too."""
    for line in lines:
        sys.stderr.write(line)
        yield line


def _take_a_name(registry: apicurio.Apicurio) -> None:
    body = {"schema": STRANGER}
    httpx.post(f"{registry.confluent}/subjects/{STRANGE}/versions", json=body, trust_env=False).raise_for_status()


def _give_it_back(registry: apicurio.Apicurio) -> None:
    for permanent in ("false", "true"):
        place = f"{registry.confluent}/subjects/{STRANGE}?permanent={permanent}"
        httpx.delete(place, trust_env=False).raise_for_status()


def _held(registry: apicurio.Apicurio) -> dict[str, tuple[str, list[int]]]:
    """What the registry itself says of each subject: its compatibility and its versions' ids."""
    with httpx.Client(base_url=registry.confluent, trust_env=False) as asking:

        def asked(path: str) -> Any:
            return asking.get(path).raise_for_status().json()

        return {
            name: (
                asked(f"/config/{name}")["compatibilityLevel"],
                [asked(f"/subjects/{name}/versions/{number}")["id"] for number in asked(f"/subjects/{name}/versions")],
            )
            for name in asked("/subjects")
        }


def _recorded(audit: Any) -> bool:
    """Whether all that the source has stands in the journal and in the view."""
    return audit.code == 0 and audit.json["counts"]["journal"] > 0 and not audit.json["waiting"]


def _made_up(form: contract.Contract) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    @settings(max_examples=4, derandomize=True, deadline=None, database=None)
    @given(values_of(form, dated=True))
    def take(value: dict[str, Any]) -> None:
        found.append(value)

    take()
    return found


def _encoded(codec: Codec, form: contract.Contract, value: dict[str, Any]) -> bytes:
    if not form.is_event:
        return codec.encode_record(form.name, value)
    return codec.encode(form.name, value["header"], {name: one for name, one in value.items() if name != "header"})


def _publish_everything(city: City) -> None:
    """A few made-up records of every type, as the bus writes them."""
    codec = city.codec
    values = [_encoded(codec, form, value) for form in contract.current().values() for value in _made_up(form)]
    with closing(_client(city)) as client:
        client.create([EVERYTHING])
        with closing(client.producer("department-copy")) as producer:
            producer.begin()
            producer.send(Message(EVERYTHING.name, 0, None, value, time.time_ns() // 1_000_000) for value in values)
            producer.commit()


def _client(city: City) -> Client:
    return connect(KafkaSettings().at(city.bootstrap))


def _within(seconds: float, true: Callable[[], object]) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


# -- the registry


def test_what_starts_before_the_registry_waits_for_it_and_says_so(city: City) -> None:
    """The connector's standing, the doctor and the command name the address; nobody needs to restart anything."""
    (permits,) = json.loads(city.said["waits"].out)["connectors"]
    assert permits["state"] == "RESTARTING"
    assert f"The schema registry {city.registry.confluent}" in permits["error"]
    assert "does not answer" in permits["error"]
    (finding,) = [one for one in city.said["doctor, away"].json["findings"] if one["what"] == "schema registry"]
    assert "does not answer" in finding["found"]
    assert finding["cure"]
    assert city.said["apply, away"].code == 75
    assert "does not answer" in city.said["apply, away"].err


def test_a_name_that_somebody_took_is_told_before_and_refused_with_the_reason(city: City) -> None:
    """One sentence with subject and cause, before anything is changed and after; the others are registered all the same."""
    planned, applied = city.said["plan, taken"], city.said["apply, taken"]
    assert planned.code == 1
    assert "would be refused" in planned.out
    assert applied.code == 2
    assert STRANGE in applied.err
    assert "refuses the schema" in applied.err
    assert "/fields/" in applied.err  # where they differ, in the registry's own words


def test_every_version_is_registered_and_held_to_its_level(city: City) -> None:
    """Asked of the registry itself: each contract, each version, full compatibility with all others.

    A service that wrote before `apply` did has registered the newest version first; compatible both ways, order matters not.
    """
    held = city.said["held"]
    assert {name: (level, len(ids)) for name, (level, ids) in held.items()} == {
        name: (LEVEL, len(forms)) for name, forms in subjects().items()
    }
    asked = city.asked()
    for name, (_, ids) in held.items():
        known = {contract.contract(asked.schema_of(number)).fingerprint for number in ids}
        assert known == {form.fingerprint for form in subjects()[name]}


def test_twice_changes_nothing(city: City) -> None:
    """Neither a second run of the command nor a bus that has worked with it since adds a version or an id."""
    assert "0 changed" in city.said["again"].err
    assert _held(city.registry) == city.said["held"]


def test_an_incompatible_version_is_refused_with_the_reason(city: City) -> None:
    """As it would be for a program of ours that came with one: who starts it reads why."""
    schema = json.loads(contract.events()["Accepted"].text)
    schema["fields"].append({"name": "stars", "type": "int"})
    with pytest.raises(ConfigurationError, match=r"refuses the schema: .*/fields/") as told:
        city.asked().id_of("casebus.events.Accepted", json.dumps(schema))
    assert "\n" not in str(told.value)


def test_the_doctor_finds_it_well(city: City, casebus: Any) -> None:
    """Once all is registered."""
    found = casebus("doctor", city.folder, "--json").json["findings"]
    (finding,) = [one for one in found if one["what"] == "schema registry"]
    assert finding["cure"] == ""
    assert casebus("registry", "plan", city.folder).code == 0


def test_the_evidence_of_a_case_needs_no_registry(city: City, casebus: Any, tmp_path: Path) -> None:
    """The file brings what the ids mean."""
    file = tmp_path / "evidence.json"
    casebus("evidence", "50000120260302000001", city.folder, "--to", file).good()
    assert json.loads(file.read_text("utf-8"))["schemas"]
    assert casebus("evidence", "verify", file, "--json").good().json["good"]


def test_what_each_id_means_stands_in_kafka_and_is_read_while_the_registry_is_away(city: City, casebus: Any) -> None:
    """Every id that a record bears is pinned; a program that starts while the registry is frozen reads all the same."""
    with closing(_client(city)) as client:
        records = [one for batch in client.read(dict.fromkeys(client.ends([EVENTS.name, JOURNAL.name]), 0)) for one in batch]
        pins = published.pins(client)
    borne = {int.from_bytes(one.value[1:5], "big") for one in records if one.value}
    assert len(borne) > 2
    assert borne <= pins.keys()
    known = {form.fingerprint.hex() for form in contract.current().values()}
    assert {pins[number] for number in borne} <= known
    os.kill(city.registry.process, signal.SIGSTOP)
    try:
        casebus("audit", city.folder).good()
    finally:
        os.kill(city.registry.process, signal.SIGCONT)


# -- departments' own programs


@pytest.fixture(scope="module")
def read_here(city: City) -> list[Row]:
    """All that is in the topics, as our codec reads it."""
    with closing(_client(city)) as client:
        records = [one for batch in client.read(dict.fromkeys(client.ends(TOPICS), 0)) for one in batch if one.value]
    codec = city.codec
    assert {one.value[:1] for one in records if one.value} == {CONFLUENT}
    return sorted(Row(one.topic, one.partition, one.offset, _plain(_fields(codec, one.value or b""))) for one in records)


def _fields(codec: Codec, value: bytes) -> dict[str, Any]:
    name, _, _ = codec.written(value)
    if name in contract.records():
        return codec.decode_record(value)[1]
    event = codec.decode(value)
    return {"header": event.header, **event.body}


def _plain(value: Any) -> Any:
    """As JSON has it: bytes in hexadecimal digits, moments as microseconds UTC."""
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, datetime):
        return (value - EPOCH) // timedelta(microseconds=1)
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def test_the_topics_hold_every_type(read_here: list[Row], city: City) -> None:
    """What follows compares events that a bus made and, of each contract, made-up ones."""
    assert {row.topic for row in read_here} >= {EVENTS.name, JOURNAL.name, EVERYTHING.name}
    with closing(_client(city)) as client:
        copies = [one.value for batch in client.read(dict.fromkeys(client.ends([EVERYTHING.name]), 0)) for one in batch]
    assert {city.codec.written(one or b"")[0] for one in copies} == {form.name for form in contract.current().values()}


def test_a_program_with_confluents_deserializer_reads_every_field(city: City, read_here: list[Row]) -> None:
    """In Python: `confluent_kafka.schema_registry.avro.AvroDeserializer`, told nothing but the two addresses."""
    from confluent_kafka.schema_registry import SchemaRegistryClient
    from confluent_kafka.schema_registry.avro import AvroDeserializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    deserialize = AvroDeserializer(SchemaRegistryClient({"url": city.registry.confluent}))
    found = []
    for record in _records(city.bootstrap):
        fields = deserialize(record.value(), SerializationContext(record.topic(), MessageField.VALUE))
        found.append(Row(record.topic(), record.partition(), record.offset(), _plain(fields)))
    assert sorted(found) == read_here


def _records(bootstrap: str) -> Iterator[Any]:
    """All records of the topics, by Confluent's consumer."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "department", "enable.partition.eof": True}
    consumer = Consumer(settings | {"enable.auto.commit": False, "isolation.level": "read_committed"})
    known = consumer.list_topics(timeout=10).topics
    places = [TopicPartition(topic, number, OFFSET_BEGINNING) for topic in TOPICS for number in known[topic].partitions]
    consumer.assign(places)
    ends = 0
    while ends < len(places):
        record = consumer.poll(10)
        assert record is not None
        if record.error() is None:
            yield record
        else:
            assert record.error().code() == KafkaError._PARTITION_EOF, record.error()
            ends += 1
    consumer.close()


def test_a_program_in_java_reads_every_field(city: City, read_here: list[Row], tmp_path: Path) -> None:
    """With Kafka's own consumer and Apicurio's deserializer, told nothing but the two addresses."""
    found = apicurio.consumer(tmp_path).read(city.bootstrap, city.registry, TOPICS)
    rows = [Row(one["topic"], one["partition"], one["offset"], one["fields"]) for one in found]
    assert sorted(rows) == read_here
    assert {one["name"] for one in found if one["topic"] == EVERYTHING.name} == set(contract.current())
