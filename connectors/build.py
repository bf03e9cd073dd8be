"""From a connector's YAML to its compiled mapping; every fault of the file is told at once, with its line."""

from __future__ import annotations

import copy
from collections.abc import Mapping as AnyMapping
from typing import Any, NamedTuple

from connectors import gather, mapping
from connectors.columnset import ColumnSet, Ground
from connectors.lookups import Table
from connectors.reading import Column
from connectors.settings import CaseSettings, EventSettings
from connectors.shapes import Field, fields_of, header_fields
from connectors.templates import Constant, Fill
from schemas import contract
from schemas.problem import Problem
from schemas.yamlfile import Map

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


class Builder:
    """Builds one connector's mapping."""

    def __init__(self, ground: Ground, columns: ColumnSet) -> None:
        self._ground = ground
        self._columns = columns
        self._node = ground.node
        self._settings = ground.settings
        self._compiler = ground.compiler

    def build(self) -> Built:
        read = self._columns.build()
        case = self._case(self._settings.case, self._node, self._node)
        plans = self._plans(case)
        choice = self._choice(plans)
        built = self._mapping(read, choice)
        problems = sorted(dict.fromkeys(map(self._ground.places.relative, self._compiler.problems)), key=_line)
        return Built(None if problems else built, self._ground.tables, self._fields(), problems)

    def _fields(self) -> list[Any]:
        return gather.fields(self._settings.gather, self._columns.fields, self._columns.inner)

    def _where(self, node: Any, key: Any = None) -> str:
        return self._ground.places.of(node, key)

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
            self._ground.fault(self._where(node, "type"), f"there is no event type `{settings.type}`", instead)
            return None
        own = self._case(settings.case, node, node)
        case = own or case
        if case is None and settings.case is None and self._settings.case is None:
            self._ground.fault(self._where(node), "no case is named", "Write case: <the column with the case's number>.")
            return None
        if case is None:
            return None
        when = None if settings.when is None else self._evaluate(settings.when, node, "when")
        header = self._header(node)
        known = fields_of(settings.type)
        ours = self._ours(settings, node)
        body = self._compiler.fields(_map(node.get("body"), node), {name: known[name] for name in known if name not in ours})
        return mapping.EventPlan(
            settings.type,
            settings.name,
            when,
            case,
            *_parted(header, dict.fromkeys(FILLED) | {"links": []}),
            *_parted(body, {name: copy.copy(field.default) for name, field in known.items()}),
            self._where(node),
            settings.cancels,
        )

    def _ours(self, settings: EventSettings, node: Map) -> tuple[str, ...]:
        """The fields that `cancels:` fills."""
        if settings.cancels is None:
            return ()
        if settings.type != "Corrected":
            self._ground.fault(self._where(node, "cancels"), f"`{settings.type}` cancels nothing", "Write type: Corrected.")
        names = [event.name for event in self._settings.events if event is not settings]
        if settings.cancels not in names:
            found = f"no event of this mapping is named `{settings.cancels}`"
            self._ground.fault(self._where(node, "cancels"), found, f"Write one of {', '.join(sorted(set(names))) or 'none'}.")
        return ("corrects", "cancels")

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
            self._ground.fault(
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
                self._ground.fault(plan.where, found, "Give this one a name of its own: name: <word>.")
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
            columns=self._columns.implicit(read),
            skip=skip,
            key=key,
            version=version,
            choice=choice,
            conflict=settings.conflict.upper(),
            ahead=round(settings.ahead_hours * HOUR),
            width=width,
        )


def _parted(fills: list[tuple[str, Fill]], blank: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, Fill]]]:
    """What is the same for every row, over `blank`, and what each row fills."""
    fixed = {name: fill.value for name, fill in fills if isinstance(fill, Constant)}
    return blank | fixed, [(name, fill) for name, fill in fills if not isinstance(fill, Constant)]


def _line(problem: Problem) -> tuple[str, int]:
    """In the order of the file, as one reads it."""
    file, _, line = problem.where.rpartition(":")
    return file, int(line) if line.isdigit() else 0


def _map(value: Any, holder: Map) -> Map:
    """The mapping below a key, or an empty one that stands where its holder stands."""
    return value if isinstance(value, Map) else Map(holder.path, holder.line)
