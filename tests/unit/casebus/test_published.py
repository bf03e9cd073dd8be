"""Two versions of one event side by side: each reads what the other writes, because both publish what they write with."""

from __future__ import annotations

import copy
import json
from io import BytesIO
from typing import Any

import pytest
from fastavro import schemaless_writer

from bus.errors import ConfigurationError, FencedError, RetryError
from bus.memory import Cluster
from bus.ports import Message
from bus.topics import SCHEMAS, standard
from casebus import published
from schemas import contract
from schemas.codec import SINGLE_OBJECT, STRANGE, Codec, CodecError


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.create(standard(2))
    return made


def texts(cluster: Cluster) -> list[str]:
    return list(published.read(cluster).values())


def newer() -> tuple[contract.Contract, bytes]:
    """`Rated` of the next version, which has one field more, and an event in it."""
    schema = copy.deepcopy(contract.events()["Rated"].schema)
    schema["fields"].append({"name": "kiosk", "type": ["null", "string"], "default": None, "doc": "Where it was rated."})
    form = contract.contract(json.dumps(schema))
    header = {
        "event_id": "a",
        "body_hash": "",
        "case": "city:1",
        "sequence": 1,
        "occurred_at": {"at": 1, "precision": "SECOND", "zone": "UTC"},
        "received_at": 1,
        "source": {"system": "hall", "table": "t", "key": "1", "position": "1"},
    }
    full, body = Codec().complete("Rated", header, {"score": 5})
    stream = BytesIO()
    schemaless_writer(stream, form.plain, {"header": full, **body, "kiosk": "east"})
    return form, SINGLE_OBJECT + form.fingerprint + stream.getvalue()


def put(cluster: Cluster, form: contract.Contract) -> None:
    cluster.publish([Message(SCHEMAS.name, 0, form.fingerprint.hex().encode(), form.text.encode(), 1)])


def test_every_schema_is_published_once(cluster: Cluster) -> None:
    """The second service that starts, or the first one the next day, adds nothing; a newer version adds its own."""
    assert published.publish(cluster, "city") == len(contract.current())
    assert published.publish(cluster, "city") == 0
    put(cluster, newer()[0])
    assert published.publish(cluster, "city") == 0
    assert len(texts(cluster)) == len(contract.current()) + 1


def test_an_older_reader_reads_what_a_newer_writer_published_meanwhile(cluster: Cluster) -> None:
    """It runs already when the newer one starts; the field that it does not know is passed over."""
    codec = Codec(published=lambda: texts(cluster))
    form, raw = newer()
    put(cluster, form)
    event = codec.decode(raw)
    assert (event.type, event.body["score"], "kiosk" in event.body, event.raw) == ("Rated", 5, False, raw)


def test_a_contract_that_only_the_newer_version_has_keeps_nobody_from_the_others(cluster: Cluster) -> None:
    """A new event type stands among the published schemas: it is passed over."""
    stranger = contract.contract('{"type": "record", "name": "casebus.events.Brandnew", "fields": []}')
    form, raw = newer()
    put(cluster, stranger)
    put(cluster, form)
    assert Codec(published=lambda: texts(cluster)).decode(raw).type == "Rated"


def test_an_unknown_schema_is_asked_for_once_and_made_up_ones_are_given_up() -> None:
    """Poison must not keep a reader busy."""
    asked: list[int] = []

    def nothing() -> list[str]:
        asked.append(1)
        return []

    codec = Codec(published=nothing)
    for number in [0, 0, *range(STRANGE + 50)]:
        with pytest.raises(CodecError, match="which nobody has published"):
            codec.decode(SINGLE_OBJECT + b"%08d" % number)
    assert len(asked) == STRANGE


def test_where_kafka_does_not_answer_the_record_is_asked_for_again() -> None:
    """The reader's batch is read again; it is no reason for a dead letter."""
    form, raw = newer()
    answers: list[Any] = [RetryError("Kafka does not answer."), [form.text]]

    def moody() -> list[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return list(answer)

    codec = Codec(published=moody)
    with pytest.raises(RetryError):
        codec.decode(raw)
    assert codec.decode(raw).type == "Rated"


@pytest.mark.parametrize(("error", "times", "left"), [(FencedError("taken"), 3, 0), (ConfigurationError("no right"), 1, None)])
def test_whoever_cannot_publish_works_all_the_same(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, error: Exception, times: int, left: int | None
) -> None:
    """One fenced by another service looks again until all is there; one without the right says so and goes on."""
    calls: list[int] = []
    real = cluster.producer

    def producer(name: str) -> Any:
        calls.append(1)
        if len(calls) <= times:
            raise error
        return real(name)

    monkeypatch.setattr(cluster, "producer", producer)
    monkeypatch.setattr("casebus.published.time.sleep", lambda _: None)
    published.publish(cluster, "city")
    assert len(texts(cluster)) == (0 if left is None else len(contract.current()))
