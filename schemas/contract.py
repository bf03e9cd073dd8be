"""The published Avro contracts: files of `avro/`, their fingerprints, and what `history/` has frozen of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fastavro.schema import SchemaParseException, UnknownType, fingerprint, parse_schema, to_parsing_canonical_form

from schemas import bounds

ROOT = Path(__file__).parent


class Contract(NamedTuple):
    """One version of one Avro schema. `plain` has no logical types: times stay integers, and the fingerprint is the same."""

    name: str
    fullname: str
    text: str
    schema: dict[str, Any]
    plain: dict[str, Any]
    #: CRC-64-AVRO of the parsing canonical form, little-endian, as single-object encoding writes it.
    fingerprint: bytes

    @property
    def is_event(self) -> bool:
        return self.fullname.startswith("casebus.events.")


def stripped(schema: Any) -> Any:
    """The schema without logical types: decoding them costs a third of the time, and integers are what we carry."""
    if isinstance(schema, dict):
        return {key: stripped(value) for key, value in schema.items() if key != "logicalType"}
    if isinstance(schema, list):
        return [stripped(branch) for branch in schema]
    return schema


def contract(text: str) -> Contract:
    """Raises ValueError, TypeError or LookupError where the text is no Avro schema of a record, or none to read with."""
    try:
        schema = json.loads(text)
        plain: Any = parse_schema(stripped(schema), named_schemas={}, _force=True)
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except (SchemaParseException, UnknownType) as error:
        raise ValueError(str(error)) from error
    bounds.check(plain)
    canonical = to_parsing_canonical_form(plain)
    mark = bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))
    fullname = str(plain["name"])
    return Contract(fullname.rpartition(".")[2], fullname, text, schema, plain, mark)


def _read(pattern: str) -> list[Contract]:
    return [contract(path.read_text("utf-8")) for path in sorted(ROOT.glob(pattern))]


@cache
def events() -> dict[str, Contract]:
    """Every event type by name, in this version."""
    return {found.name: found for found in _read("avro/*.avsc")}


@cache
def records() -> dict[str, Contract]:
    """Every other contract by name, in this version."""
    return {found.name: found for found in _read("avro/records/*.avsc")}


@cache
def current() -> dict[str, Contract]:
    """Every contract of this version, by full name."""
    return {found.fullname: found for found in (*events().values(), *records().values())}


@cache
def frozen() -> tuple[Contract, ...]:
    """Every version ever published, oldest first within a name: what the journal may hold."""
    paths = sorted(ROOT.glob("history/*/*.avsc"), key=lambda path: (path.parent.name, int(path.stem)))
    return tuple(contract(path.read_text("utf-8")) for path in paths)
