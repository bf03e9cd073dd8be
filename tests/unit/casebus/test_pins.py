"""A registry's ids keep the meaning that they had when records were written, whatever becomes of the registry."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

from bus.errors import ConfigurationError, CorruptionError, FencedError, RetryError
from bus.memory import Cluster
from bus.topics import standard
from casebus import published
from casebus.pins import Pinned
from schemas import contract
from schemas.codec import Codec

ACCEPTED, APPLIED = (contract.events()[name] for name in ("Accepted", "Applied"))


class Registered:
    """A registry in memory, which gives ids in the order in which it is asked."""

    def __init__(self) -> None:
        self.schemas: list[str] = []
        self.away = False
        self.asked = 0

    def id_of(self, _subject: str, schema: str) -> int:
        self._answer()
        if schema not in self.schemas:
            self.schemas.append(schema)
        return self.schemas.index(schema) + 1

    def schema_of(self, schema_id: int) -> str:
        self._answer()
        self.asked += 1
        return dict(enumerate(self.schemas, 1))[schema_id]

    def _answer(self) -> None:
        if self.away:
            raise RetryError("The schema registry does not answer.")


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.create(standard(2))
    return made


def pinned(registry: Registered, cluster: Cluster) -> Pinned:
    """As a process that starts now has it."""
    return Pinned(registry, lambda: nullcontext(cluster), "city")


def written(registry: Registered, cluster: Cluster) -> bytes:
    """An event that one process published."""
    codec = Codec(pinned(registry, cluster))
    header = {
        "event_id": "a",
        "body_hash": "",
        "case": "city:1",
        "sequence": 1,
        "occurred_at": {"at": 1, "precision": "SECOND", "zone": "UTC"},
        "received_at": 1,
        "source": {"system": "hall", "table": "t", "key": "1", "position": "1"},
    }
    full, body = codec.complete("Accepted", header, {})
    return codec.encode("Accepted", full, body)


def test_what_was_written_is_read_while_the_registry_is_away(cluster: Cluster) -> None:
    """A process that starts meanwhile goes by the pins."""
    registry = Registered()
    raw = written(registry, cluster)
    registry.away = True
    assert Codec(pinned(registry, cluster)).decode(raw).type == "Accepted"


def test_a_registry_that_was_set_up_anew_changes_no_record_and_takes_none(cluster: Cluster) -> None:
    """It gives the first id to what comes first: old records say what they said, and whoever would write is stopped."""
    raw, anew = written(Registered(), cluster), Registered()
    with pytest.raises(CorruptionError, match=r"Applied the id 1, which records bear for casebus\.events\.Accepted: it was"):
        pinned(anew, cluster).id_of(APPLIED.fullname, APPLIED.text)
    assert Codec(pinned(anew, cluster)).decode(raw).type == "Accepted"


def test_an_id_is_pinned_once_and_by_whoever_writes_it_first(cluster: Cluster) -> None:
    """Every process asks the registry itself, and adds only what is missing."""
    registry = Registered()
    for _ in range(3):
        assert pinned(registry, cluster).id_of(ACCEPTED.fullname, ACCEPTED.text) == 1
        assert pinned(registry, cluster).id_of(APPLIED.fullname, APPLIED.text) == 2
    assert published.pins(cluster) == {1: ACCEPTED.fingerprint.hex(), 2: APPLIED.fingerprint.hex()}
    (places,) = [cluster.ends(["approval.schemas"])]
    assert sum(places.values()) == 4  # two pins, each with the mark of its transaction
    assert published.read(cluster) == {}


def test_what_nobody_pinned_is_asked_of_the_registry(cluster: Cluster) -> None:
    """A department's own program writes by the registry alone."""
    registry = Registered()
    registry.schemas = [ACCEPTED.text]
    assert pinned(registry, cluster).schema_of(1) == ACCEPTED.text


def test_an_id_that_nobody_knows_is_asked_for_once_and_made_up_ones_are_given_up(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Poison must not keep a reader busy; what is known is read all the same."""
    monkeypatch.setattr("casebus.pins.STRANGE", 10)
    registry = Registered()
    raw = written(registry, cluster)
    reader = pinned(registry, cluster)
    for number in [7, 7, *range(7, 30)]:
        with pytest.raises(LookupError):
            reader.schema_of(number)
    assert registry.asked == 10
    assert Codec(reader).decode(raw).type == "Accepted"


@pytest.mark.parametrize(("error", "left"), [(FencedError("taken"), {1}), (ConfigurationError("no right"), set[int]())])
def test_whoever_cannot_pin_works_all_the_same(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, error: Exception, left: set[int]
) -> None:
    """One fenced by another process tries again; one without the right says so and goes on."""
    answers: list[Any] = [error]
    real = cluster.producer
    monkeypatch.setattr(cluster, "producer", lambda name: _raised(answers.pop()) if answers else real(name))
    monkeypatch.setattr("casebus.pins.time.sleep", lambda _: None)
    assert pinned(Registered(), cluster).id_of(ACCEPTED.fullname, ACCEPTED.text) == 1
    assert published.pins(cluster).keys() == left


def _raised(error: Exception) -> Any:
    raise error
