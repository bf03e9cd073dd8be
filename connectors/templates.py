"""Templates of events: each field an expression, checked against the published schema when the mapping is loaded."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from connectors.expressions import Expression, ExpressionError, Functions
from connectors.shapes import Coerce, Field, Shape, coercer, fields
from connectors.values import Refusal, verdict
from schemas.problem import Problem
from schemas.yamlfile import Map, Seq

#: Keys of `each:` that fill no field.
_OF_EACH = frozenset({"each", "when"})
Fill = Callable[[Mapping[str, Any]], Any]


class Constant:
    """A fill that is the same for every row."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, _: Mapping[str, Any]) -> Any:
        return self.value


class Refused(NamedTuple):
    """Who names the field of a refusal: its path in the event, and where the mapping says it."""

    field: str
    where: str

    def add(self, refusal: Refusal) -> Refusal:
        refusal.field = refusal.field or self.field
        refusal.where = refusal.where or self.where
        return refusal


class Compiler:
    """Compiles YAML into functions of a row's columns; collects problems and goes on, so that all are told at once."""

    def __init__(self, functions: Functions, columns: Callable[[str], bool]) -> None:
        self._functions = functions
        self._known = columns
        self.problems: list[Problem] = []
        #: Columns that hold rows, with the columns of those: what `each:` may name.
        self.rows: dict[str, frozenset[str]] = {}
        #: Columns that some expression uses: only those are read.
        self.used: set[str] = set()

    def expression(self, source: Any, where: str) -> Expression | None:
        """A checked expression; None after a problem was noted."""
        try:
            expression = Expression(source, self._functions)
        except ExpressionError as error:
            found, _, instead = str(error).partition(". ")
            self._fault(where, found, instead or "Correct it")
            return None
        except Refusal as refusal:
            self._fault(where, refusal.found, refusal.instead)
            return None
        unknown = sorted(name for name in expression.names if not self._known(name))
        if unknown:
            hint = f"Declare it under columns:, or write the text in quotes: \"'{unknown[0]}'\""
            self._fault(where, f"there is no column `{unknown[0]}`", hint)
            return None
        self.used |= expression.names
        return expression

    def _fault(self, where: str, found: str, instead: str) -> None:
        self.problems.append(Problem(where, found, instead.rstrip(".") + "."))

    def field(self, source: Any, field: Field, where: str, path: str) -> Fill | None:
        """What fills this field of an event from the row."""
        kind = field.shape.kind
        if isinstance(source, Map) and kind == "record":
            return self._record(source, field, path)
        if isinstance(source, Map) and kind == "array":
            return self._each(source, field, where, path)
        if isinstance(source, Seq) and kind == "array":
            return self._array(source, field, path)
        if isinstance(source, (Map, Seq)):
            self._fault(where, f"`{path}` takes one expression", "Write a column or an expression")
            return None
        if kind == "record":
            self._fault(where, f"`{path}` has fields of its own", f"Write {', '.join(_names(field.shape))} below it")
            return None
        return self._leaf(source, field, where, path)

    def _leaf(self, source: Any, field: Field, where: str, path: str) -> Fill | None:
        expression = self.expression(source, where)
        if expression is None:
            return None
        fill = _filled(expression, coercer(field.shape), field, Refused(path, where))
        if not expression.constant:
            return fill
        try:
            return Constant(fill({}))
        except Refusal as refusal:
            self._fault(where, f"`{path}`: {refusal.found}", refusal.instead)
            return None

    def _record(self, source: Map, field: Field, path: str) -> Fill | None:
        known = {inner.name: inner for inner in fields(field.shape.schema, field.shape.names)}
        fills = self.fields(source, known, path + ".")
        empty = {name: copy.copy(inner.default) for name, inner in known.items()}
        nullable = field.shape.nullable

        def fill(row: Mapping[str, Any]) -> Any:
            found = {name: part(row) for name, part in fills}
            return None if nullable and all(value is None for value in found.values()) else empty | found

        return fill

    def _array(self, source: Seq, field: Field, path: str) -> Fill | None:
        item = Field(field.name, field.shape.inner(field.shape.schema["items"]), None, True)
        fills = [self.field(inner, item, source.where(index), f"{path}[{index}]") for index, inner in enumerate(source)]
        parts = [fill for fill in fills if fill is not None]
        return lambda row: [part(row) for part in parts]

    def _each(self, source: Map, field: Field, where: str, path: str) -> Fill | None:
        """A record for each row of a column of rows: `{each: papers, name: title}`; `when` says which of them count."""
        name, item = source.get("each"), field.shape.inner(field.shape.schema["items"])
        if name not in self.rows or item.kind != "record":
            known = ", ".join(self.rows) or "there is none"
            self._fault(where, f"`{path}` takes a list, or each: <a column of type rows> ({known})", "Correct each:")
            return None
        own = Map(source.path, source.line)
        own.lines = source.lines
        own.update({key: value for key, value in source.items() if key not in _OF_EACH})
        outer, self._known = self._known, lambda column: column in self.rows[name] or outer(column)
        try:
            fill = self._record(own, Field(field.name, item, None, True), path + "[]")
            when = None if "when" not in source else self.expression(source["when"], source.where("when"))
        finally:
            self._known = outer
        self.used.add(name)
        return _filled_rows(name, fill, None if when is None else when.evaluate)

    def fields(self, source: Map, known: Mapping[str, Field], prefix: str = "") -> list[tuple[str, Fill]]:
        """What fills each named field; unknown and missing names are problems."""
        result = []
        for name, inner in source.items():
            if name not in known:
                self._fault(source.where(name), f"`{prefix}{name}` is no field here", f"Write one of {', '.join(known)}")
                continue
            fill = self.field(inner, known[name], source.where(name), prefix + name)
            if fill is not None:
                result.append((name, fill))
        for name, field in known.items():
            if field.required and name not in source:
                self._fault(source.where(), f"`{prefix}{name}` is missing", f"Add it: {name}: <column or expression>")
        return result


def _filled_rows(name: str, fill: Fill | None, when: Fill | None) -> Fill | None:
    if fill is None:
        return None

    def counts(one: Mapping[str, Any]) -> bool:
        return when is None or ((said := when(one)) is not None and verdict(said, "when"))

    def fill_all(row: Mapping[str, Any]) -> Any:
        inner = [{**row, **one} for one in row[name] or []]
        return [fill(one) for one in inner if counts(one)]

    return fill_all


def _names(shape: Shape) -> list[str]:
    return [field["name"] for field in shape.schema["fields"]]


def _filled(expression: Expression, coerce: Coerce, field: Field, at: Refused) -> Fill:
    evaluate = expression.evaluate
    nothing, required = copy.copy(field.default), field.required or not (field.shape.nullable or field.default is not None)

    def fill(row: Mapping[str, Any]) -> Any:
        try:
            value = evaluate(row)
            if value is None:
                return _absent(required, nothing)
            return coerce(value)
        except Refusal as refusal:
            raise at.add(refusal) from None

    return fill


def _absent(required: bool, default: Any) -> Any:
    if required:
        raise Refusal("missing_value", "found nothing", "Send a value")
    return copy.copy(default)
