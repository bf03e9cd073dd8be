"""From a connector's YAML to its compiled mapping; every fault of the file is told at once, with its line."""

from __future__ import annotations

import copy
from collections.abc import Mapping as AnyMapping
from pathlib import Path
from typing import Any, NamedTuple

from connectors import lookups, mapping, reading
from connectors.columns import ColumnSettings
from connectors.expressions import Expression, ExpressionError, Functions
from connectors.lookups import Table
from connectors.reading import Around, Column
from connectors.settings import CaseSettings, ConnectorSettings, EventSettings
from connectors.shapes import Compiler, Field, Fill, fields_of, header_fields
from connectors.times import FormatError
from connectors.values import Refusal
from schemas import contract
from schemas.problem import Problem
from schemas.yamlfile import Map, Seq

#: Header fields that the mapping fills; the others are ours to say.
FILLED = (
    "links",
    "region",
    "item",
    "item_version",
    "authority",
    "level",
    "actor",
    "step",
    "activity",
    "occurred_at",
    "reported_at",
)
HOUR = 3_600_000_000


class Built(NamedTuple):
    """A compiled mapping, its lookups, the source's fields that it reads, and what is wrong with it."""

    mapping: mapping.Mapping | None
    tables: AnyMapping[str, Table]
    fields: list[Any]
    problems: list[Problem]


class Places:
    """Lines of the YAML, relative to the deployment's folder: they travel in dead letters."""

    def __init__(self, base: Path) -> None:
        self._prefix = f"{base}/"

    def of(self, node: Any, key: Any = None) -> str:
        return str(node.where(key)).removeprefix(self._prefix) if isinstance(node, (Map, Seq)) else "?"


class Builder:
    """Builds one connector's mapping."""

    def __init__(self, node: Map, settings: ConnectorSettings, nested: bool, base: Path, url: str | None) -> None:
        self._node = node
        self._settings = settings
        self._nested = nested
        self._places = Places(base)
        self._tables = {
            name: lookups.table(name, found, base, url, self._places.of(node.get("lookups"), name))
            for name, found in settings.lookups.items()
        }
        self._functions = Functions({name: table.get for name, table in self._tables.items()}, settings.zone)
        self._known: set[str] = set()
        self._compiler = Compiler(self._functions, self._is_column)
        self._fields: list[Any] = []

    def build(self) -> Built:
        read = self._columns()
        case = self._case(self._settings.case, self._node, self._node)
        plans = self._plans(case)
        choice = self._choice(plans)
        built = self._mapping(read, choice)
        problems = sorted(dict.fromkeys(self._relative(problem) for problem in self._compiler.problems), key=_line)
        return Built(None if problems else built, self._tables, self._fields, problems)

    def _relative(self, problem: Problem) -> Problem:
        return problem._replace(where=problem.where.removeprefix(self._places._prefix))  # noqa: SLF001  its own helper

    def _fault(self, where: str, found: str, instead: str) -> None:
        self._compiler.problems.append(Problem(where, found, instead))

    # -- columns

    def _is_column(self, name: str) -> bool:
        return name in self._known or not self._settings.columns

    def _columns(self) -> list[Column]:
        node = self._node.get("columns")
        roles = self._roles()
        found = []
        for name, settings in self._ordered():
            column = self._column(name, settings, node, roles.get(name, "value"))
            self._known.add(name)
            if column is not None:
                found.append(column)
        return found

    def _ordered(self) -> list[tuple[str, ColumnSettings]]:
        """Columns of the source as they stand, then those computed from them, each behind what it needs."""
        everything = self._settings.columns
        found = [(name, column) for name, column in everything.items() if column.value is None and not column.edges]
        waiting = {name: column for name, column in everything.items() if column.value is not None or column.edges}
        while waiting:
            known = {name for name, _ in found}
            ready = [name for name, column in waiting.items() if self._needed(column) & set(everything) <= known]
            found += [(name, waiting.pop(name)) for name in ready or list(waiting)]
        return found

    def _needed(self, column: ColumnSettings) -> set[str]:
        try:
            return column.edges | Expression(column.value, self._functions).names
        except (ExpressionError, Refusal):
            return column.edges

    def _roles(self) -> dict[str, str]:
        """Columns that hold the case's number or the row's key say so in their reasons."""
        roles: dict[str, str] = {}
        sources = [(self._settings.key, "key"), (self._settings.case and self._settings.case.number, "case")]
        for source, word in sources:
            for part in source if isinstance(source, list) else [source]:
                if isinstance(part, str) and part in self._settings.columns:
                    roles[part] = word
        return roles

    def _column(self, name: str, settings: ColumnSettings, node: Any, word: str) -> Column | None:
        where = self._places.of(node, name)
        expression = None
        if settings.value is not None:
            expression = self._compiler.expression(settings.value, self._where(node.get(name), "value"))
            if expression is None:
                return None
        else:
            self._fields.append(name if settings.source is None else settings.source)
        settings = settings.model_copy(update={"missing": [*self._settings.missing, *settings.missing]})
        try:
            self._check_tables(settings)
            self._check_edges(settings)
            read = reading.reader(settings, name, self._nested, expression)
            return reading.column(name, settings, where, read, Around(self._tables, self._settings.zone, word))
        except FormatError as error:
            self._fault(self._where(node, name), str(error), "Correct the column.")
            return None

    def _check_tables(self, settings: ColumnSettings) -> None:
        for text in (settings.lookup, settings.within):
            name = text.partition(".")[0] if text else None
            if name is not None and name not in self._tables:
                known = ", ".join(self._tables) or "none is declared"
                raise FormatError(f"there is no lookup `{name}` under lookups: ({known})")

    def _check_edges(self, settings: ColumnSettings) -> None:
        for edge in sorted(settings.edges - self._known):
            raise FormatError(f"`{edge}` is neither a time such as 2025-01-01T00:00 nor a column read before")

    def _implicit(self, read: list[Column]) -> list[Column]:
        """Without `columns:` every name that an expression uses is a field of the source, trimmed text."""
        if self._settings.columns:
            return read
        settings = ColumnSettings(missing=self._settings.missing, type="any")
        names = sorted(self._compiler.used)
        self._fields += names
        where = self._where(self._node, "events")
        return [
            reading.column(name, settings, where, reading.reader(settings, name, self._nested, None), Around({}))
            for name in names
        ]

    # -- events

    def _where(self, node: Any, key: Any = None) -> str:
        return self._places.of(node, key)

    def _evaluate(self, source: Any, node: Any, key: str) -> mapping.Evaluate | None:
        expression = self._compiler.expression(source, self._where(node, key))
        return None if expression is None else expression.evaluate

    def _case(self, settings: CaseSettings | None, node: Any, holder: Any) -> mapping.CasePlan | None:
        if settings is None:
            return None
        number = self._evaluate(settings.number, holder, "case")
        return None if number is None else mapping.CasePlan(settings.namespace, number, self._where(node, "case"))

    def _plans(self, case: mapping.CasePlan | None) -> list[tuple[EventSettings, mapping.EventPlan]]:
        nodes = self._node.get("events")
        found = []
        for settings, node in zip(self._settings.events, nodes or [], strict=True):
            plan = self._plan(settings, node, case)
            if plan is not None:
                found.append((settings, plan))
        return found

    def _plan(self, settings: EventSettings, node: Map, case: mapping.CasePlan | None) -> mapping.EventPlan | None:
        if settings.type not in contract.events():
            instead = f"Write one of {', '.join(contract.events())}."
            self._fault(self._where(node, "type"), f"there is no event type `{settings.type}`", instead)
            return None
        own = self._case(settings.case, node, node)
        case = own or case
        if case is None and settings.case is None and self._settings.case is None:
            self._fault(self._where(node), "no case is named", "Write case: <the column with the case's number>.")
            return None
        if case is None:
            return None
        when = None if settings.when is None else self._evaluate(settings.when, node, "when")
        header = self._header(node)
        known = fields_of(settings.type)
        body = self._compiler.fields(_map(node.get("body"), node), known)
        blank = {name: copy.copy(field.default) for name, field in known.items()}
        return mapping.EventPlan(settings.type, settings.name, when, case, header, body, blank, self._where(node))

    def _header(self, node: Map) -> list[tuple[str, Fill]]:
        known = header_fields()
        allowed: dict[str, Field] = {name: known[name] for name in FILLED}
        base = _map(self._node.get("header"), self._node)
        own = _map(node.get("header"), node)
        own_fills = self._compiler.fields(
            own, {name: field._replace(required=False) for name, field in allowed.items()}, "header."
        )
        left = {name: field._replace(required=field.required and name not in own) for name, field in allowed.items()}
        merged = dict(self._compiler.fields(base, left, "header.")) | dict(own_fills)
        return list(merged.items())

    def _choice(self, plans: list[tuple[EventSettings, mapping.EventPlan]]) -> mapping.Choice:
        code = None if self._settings.choose is None else self._evaluate(self._settings.choose, self._node, "choose")
        codes = {code for settings, _ in plans for code in settings.on or ()}
        always = [plan for settings, plan in plans if settings.on is None]
        by_code = {code: [plan for settings, plan in plans if settings.on is None or code in settings.on] for code in codes}
        if codes and self._settings.choose is None:
            self._fault(
                self._where(self._node, "events"),
                "events have `on:`, but nothing says what is compared",
                "Write choose: <column>.",
            )
        for group in [always, *by_code.values()]:
            self._check_names(group)
        where = self._where(self._node, "choose")
        return mapping.Choice(code, by_code, always, frozenset(self._settings.ignore), str(self._settings.choose), where)

    def _check_names(self, group: list[mapping.EventPlan]) -> None:
        seen: set[str] = set()
        for plan in group:
            if plan.name in seen:
                found = f"one row can give two events named `{plan.name}`, which would get the same id"
                self._fault(plan.where, found, "Give this one a name of its own: name: <word>.")
            seen.add(plan.name)

    def _mapping(self, read: list[Column], choice: mapping.Choice) -> mapping.Mapping | None:
        settings, node = self._settings, self._node
        keys = settings.key if isinstance(settings.key, list) else [settings.key]
        key = [found for part in keys if (found := self._evaluate(part, node, "key")) is not None]
        version = self._evaluate(settings.version, node, "version")
        skip = None if settings.skip is None else self._evaluate(settings.skip, node, "skip")
        if version is None or len(key) < len(keys):
            return None
        width = max([len(choice.always), *map(len, choice.plans.values())], default=1) or 1
        return mapping.Mapping(
            system=settings.system,
            table=settings.table or "",
            columns=self._implicit(read),
            skip=skip,
            key=key,
            version=version,
            choice=choice,
            conflict=settings.conflict.upper(),
            ahead=round(settings.ahead_hours * HOUR),
            width=width,
        )


def _line(problem: Problem) -> tuple[str, int]:
    """In the order of the file, as one reads it."""
    file, _, line = problem.where.rpartition(":")
    return file, int(line) if line.isdigit() else 0


def _map(value: Any, holder: Map) -> Map:
    """The mapping below a key, or an empty one that stands where its holder stands."""
    return value if isinstance(value, Map) else Map(holder.path, holder.line)
