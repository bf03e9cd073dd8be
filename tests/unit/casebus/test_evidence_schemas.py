"""Evidence of events in a registry's framing: the file brings their schemas, and only ours are taken, only in their places."""

from __future__ import annotations

import copy
import json
from typing import Any

import audit_world as world
import pytest

from bus.memory import Cluster
from bus.ports import Message
from bus.topics import JOURNAL, standard
from casebus import evidence
from schemas import contract
from schemas.codec import Codec
from schemas.envelope import Event
from schemas.problem import ProblemsError

CASE = "city:0001"


class Registered:
    """A registry in memory."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def id_of(self, _subject: str, schema: str) -> int:
        self.texts.append(schema)
        return len(self.texts)

    def schema_of(self, schema_id: int) -> str:
        return self.texts[schema_id - 1]


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    """The file of a case of three events, each written with the registry's id of its schema."""
    codec = Codec(Registered())
    events = [world.event("Applied", 1, CASE), world.event("Accepted", 3, CASE), world.event("Returned", 7, CASE)]
    framed = [Event(one.type, one.header, one.body, codec.encode(one.type, one.header, one.body)) for one in events]
    cluster = Cluster()
    cluster.create(standard(1))
    cluster.publish([Message(JOURNAL.name, 0, CASE.encode(), world.encoded(entry), 0) for entry in world.chain(framed)])
    return evidence.made(cluster, codec, CASE, {})


def test_the_file_is_checked_without_the_registry(written: dict[str, Any]) -> None:
    """Everything needed stands in it."""
    found = evidence.checked(written)
    assert [line.event for line in found.lines] == ["Applied", "Accepted", "Returned"]
    assert found.good


def test_another_schema_of_ours_is_found_by_the_hash(written: dict[str, Any]) -> None:
    """Ids are not in the chain by what they mean: with two exchanged the same bytes would say something else."""
    changed = copy.deepcopy(written)
    changed["schemas"]["3"] = _of_the_same_shape(changed["schemas"]["3"])
    found = evidence.checked(changed)
    assert [line.standing for line in found.lines] == ["unsigned", "unsigned", "another"]
    assert not found.good


def _of_the_same_shape(text: str) -> str:
    """Another contract by which these bytes can be read."""
    plain = contract.contract(text).plain
    shape = [field["type"] for field in plain["fields"]]
    others = [one for one in contract.events().values() if [field["type"] for field in one.plain["fields"]] == shape]
    return next(one.text for one in others if one.fullname != plain["name"])


def _turned(schema: Any) -> Any:
    """The schema with the symbols of every enum in the other order: the same bytes are read, and say something else."""
    if isinstance(schema, dict):
        found = {name: _turned(one) for name, one in schema.items()}
        return found | ({"symbols": found["symbols"][::-1]} if "symbols" in found else {})
    return [_turned(one) for one in schema] if isinstance(schema, list) else schema


@pytest.mark.parametrize(("text", "cause"), [("{", "cannot be read"), (None, "none that this program knows")])
def test_a_schema_that_is_none_of_ours_is_not_taken(written: dict[str, Any], text: str | None, cause: str) -> None:
    """Whoever wrote the file could let an event say anything."""
    changed = copy.deepcopy(written)
    changed["schemas"]["1"] = text or json.dumps(_turned(json.loads(changed["schemas"]["1"])))
    with pytest.raises(ProblemsError, match=cause):
        evidence.checked(changed)


def test_a_schema_that_is_missing_is_told(written: dict[str, Any]) -> None:
    """As a cut file is."""
    with pytest.raises(ProblemsError, match="no evidence of ours"):
        evidence.checked({**written, "schemas": {}})
