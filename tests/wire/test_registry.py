"""The registry client against a small server that speaks the documented API."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from registry_server import Server, served

from bus.errors import BusError, ConfigurationError, CorruptionError, RetryError
from bus.registry import HttpRegistry, UnknownSchemaError
from bus.settings import RegistrySettings

SCHEMA = '{"type": "record", "name": "审批", "fields": []}'


@pytest.fixture
def server() -> Iterator[Server]:
    with served() as running:
        yield running


def registry(server: Server, **settings: Any) -> HttpRegistry:
    return HttpRegistry(RegistrySettings(url=server.url, **settings))


def test_a_schema_is_registered_once_and_read_back_by_its_id(server: Server) -> None:
    """The id that one process is given leads another one to the same schema; neither asks twice."""
    writer, reader = registry(server), registry(server)
    number = writer.id_of("approval.events-casebus.events.Accepted", SCHEMA)
    assert writer.id_of("approval.events-casebus.events.Accepted", SCHEMA) == number
    assert reader.schema_of(number) == reader.schema_of(number) == SCHEMA
    assert [asked[:2] for asked in server.asked] == [
        ("POST", "/apis/ccompat/v7/subjects/approval.events-casebus.events.Accepted"),
        ("POST", "/apis/ccompat/v7/subjects/approval.events-casebus.events.Accepted/versions"),
        ("GET", f"/apis/ccompat/v7/schemas/ids/{number}"),
    ]


def test_a_subject_with_a_slash_stays_one_subject(server: Server) -> None:
    """Subjects are quoted whole: a slash in one must not lead elsewhere."""
    registry(server).id_of("a/b c", SCHEMA)
    assert server.schemas == [("a/b c", SCHEMA)]


def test_name_and_password_are_sent_and_never_shown(server: Server) -> None:
    """Basic authentication; the settings' repr keeps the password."""
    settings = RegistrySettings(url=server.url, username="bus", password="geheim密")
    HttpRegistry(settings).id_of("s", SCHEMA)
    assert server.asked[0][2] == "Basic " + base64.b64encode("bus:geheim密".encode()).decode()
    assert "geheim" not in repr(settings)


@pytest.mark.parametrize(
    ("code", "body", "kind", "said"),
    [
        (401, b"", ConfigurationError, "refuses the name or password"),
        (403, b"", ConfigurationError, "casebus registry apply"),
        (404, b"<html>", ConfigurationError, "must be the address of the API"),
        (404, b'{"error_code": 404, "message": "HTTP 404 Not Found"}', ConfigurationError, "must be the address of the API"),
        (
            409,
            b'{"error_code": 409, "message": "io.x.RuleViolationException: incompatible with 1."}',
            ConfigurationError,
            "the schema: incompatible with 1. Ask who",
        ),
        (422, b'{"error_code": 42201, "message": "Invalid schema"}', ConfigurationError, "Invalid schema"),
        (503, b"<html>", RetryError, "answered 503: Service Unavailable"),
        (200, b"<html>", ConfigurationError, "not in JSON"),
        (200, b'{"name": "something else"}', ConfigurationError, "without `id`"),
    ],
)
def test_a_refusal_says_who_mends_it(server: Server, code: int, body: bytes, kind: type[BusError], said: str) -> None:
    """What whoever runs the bus must change is told from what only needs another try."""
    server.refusal = (code, body)
    with pytest.raises(kind) as caught:
        registry(server).id_of("s", SCHEMA)
    assert said in str(caught.value)
    assert type(caught.value) is kind


def test_an_unknown_id_is_a_record_from_elsewhere(server: Server) -> None:
    """Nobody repairs that by waiting; one such record stops nobody."""
    server.schemas = [("other", SCHEMA)]
    with pytest.raises(UnknownSchemaError, match="Schema not found"):
        registry(server).schema_of(7)


def test_an_empty_registry_has_lost_what_records_name(server: Server) -> None:
    """No record is to blame: to put all of them aside would be wrong."""
    with pytest.raises(CorruptionError, match=r"is empty, but records name its schema 7\. Restore its database") as caught:
        registry(server).schema_of(7)
    assert type(caught.value) is CorruptionError


def test_what_is_registered_already_is_found_by_who_may_only_read(server: Server) -> None:
    """Services need no right to register where somebody did it for them."""
    server.schemas = [("s", SCHEMA)]
    assert registry(server).id_of("s", SCHEMA) == 1
    assert [path for _, path, _ in server.asked] == ["/apis/ccompat/v7/subjects/s"]


def test_a_subject_is_held_to_a_level(server: Server) -> None:
    """A level is known of subjects that are there; of others nothing is."""
    asked = registry(server)
    assert asked.level("a/b") is None
    asked.register("a/b", SCHEMA)
    assert asked.level("a/b") == "BACKWARD"
    asked.hold("a/b", "FULL_TRANSITIVE")
    assert asked.level("a/b") == "FULL_TRANSITIVE"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"is_compatible": True}, ""),
        (
            {"is_compatible": False, "messages": ["no default at /fields/1", "lost a symbol"]},
            "no default at /fields/1; lost a symbol",
        ),
        ({"is_compatible": False}, "it is not compatible with an earlier one"),
    ],
)
def test_what_would_be_refused_is_known_before(server: Server, answer: dict[str, Any], said: str) -> None:
    """With the registry's reason where it gives one."""
    server.judgement = answer
    assert registry(server).refusal("s", SCHEMA) == said


def test_a_registry_that_does_not_answer_is_asked_again_later(server: Server) -> None:
    """A refused connection is a matter of waiting, and is not remembered."""
    gone = HttpRegistry(RegistrySettings(url="http://127.0.0.1:1/", timeout=1))
    with pytest.raises(RetryError, match="does not answer"):
        gone.schema_of(1)
    back = registry(server)
    server.refusal = (503, b"")
    with pytest.raises(RetryError):
        back.id_of("s", SCHEMA)
    server.refusal = None
    assert back.id_of("s", SCHEMA) == 1
