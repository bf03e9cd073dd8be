"""The typed events and the Avro files say the same: names, types, defaults, enums and docs."""

from __future__ import annotations

import copy
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel, create_model
from pydantic.fields import FieldInfo

from schemas import contract, events
from schemas.envelope import Event
from schemas.parts import Int, Long

NAMES = sorted(contract.events())


def as_avro(annotation: Any, named: dict[str, Any], name: str) -> Any:
    """The Avro type that a Python annotation stands for; named types are collected beside it."""
    if get_origin(annotation) in (Union, UnionType):
        branches = [as_avro(arm, named, name) for arm in get_args(annotation) if arm is not NoneType]
        return (["null"] if NoneType in get_args(annotation) else []) + branches
    if get_origin(annotation) is list:
        return {"type": "array", "items": as_avro(get_args(annotation)[0], named, name)}
    if get_origin(annotation) is Annotated:
        return "int" if annotation == Int else "long"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        named[annotation.__name__] = {"doc": annotation.__doc__, "symbols": [member.value for member in annotation]}
        return annotation.__name__
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        named[annotation.__name__] = {"doc": annotation.__doc__, "fields": fields_of(annotation, named)}
        return annotation.__name__
    return {str: "string", bytes: "bytes", bool: "boolean"}[annotation]


def fields_of(model: type[BaseModel], named: dict[str, Any]) -> dict[str, Any]:
    hints = {name: annotation_of(model, name) for name in model.model_fields}
    return {
        name: {"type": as_avro(hints[name], named, name), "doc": field.description, **default_of(field)}
        for name, field in model.model_fields.items()
    }


def annotation_of(model: type[BaseModel], name: str) -> Any:
    """The annotation with its Annotated kept: pydantic moves a bound on the field into its metadata."""
    field = model.model_fields[name]
    if field.annotation is int:
        return Int if any(getattr(mark, "le", None) == 2**31 - 1 for mark in field.metadata) else Long
    return field.annotation


def default_of(field: FieldInfo) -> dict[str, Any]:
    if field.is_required():
        return {}
    return {"default": field.default.value if isinstance(field.default, Enum) else field.default}


def said(schema: Any, named: dict[str, Any]) -> Any:
    """The same picture of an Avro schema."""
    if isinstance(schema, list):
        return [said(branch, named) for branch in schema]
    if isinstance(schema, str):
        return schema
    if schema["type"] == "record":
        fields = {each["name"]: said_field(each, named) for each in schema["fields"]}
        named[schema["name"]] = {"doc": schema["doc"], "fields": fields}
        return schema["name"]
    if schema["type"] == "enum":
        named[schema["name"]] = {"doc": schema["doc"], "symbols": schema["symbols"]}
        return schema["name"]
    return {"type": "array", "items": said(schema["items"], named)} if schema["type"] == "array" else schema["type"]


def said_field(field: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    default = {"default": field["default"]} if "default" in field else {}
    return {"type": said(field["type"], named), "doc": field["doc"], **default}


def model_side(model: type[BaseModel], name: str) -> dict[str, Any]:
    named: dict[str, Any] = {}
    as_avro(model, named, name)
    named[name] = named.pop(model.__name__)
    return named


def avro_side(schema: dict[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    said(schema, named)
    return named


def test_every_file_has_its_class_and_every_class_its_file() -> None:
    """No event type stands on one side only."""
    assert sorted(events.TYPES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_class_equals_the_file(name: str) -> None:
    """Every field, enum and doc, down to the header's parts."""
    assert model_side(events.TYPES[name], name) == avro_side(contract.events()[name].schema)


def test_a_field_added_to_the_class_alone_is_seen() -> None:
    """The comparison is no tautology: it fails for a class with one field more."""
    more = create_model("Accepted", __base__=events.Accepted, __doc__=events.Accepted.__doc__, extra=(str | None, None))
    assert model_side(more, "Accepted") != avro_side(contract.events()["Accepted"].schema)


@pytest.mark.parametrize("change", ["field", "default", "doc", "enum", "header"])
def test_a_change_of_the_file_alone_is_seen(change: str) -> None:
    """Each kind of change on the Avro side makes the two differ."""
    schema = copy.deepcopy(contract.events()["Decided"].schema)
    result = schema["fields"][1]
    if change == "field":
        schema["fields"].append({"name": "more", "type": "string", "doc": "More."})
    elif change == "default":
        result["default"] = "GRANTED"
    elif change == "doc":
        result["doc"] += " Really."
    elif change == "enum":
        result["type"]["symbols"].append("LOST")
    else:
        schema["fields"][0]["type"]["fields"][0]["type"] = "bytes"
    assert model_side(events.Decided, "Decided") != avro_side(schema)


def test_a_typed_event_goes_in_and_comes_back() -> None:
    """Enums become plain words and defaults are written out, as the decoder gives them."""
    header = events.Header(
        event_id="0" * 32,
        body_hash="1" * 32,
        case="case:1",
        sequence=1,
        occurred_at=events.Moment(at=5, precision=events.Precision.DAY, zone="Asia/Shanghai"),
        received_at=7,
        actor=events.Sealed(key="k", cipher=b"\x00\x01"),
        source=events.Source(system="s", table="t", key="k", position="1"),
    )
    made = events.ClockPaused(header=header, pause="p", procedure=events.Procedure.HEARING)
    event = made.to_event()
    assert event.body == {"pause": "p", "procedure": "HEARING", "reason": None, "approver": None, "planned_days": None}
    assert type(event.body["procedure"]) is str
    assert event.header["actor"] == {"key": "k", "cipher": b"\x00\x01"}
    assert events.from_event(event) == made


def test_an_event_of_another_type_is_refused() -> None:
    """`from_event` of a class takes its own type only."""
    with pytest.raises(ValueError, match=r"read it as events\.Accepted"):
        events.Decided.from_event(Event("Accepted", {}, {}))
