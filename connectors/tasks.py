"""Mapping tasks: a code that nobody has mapped, with its rows counted and the line that would map it.

They are no store of their own: each follows from the dead letters that wait for the same code. When the code is mapped, the
task says so until its letters are replayed; with the last of them it is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from connectors.config import Connector, Part
from connectors.integrate.yamltext import quoted
from connectors.lookups import LookupSettings
from connectors.reading import field_name

#: The two sentences of a code that is not mapped, by `connectors.reading` and `connectors.mapping`.
_IN_LOOKUP = re.compile(r"(?:in row \d+, )?found (?P<code>.+), which `(?P<lookup>\w+)` does not have")
_IN_CHOICE = re.compile(r"(?:in row \d+, )?found (?P<code>.+), for which the mapping has no event")
_SHOWN = 3


class Waiting(NamedTuple):
    """A dead letter as far as tasks need it."""

    id: str
    system: str
    table: str
    field: str
    found: str
    position: str
    received_at: int


class Task(NamedTuple):
    """One code to map. `lookup` is empty where the code chooses the event; `write` is what to add, at `where`."""

    system: str
    table: str
    column: str
    code: str
    lookup: str
    rows: int
    first_seen: int
    example: str
    where: str
    write: str
    mapped: bool
    letters: list[str]


def tasks(letters: Iterable[Waiting], connectors: Iterable[Connector]) -> list[Task]:
    """The codes to map, those with most rows first. Letters of systems that are no longer there open none."""
    known = {connector.settings.system: connector for connector in connectors}
    groups: dict[tuple[str, str, str, str, str], list[Waiting]] = {}
    for letter in letters:
        match = _IN_LOOKUP.fullmatch(letter.found) or _IN_CHOICE.fullmatch(letter.found)
        if match is not None and letter.system in known:
            about = (letter.system, letter.table, letter.field, _unquoted(match["code"]), match.groupdict().get("lookup") or "")
            groups.setdefault(about, []).append(letter)
    found = [task for about, rows in groups.items() if (task := _task(known[about[0]], about, rows)) is not None]
    return sorted(found, key=lambda task: (task.mapped, -task.rows, task[:5]))


def _unquoted(shown: str) -> str:
    return shown[1:-1] if shown[:1] == shown[-1:] == "'" else shown


def _task(connector: Connector, about: tuple[str, str, str, str, str], rows: list[Waiting]) -> Task | None:
    system, table, column, code, lookup = about
    part = next((part for part in connector.parts.values() if part.settings.table == table), None)
    if part is None or (lookup and not _translates(part, lookup, column)):
        return None
    first = min(rows, key=lambda row: row.received_at)
    where, write, mapped = _lookup(part, lookup, code) if lookup else _choice(part, code)
    ids = [row.id for row in rows]
    return Task(system, table, column, code, lookup, len(rows), first.received_at, first.position, where, write, mapped, ids)


def _translates(part: Part, lookup: str, field: str) -> bool:
    """Whether the field's codes are translated by it; a register that a value must stand in (`within:`) has nothing to map."""
    below = (inner for column in part.settings.columns.values() for inner in column.columns.items())
    columns = [column for name, column in (*part.settings.columns.items(), *below) if field_name(name, column) == field]
    held = any(column.within == lookup for column in columns)
    return lookup in part.tables and not (held and all(not column.lookup for column in columns))


def _lookup(part: Part, name: str, code: str) -> tuple[str, str, bool]:
    settings, table = part.settings.lookups[name], part.tables[name]
    return table.origin, _addition(name, settings, code), table.get(code) is not None


def _addition(name: str, settings: LookupSettings, code: str) -> str:
    if settings.table is not None:
        meanings = list({quoted(value): None for value in settings.table.values()})
        known = f"  # one of {', '.join(meanings[:_SHOWN])}{' …' if len(meanings) > _SHOWN else ''}" if meanings else ""
        return f"lookups: {{{name}: {{table: {{{quoted(code)}: ?}}}}}}{known}"
    place = settings.file or (settings.sql and (settings.sql.table or "the query's table"))
    column = f"{settings.key} = " if settings.key else ""
    return f"a row in {place}: {column}{code}"


def _choice(part: Part, code: str) -> tuple[str, str, bool]:
    choice = part.mapping.choice
    write = f"on: [{quoted(code)}] at an event, or ignore: [{quoted(code)}]"
    return choice.where, write, code in choice.plans or code in choice.ignored
