"""Templates of Avro values: each field an expression, checked against the published schema when the mapping is loaded."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from connectors import values
from connectors.expressions import Expression, ExpressionError, Functions
from connectors.times import Moment
from connectors.values import Refusal, shown
from schemas import contract
from schemas.fit import names_of
from schemas.problem import Problem
from schemas.yamlfile import Map, Seq

Coerce = Callable[[Any], Any]
Fill = Callable[[Mapping[str, Any]], Any]


class Shape(NamedTuple):
    """What a field takes: the branches of a union without null, a nullable one told apart."""

    schema: Any
    nullable: bool
    names: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """record, enum, array, string ...; `moment` and `personal` are records of ours that one expression fills."""
        if isinstance(self.schema, list):
            return "personal"
        if isinstance(self.schema, str):
            return self.schema
        return "moment" if _short(self.schema) == "Moment" else str(self.schema["type"])

    def inner(self, schema: Any) -> Shape:
        return shape_of(schema, self.names)


def _short(schema: Mapping[str, Any]) -> str:
    return str(schema.get("name", "")).rpartition(".")[2]


def shape_of(schema: Any, names: Mapping[str, Any]) -> Shape:
    branches = schema if isinstance(schema, list) else [schema]
    known = [names[branch] if isinstance(branch, str) and branch in names else branch for branch in branches]
    rest = [branch for branch in known if branch != "null"]
    return Shape(rest[0] if len(rest) == 1 else rest, len(rest) < len(known), names)


class Field(NamedTuple):
    """One field of a published event: its shape, and its default where it has one."""

    name: str
    shape: Shape
    default: Any
    required: bool


@cache
def fields_of(type_name: str) -> dict[str, Field]:
    """The event's own fields by name, without the header. KeyError when there is no such event."""
    plain = contract.events()[type_name].plain
    return {field.name: field for field in _fields(plain, names_of(plain)) if field.name != "header"}


@cache
def header_fields() -> dict[str, Field]:
    """The fields of the header, by name."""
    plain = next(iter(contract.events().values())).plain
    names = names_of(plain)
    header = shape_of(plain["fields"][0]["type"], names)
    return {field.name: field for field in _fields(header.schema, names)}


def _fields(record: Mapping[str, Any], names: Mapping[str, Any]) -> Iterable[Field]:
    for field in record["fields"]:
        yield Field(field["name"], shape_of(field["type"], names), field.get("default"), "default" not in field)


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
        fill = _filled(expression, _coercer(field.shape), field, Refused(path, where))
        if not expression.constant:
            return fill
        try:
            value = fill({})
        except Refusal as refusal:
            self._fault(where, f"`{path}`: {refusal.found}", refusal.instead)
            return None
        return lambda _: value

    def _record(self, source: Map, field: Field, path: str) -> Fill | None:
        known = {inner.name: inner for inner in _fields(field.shape.schema, field.shape.names)}
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


def _coercer(shape: Shape) -> Coerce:
    kind = shape.kind
    if kind == "enum":
        return _enum(tuple(shape.schema["symbols"]))
    if kind == "array":
        inner = _coercer(shape.inner(shape.schema["items"]))
        return lambda value: [inner(item) for item in values.list_of(value) or []]
    return _PLAIN[kind]


def _enum(symbols: tuple[str, ...]) -> Coerce:
    known = frozenset(symbols)

    def coerce(value: Any) -> str:
        if value not in known:
            raise Refusal("unknown_code", f"found {shown(value)}", f"Translate it to one of {', '.join(symbols)} with a lookup")
        return str(value)

    return coerce


def _text(value: Any) -> str:
    return values.text_of(value) or ""


def _int(value: Any) -> int | None:
    number = values.int_of(value)
    if number is not None and not -(2**31) <= number < 2**31:
        raise Refusal("unreadable_number", f"found {number}, which needs more than 32 bits", "Send a smaller number")
    return number


def _moment(value: Any) -> Moment:
    if not isinstance(value, dict) or "precision" not in value:
        raise Refusal("unreadable_time", f"found {shown(value)}, which was not read as a time", "Give the column `type: time`")
    return value


def _personal(value: Any) -> dict[str, Any]:
    return {"value": _text(value)}


_PLAIN: dict[str, Coerce] = {
    "string": _text,
    "int": _int,
    "long": values.int_of,
    "boolean": values.bool_of,
    "moment": _moment,
    "personal": _personal,
}
