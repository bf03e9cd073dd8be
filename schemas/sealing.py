"""Personal fields, sealed with a key of their case (AES-SIV, RFC 5297): who destroys the key has deleted them. Pure.

The mode is deterministic, and has to be: the same source row gives the same bytes on every run and machine, so a row that is
read again is the same event (`body_hash`), and the audit can hold sources against topics. It does not show that two people
are one: event id and field go into each seal, which also keeps it from being moved to another place. A hash over the clear
words would need no such mode, and would undo the deletion: a telephone number is found by trying all there are.

    cipher = 01 | 4 bytes that tell keys apart | SIV and ciphertext of the value, filled up to 32, 64, ... bytes
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from schemas import contract
from schemas.envelope import Event, body_hash
from schemas.fit import Names, names_of

_VERSION = b"\x01"
_CONTEXT = b"casebus personal field 1"
_CHECK = 4
#: Names, numbers and telephones fill one block, so that a seal's length does not tell which it is.
_BLOCK = 32
_END = b"\x80"
_BITS = 512
_PERSONAL = {"casebus.events.Clear", "casebus.events.Sealed"}
#: What stands in a sealed field whose key had been destroyed before it was published.
NOTHING = b""


class SealError(Exception):
    """A sealed value that this key does not open. The message says why, and nothing of the value."""


class Place(NamedTuple):
    """Where a sealed value belongs, and nowhere else: under which key's name, in which event, in which field."""

    key: str
    event_id: str
    field: str

    def bound(self) -> list[bytes]:
        return [_CONTEXT, *(part.encode() for part in self)]


class DataKey:
    """The key of one case. It says nothing of itself."""

    __slots__ = ("_check", "_siv")

    def __init__(self, secret: bytes) -> None:
        self._siv = AESSIV(secret)
        self._check = hashlib.sha256(_CONTEXT + secret).digest()[:_CHECK]

    def seal(self, data: bytes, place: Place) -> bytes:
        data += _END
        data += bytes(-len(data) % _BLOCK)
        return _VERSION + self._check + self._siv.encrypt(data, place.bound())

    def open(self, cipher: bytes, place: Place) -> bytes:
        """Raises SealError."""
        if cipher[:1] != _VERSION:
            raise SealError("It was sealed by a newer version of this software. Upgrade this program.")
        if cipher[1 : 1 + _CHECK] != self._check:
            raise SealError(f"It was sealed with another key than the {place.key} that is kept here.")
        try:
            data = self._siv.decrypt(cipher[1 + _CHECK :], place.bound())
        except (InvalidTag, ValueError) as error:
            raise SealError("It was changed after it was sealed, or belongs to another event or field.") from error
        return data.rstrip(b"\0").removesuffix(_END)


def new_secret() -> bytes:
    """The 64 bytes of a new key, by the system's generator."""
    return AESSIV.generate_key(_BITS)


class Lock(NamedTuple):
    """A key with the name under which it is published; None: it was destroyed."""

    name: str
    key: DataKey | None


class Known(NamedTuple):
    """What somebody knows of a key: itself, where he may use it, and whether it was destroyed."""

    key: DataKey | None = None
    destroyed: bool = False


class Ring(Protocol):
    """The keys that somebody may use."""

    def known(self, name: str) -> Known: ...


class _NoKeys:
    """Of somebody who has none."""

    def known(self, name: str) -> Known:  # noqa: ARG002  the protocol's argument: the answer is the same for all
        return Known()


NO_KEYS: Ring = _NoKeys()


class Field(NamedTuple):
    """A personal field of an event: what people call it (`actor`, `applicant.name`), and the way to it."""

    name: str
    path: tuple[str, ...]


@cache
def personal(type_name: str) -> tuple[Field, ...]:
    """The personal fields of an event type, as its contract has them."""
    plain = contract.events()[type_name].plain
    found = tuple(_personal(plain, names_of(plain), ()))
    return tuple(Field(".".join(path[1:] if path[0] == "header" else path), path) for path in found)


def _personal(schema: Any, names: Names, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    branches = schema if isinstance(schema, list) else [schema]
    known = [names.get(branch, branch) if isinstance(branch, str) else branch for branch in branches]
    records = [one for one in known if isinstance(one, dict) and one["type"] == "record"]
    if {one["name"] for one in records} == _PERSONAL:
        yield path
    elif records:
        for field in records[0]["fields"]:
            yield from _personal(field["type"], names, (*path, field["name"]))


def has_clear(event: Event, wanted: Callable[[str], bool]) -> bool:
    """True where there is something to seal. `wanted` says it of a field's name."""
    return any("value" in value and wanted(field.name) for field, value in _values(event))


def seal(event: Event, lock: Lock, wanted: Callable[[str], bool]) -> Event:
    """The event with these personal fields sealed, and the hash of what it says now. What is sealed already stays."""

    def sealed(field: Field, value: Mapping[str, Any]) -> Mapping[str, Any]:
        if "value" not in value or not wanted(field.name):
            return value
        if lock.key is None:
            return {"key": lock.name, "cipher": NOTHING}
        return {"key": lock.name, "cipher": lock.key.seal(value["value"].encode(), Place(lock.name, event.id, field.name))}

    found = _mapped(event, sealed)
    if found is event:
        return event
    return Event(found.type, found.header | {"body_hash": body_hash(found.type, found.header, found.body)}, found.body)


def unsealed(event: Event, ring: Ring) -> Event:
    """For people's eyes: sealed fields in the clear where the ring has the key, and empty where it was destroyed.

    What does not open stays as it is.
    """
    return _mapped(event, lambda field, value: _told(value, Place(value.get("key", ""), event.id, field.name), ring))


def _told(value: Mapping[str, Any], place: Place, ring: Ring) -> Mapping[str, Any]:
    if not value.get("cipher"):
        return value
    known = ring.known(place.key)
    if known.destroyed:
        return {"key": place.key, "cipher": NOTHING}
    if known.key is None:
        return value
    try:
        return {"value": known.key.open(value["cipher"], place).decode()}
    except (SealError, UnicodeDecodeError):  # who has a department's key may seal what is no text
        return value


# -- rows that were refused: nobody knows what in them is personal, so they are sealed whole

#: No row begins so: neither text nor any format of files.
_WHOLE = b"\x00casebus sealed 1\x00"
#: What is shown instead of a row that does not open.
SEALED, DESTROYED = b"(sealed)", b"(destroyed)"


def concealed(data: bytes, lock: Lock, field: str) -> bytes:
    """Bytes that only the key opens; `field` tells apart what is sealed by one key."""
    cipher = lock.key.seal(data, Place(lock.name, "", field)) if lock.key else NOTHING
    return b"\x00".join((_WHOLE + lock.name.encode(), field.encode(), cipher))


def concealed_by(data: bytes) -> str | None:
    """The name of the key; None for bytes that are not concealed."""
    found = _parts(data)
    return None if found is None else found[0]


def _parts(data: bytes) -> tuple[str, str, bytes] | None:
    """Key, field and cipher. None too for bytes of others that only begin so: a department may send what it likes."""
    if not data.startswith(_WHOLE):
        return None
    try:
        name, field, cipher = data.removeprefix(_WHOLE).split(b"\x00", 2)
        return name.decode(), field.decode(), cipher
    except ValueError:
        return None


def revealed(data: bytes, ring: Ring) -> bytes:
    """The bytes again; what does not open here is `(sealed)` or `(destroyed)`."""
    parts = _parts(data)
    if parts is None:
        return data
    name, field, cipher = parts
    known = ring.known(name)
    if known.destroyed or not cipher:
        return DESTROYED
    try:
        return known.key.open(cipher, Place(name, "", field)) if known.key else SEALED
    except SealError:
        return SEALED


def keys_of(event: Event) -> set[str]:
    """The names of the keys by which its fields are sealed."""
    return {value["key"] for _, value in _values(event) if "cipher" in value}


def _values(event: Event) -> Iterator[tuple[Field, Mapping[str, Any]]]:
    """The personal fields that say something."""
    for field in personal(event.type):
        value: Any = event.header if field.path[0] == "header" else event.body
        for part in field.path[field.path[0] == "header" :]:
            value = value.get(part) if value else None
        if value:
            yield field, value


def _mapped(event: Event, change: Callable[[Field, Mapping[str, Any]], Mapping[str, Any]]) -> Event:
    """The event with its personal values changed; itself where none was. Nothing in it is changed in place."""
    record: dict[str, Any] = {**event.body, "header": event.header}
    changed = False
    for field, value in _values(event):
        new = change(field, value)
        if new is not value:
            record, changed = _put(record, field.path, new), True
    if not changed:
        return event
    return Event(event.type, record.pop("header"), record, event.raw)


def _put(record: Mapping[str, Any], path: tuple[str, ...], value: Mapping[str, Any]) -> dict[str, Any]:
    first, *rest = path
    return {**record, first: _put(record[first], tuple(rest), value) if rest else value}
