"""An event as the inside of the software carries it: plain values, made once from the published bytes.

Pydantic models (`schemas.events`) stand at the edges, where people write events by hand; here the header and the body
stay the dictionaries the Avro decoder made, and times stay integers (microseconds since 1970-01-01 UTC).
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any, NamedTuple

import msgspec

from schemas import contract


class Order(NamedTuple):
    """Business order of a case's events: when it happened, then the source's own order where times tie.

    In real logs half of all consecutive events share a timestamp, so a time alone is no order.
    """

    occurred_at: int
    step: int
    source: str
    sequence: int
    event_id: str


class Event(msgspec.Struct, frozen=True):
    """One published approval event. `raw` is the published value, byte for byte, which the journal keeps."""

    type: str
    header: dict[str, Any]
    body: dict[str, Any]
    raw: bytes = b""

    @property
    def id(self) -> str:
        return str(self.header["event_id"])

    @property
    def case(self) -> str:
        """The key, `<namespace>:<number>`."""
        return str(self.header["case"])

    @property
    def occurred_at(self) -> int:
        return int(self.header["occurred_at"]["at"])

    @property
    def received_at(self) -> int:
        return int(self.header["received_at"])

    @property
    def reported_at(self) -> int:
        """The source's own stamp; where the source has none, the moment the bus received it."""
        reported = self.header["reported_at"]
        return int(reported["at"]) if reported else self.received_at

    @property
    def origin(self) -> str:
        """The source row this event was read from: versions of one row replace each other as a whole."""
        source = self.header["source"]
        return f"{source['system']}/{source['table']}/{source['key']}"

    @property
    def order(self) -> Order:
        header = self.header
        step = -1 if header["step"] is None else header["step"]
        return Order(self.occurred_at, step, header["source"]["system"], header["sequence"], header["event_id"])


def event_id(system: str, table: str, key: str, kind: str, version: int) -> str:
    """The identity of an event: the same row, kind and version give the same id on every run and machine.

    `kind` is the name of the event in its connector's mapping (one row can give several). 32 hexadecimal digits.
    """
    text = "\x1f".join((system, table, key, kind, str(version)))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


#: Header fields that differ when the same fact is sent again: they say how it travelled, not what it says.
TRAVEL = frozenset({"event_id", "body_hash", "received_at", "reported_at", "sequence", "source", "conflict"})


def body_hash(type_name: str, header: dict[str, Any], body: dict[str, Any]) -> str:
    """What the event says, as a hash: two deliveries of one fact agree, whenever and however they travelled."""
    return fact_hash(type_name, {name: value for name, value in header.items() if name not in TRAVEL}, body)


def fact_hash(type_name: str, said: dict[str, Any], body: dict[str, Any]) -> str:
    """The same for whoever holds the header's fields apart already: `said` are those that are not of `TRAVEL`.

    A field that came after the first version counts only where it says something: whoever does not know it yet, and
    whoever wrote before there was one, gives the same fact the same hash.
    """
    later = _later(type_name)
    if later is not None:
        said, body = _without(said, later[0]), _without(body, later[1])
    packed = _ENCODER.encode((type_name, said, body))
    if _CIPHER in packed:
        return _parted_hash([type_name, said, body]) or hashlib.blake2b(packed, digest_size=16).hexdigest()
    return hashlib.blake2b(packed, digest_size=16).hexdigest()


@cache
def _later(type_name: str) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Fields of the header and of the body that came after the first version, with their defaults; None: there are none."""
    first = next((form for form in contract.frozen() if form.is_event and form.name == type_name), None)
    now = contract.events().get(type_name)
    if first is None or now is None:
        return None
    before, after = _fields(first.plain), _fields(now.plain)
    header, body = ({name: part[name] for name in part.keys() - old.keys()} for part, old in zip(after, before, strict=True))
    return (header, body) if header or body else None


def _fields(plain: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The defaults of the header's fields and of the body's, by name."""
    body = {field["name"]: field.get("default") for field in plain["fields"]}
    header = next(field["type"]["fields"] for field in plain["fields"] if field["name"] == "header")
    return {field["name"]: field.get("default") for field in header}, body


def _without(fields: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in defaults or value != defaults[name]}


#: Keys in one order, whatever order a dictionary has them in: the hash is part of the contract.
_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
#: The name of a sealed value's bytes, as it stands in what was packed: most events have none.
_CIPHER = _ENCODER.encode("cipher")
#: Hexadecimal digits of the hash of an event with sealed fields: of all that it says but their words, and of their seals.
_WORDS, _SEALS = 24, 8
_NOTHING = "0" * _SEALS


def _parted_hash(value: Any) -> str:
    """In two parts: when a case's key has been destroyed nobody can make the seals again, and the first part still compares.

    Empty where nothing is sealed.
    """
    seals: list[bytes] = []
    words = hashlib.blake2b(_ENCODER.encode(_without_seals(value, seals)), digest_size=_WORDS // 2).hexdigest()
    return (words + (_seals_hash(seals) if all(seals) else _NOTHING)) if seals else ""


def _without_seals(value: Any, seals: list[bytes]) -> Any:
    """The value with the name of the key alone where something is sealed; its bytes go to `seals`, in the order of names."""
    if isinstance(value, list):
        return [_without_seals(one, seals) for one in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"key", "cipher"}:
        seals.append(value["cipher"])
        return {"key": value["key"]}
    return {name: _without_seals(value[name], seals) for name in sorted(value)}


def _seals_hash(seals: list[bytes]) -> str:
    found = hashlib.blake2b(_ENCODER.encode(seals), digest_size=_SEALS // 2).hexdigest()
    return found if found != _NOTHING else _NOTHING[:-1] + "1"


def same_fact(one: str, other: str) -> bool:
    """Whether two body hashes are of one fact: equal, or equal but for the words that a destroyed key took from either."""
    if one == other:
        return True
    return one[:_WORDS] == other[:_WORDS] and _NOTHING in {one[_WORDS:], other[_WORDS:]}


def without_seals(body_hash: str) -> str:
    """The body hash that an event with sealed fields has once its key is destroyed."""
    return body_hash[:_WORDS] + _NOTHING
