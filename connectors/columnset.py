"""The columns of one connector, put in order and compiled, and the ground they share with its events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from connectors import functions, lookups, reading
from connectors.columns import ColumnSettings
from connectors.expressions import Expression, ExpressionError, Functions
from connectors.reading import Around, Column
from connectors.settings import ConnectorSettings
from connectors.templates import Compiler
from connectors.times import FormatError
from connectors.values import Refusal
from schemas.problem import Problem
from schemas.yamlfile import Map, Seq


class Places:
    """Lines of the YAML, relative to the deployment's folder: they travel in dead letters."""

    def __init__(self, base: Path) -> None:
        self._prefixes = (f"{base}/", f"{Path(__file__).parent}/")

    def of(self, node: Any, key: Any = None) -> str:
        return self._short(str(node.where(key))) if isinstance(node, (Map, Seq)) else "?"

    def relative(self, problem: Problem) -> Problem:
        return problem._replace(where=self._short(problem.where))

    def _short(self, place: str) -> str:
        """A line of a profile stands in the product, not in the deployment: `profiles/<name>.yaml:7`."""
        return next((place.removeprefix(prefix) for prefix in self._prefixes if place.startswith(prefix)), place)


class Ground:
    """What all parts of one connector stand on: its YAML, its lookups, its functions, and the compiler with its problems."""

    def __init__(self, node: Map, settings: ConnectorSettings, base: Path, url: str | None) -> None:
        self.node = node
        self.settings = settings
        self.base = base
        self.places = Places(base)
        self.tables = {
            name: lookups.table(name, found, base, url, self.places.of(node.get("lookups"), name))
            for name, found in settings.lookups.items()
        }
        self.functions = Functions({name: table.get for name, table in self.tables.items()}, settings.zone)
        #: Columns read so far; without any declared every name is one.
        self.known: set[str] = set()
        self.compiler = Compiler(self.functions, lambda name: name in self.known or not settings.columns)

    def fault(self, where: str, found: str, instead: str) -> None:
        self.compiler.problems.append(Problem(where, found, instead))


class ColumnSet:
    """Compiles the columns of one connector. `fields` are the source's fields that they read."""

    def __init__(self, ground: Ground, nested: bool) -> None:
        self._ground = ground
        self._settings = ground.settings
        self._nested = nested
        self.fields: list[Any] = []
        #: The fields of the rows inside a field.
        self.inner: dict[str, list[Any]] = {}

    def build(self) -> list[Column]:
        node = self._ground.node.get("columns")
        roles = self._roles()
        found = []
        for name, settings in self._ordered():
            column = self._column(name, settings, node, roles.get(name, "value"))
            self._ground.known.add(name)
            if column is not None:
                found.append(column)
        return found

    def _ordered(self) -> list[tuple[str, ColumnSettings]]:
        """Columns of the source as they stand, then those computed from them, each behind what it needs."""
        everything = self._settings.columns
        found = [(name, column) for name, column in everything.items() if not column.computed and not column.edges]
        waiting = {name: column for name, column in everything.items() if column.computed or column.edges}
        while waiting:
            known = {name for name, _ in found}
            ready = [name for name, column in waiting.items() if self._needed(column) & set(everything) <= known]
            found += [(name, waiting.pop(name)) for name in ready or list(waiting)]
        return found

    def _needed(self, column: ColumnSettings) -> set[str]:
        try:
            return column.edges | set(column.of) | Expression(column.value, self._ground.functions).names
        except (ExpressionError, Refusal):
            return column.edges | set(column.of)

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
        where = self._ground.places.of(node, name)
        expression = None
        if settings.value is not None:
            expression = self._ground.compiler.expression(settings.value, self._ground.places.of(node.get(name), "value"))
            if expression is None:
                return None
        elif not settings.computed:
            self.fields.append(name if settings.source is None else settings.source)
        settings = settings.model_copy(update={"missing": [*self._settings.missing, *settings.missing]})
        try:
            self._check_tables(settings)
            self._check_edges(settings)
            function = None if settings.python is None else functions.function(settings.python, self._ground.base)
            rows = self._rows(name, settings, node)
            around = Around(self._ground.tables, self._settings.zone, word, function, rows)
            return reading.column(name, settings, where, self._read(name, settings, around, expression), around)
        except FormatError as error:
            self._ground.fault(self._ground.places.of(node, name), str(error), "Correct the column.")
            return None

    def _rows(self, name: str, settings: ColumnSettings, node: Any) -> list[Column]:
        """The columns of the rows inside this one."""
        if not settings.columns:
            return []
        below = ColumnSet(self._ground, self._nested)
        place = node.get(name).get("columns")
        found = [below._column(one, own, place, "value") for one, own in settings.columns.items()]
        self.inner[name if settings.source is None else str(settings.source)] = below.fields
        self._ground.compiler.rows[name] = frozenset(settings.columns)
        return [column for column in found if column is not None]

    def _read(self, name: str, settings: ColumnSettings, around: Around, expression: Expression | None) -> reading.Read:
        if around.function is None or not settings.of:
            return reading.reader(settings, name, self._nested, expression)
        self._ground.compiler.used |= set(settings.of)
        return reading.called(around.function, settings.of)

    def _check_tables(self, settings: ColumnSettings) -> None:
        for text in (settings.lookup, settings.within):
            name = text.partition(".")[0] if text else None
            if name is not None and name not in self._ground.tables:
                known = ", ".join(self._ground.tables) or "none is declared"
                raise FormatError(f"there is no lookup `{name}` under lookups: ({known})")

    def _check_edges(self, settings: ColumnSettings) -> None:
        for edge in sorted(settings.edges - self._ground.known):
            raise FormatError(f"`{edge}` is neither a time such as 2025-01-01T00:00 nor a column read before")
        for name in sorted(set(settings.of) - self._ground.known):
            raise FormatError(f"of: names `{name}`, which is no column read before")

    def implicit(self, read: list[Column]) -> list[Column]:
        """Without `columns:` every name that an expression uses is a field of the source, trimmed text."""
        if self._settings.columns:
            return read
        settings = ColumnSettings(missing=self._settings.missing, type="any")
        names = sorted(self._ground.compiler.used)
        self.fields += names
        where = self._ground.places.of(self._ground.node, "events")
        return [
            reading.column(name, settings, where, reading.reader(settings, name, self._nested, None), Around({}))
            for name in names
        ]
