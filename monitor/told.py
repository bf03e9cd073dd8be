"""What the bus told whom about a case, and why: the rule and its law, the item's version, the condition and what it saw."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import select

from monitor import tables
from monitor.view import Snapshot
from schemas.conditions import FIELDS

_KINDS = ("DELIVERY", "DECISION")
#: Facts of a decision that have a place of their own in `Told`.
_PLACED = frozenset({"decision", "kind", "about", "item", "item_version", "when"})
#: Numbers that only machines tell apart.
_OF_MACHINES = re.compile("[0-9a-f]{32}")


class Told(msgspec.Struct, frozen=True):
    """One thing told to one authority. `at` is the receipt of the event that caused it, microseconds since 1970-01-01 UTC."""

    sequence: int
    at: int
    what: str
    to: str
    rule: str
    title: str
    basis: str
    item: str
    item_version: str
    #: The condition that made a step needed, and the values it was asked of; empty for what needs none.
    condition: str
    values: dict[str, str]
    facts: dict[str, str]
    #: A later event contradicted it, and the receiver was told so.
    taken_back: bool


def told(snapshot: Snapshot, key: str, rules: Mapping[str, tuple[str, str]], until: int) -> list[Told]:
    """In the order of the journal; `rules`: title and basis of each rule by its name."""
    table = tables.entries.c
    query = select(tables.entries).where(table.case_key == key, table.rule != "", table.recorded_at <= until)
    rows = [(row, json.loads(row.facts or "{}")) for row in snapshot.all(query.order_by(table.sequence))]
    back = [(row.sequence, facts.get("decision")) for row, facts in rows if row.kind == "COMPENSATION"]
    return [_told(row, facts, rules, back) for row, facts in rows if row.kind in _KINDS]


def _told(row: Any, facts: dict[str, str], rules: Mapping[str, tuple[str, str]], back: list[tuple[int, str | None]]) -> Told:
    title, basis = rules.get(row.rule, (row.rule, ""))
    condition, decision = facts.get("when", ""), facts.get("decision")
    asked = {name: text for name, text in facts.items() if condition and name in FIELDS and name not in _PLACED}
    rest = {name: text for name, text in facts.items() if text and name not in _PLACED and name not in asked}
    return Told(
        sequence=row.sequence,
        at=row.recorded_at,
        what=facts.get("kind", row.kind.lower()),
        to=row.target,
        rule=row.rule,
        title=title,
        basis=basis,
        item=facts.get("item", ""),
        item_version=facts.get("item_version", ""),
        condition=condition,
        values=asked,
        facts={name: text for name, text in rest.items() if not _OF_MACHINES.fullmatch(text)},
        taken_back=any(sequence > row.sequence and decision == other for sequence, other in back),
    )
