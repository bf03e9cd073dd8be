"""Our schemas in a registry, against one that is a dictionary."""

from __future__ import annotations

import pytest

from bus.errors import ConfigurationError
from casebus.registration import LEVEL, register, standing, subjects
from schemas.contract import current, frozen

TWICE = "casebus.events.AlertRaised"  # a contract of which two versions are published


class Memory:
    """`casebus.registration.Registry`, which remembers what was changed and refuses the subjects it is told to."""

    def __init__(self, *refused: str) -> None:
        self.schemas: dict[str, list[str]] = {}
        self.levels: dict[str, str] = {}
        self.changes: list[tuple[str, str]] = []
        self._refused = refused

    def found(self, subject: str, schema: str) -> int | None:
        known = self.schemas.get(subject, [])
        return known.index(schema) + 1 if schema in known else None

    def register(self, subject: str, schema: str) -> int:
        if subject in self._refused:
            raise ConfigurationError("The schema registry refuses the schema.")
        self.schemas.setdefault(subject, []).append(schema)
        self.changes.append((subject, "registered"))
        return len(self.schemas[subject])

    def refusal(self, subject: str, schema: str) -> str:
        return f"{schema[:1]}: no default at /fields/1" if subject in self._refused else ""

    def level(self, subject: str) -> str | None:
        return self.levels.get(subject, "BACKWARD") if subject in self.schemas else None

    def hold(self, subject: str, level: str) -> None:
        self.levels[subject] = level
        self.changes.append((subject, level))


def test_every_version_is_registered_in_order_and_held_to_its_level() -> None:
    """An older version than the newest may stand in the topics, and whoever reads them asks for it."""
    there = Memory()
    register(there)
    assert set(there.schemas) == set(current())
    assert sum(map(len, there.schemas.values())) == len(frozen())
    versions = [one.text for one in frozen() if one.fullname == TWICE]
    assert there.schemas[TWICE] == versions
    assert len(versions) > 1
    assert all(one.stands for one in standing(there))
    assert set(there.levels.values()) == {LEVEL}


def test_twice_changes_nothing() -> None:
    """What stands is left as it is."""
    there = Memory()
    register(there)
    there.changes.clear()
    register(there)
    assert there.changes == []


def test_a_level_is_raised_before_anything_is_added() -> None:
    """It guards what is added: a version that does not fit the others must be refused, not registered and then regretted."""
    there = Memory()
    oldest = subjects()[TWICE][0]
    there.schemas[TWICE] = [oldest.text]
    register(there)
    assert [change for subject, change in there.changes if subject == TWICE] == [LEVEL, "registered"]


def test_one_refusal_keeps_no_other_back() -> None:
    """All that is refused is named, and the rest is registered."""
    there = Memory("casebus.events.Accepted", "casebus.events.Rated")
    with pytest.raises(ConfigurationError) as told:
        register(there)
    assert [line.split(":")[0] for line in str(told.value).splitlines()] == ["casebus.events.Accepted", "casebus.events.Rated"]
    assert len(there.schemas) == len(current()) - 2


def test_a_subject_of_somebody_else_is_left_as_it_was() -> None:
    """It refuses ours, and its owner has not asked for another level."""
    there = Memory("casebus.events.Accepted")
    there.schemas["casebus.events.Accepted"] = ["somebody else's"]
    there.levels["casebus.events.Accepted"] = "NONE"
    with pytest.raises(ConfigurationError):
        register(there)
    assert there.levels["casebus.events.Accepted"] == "NONE"
    assert there.schemas["casebus.events.Accepted"] == ["somebody else's"]


def test_what_would_be_refused_is_known_without_changing_anything() -> None:
    """Only where the subject is there: nobody can refuse a first version."""
    there = Memory("casebus.events.Accepted")
    there.schemas["casebus.events.Accepted"] = ["somebody else's"]
    found = standing(there)
    assert [one.subject for one in found if one.refusal] == ["casebus.events.Accepted"]
    assert there.changes == []
