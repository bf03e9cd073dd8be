"""What each field of a published event takes, as the Avro schema says it, and how a value of a row becomes one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

from connectors import values
from connectors.times import Moment
from connectors.values import Refusal, shown
from schemas import contract
from schemas.fit import names_of

Coerce = Callable[[Any], Any]


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
    return {field.name: field for field in fields(plain, names_of(plain)) if field.name != "header"}


@cache
def header_fields() -> dict[str, Field]:
    """The fields of the header, by name."""
    plain = next(iter(contract.events().values())).plain
    names = names_of(plain)
    header = shape_of(plain["fields"][0]["type"], names)
    return {field.name: field for field in fields(header.schema, names)}


def fields(record: Mapping[str, Any], names: Mapping[str, Any]) -> Iterable[Field]:
    for field in record["fields"]:
        yield Field(field["name"], shape_of(field["type"], names), field.get("default"), "default" not in field)


def coercer(shape: Shape) -> Coerce:
    kind = shape.kind
    if kind == "enum":
        return _enum(tuple(shape.schema["symbols"]))
    if kind == "array":
        inner = coercer(shape.inner(shape.schema["items"]))
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
