"""Evidence of one case in a file: its journal, the signatures on its events, the keys they name; and the check of such a file.

Everything needed stands in it, so that it is checked on any machine, without a bus. Whether the keys are the departments' own
is the reader's to know: by their fingerprints, or by a folder of keys of his own.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bus.partition import partition_of
from bus.ports import Client, Partition, Record
from bus.topics import EVENTS, JOURNAL
from router.journal import verify
from schemas import contract
from schemas.codec import CONFLUENT, Codec, CodecError
from schemas.envelope import Event, body_hash
from schemas.instants import local, micros
from schemas.keyfile import parsed
from schemas.problem import Problem, ProblemsError
from schemas.signing import KEY, SIGNATURE, Key, Keys, of_headers

FORMAT = "casebus evidence 1"
_BROKEN = "Get the file anew from whoever runs the bus; a file that was changed proves nothing"
#: What Python raises on a file that says anything at all.
_NO_EVIDENCE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, CodecError)


class Line(NamedTuple):
    """What became of one recorded event. `standing`: `holds`, `unsigned`, or why the signature does not hold.

    `missing` is unsigned though a key that the reader trusts signed for its authority at that time.
    """

    sequence: int
    event: str
    authority: str
    system: str
    key: str
    standing: str
    text: str = ""


class Findings(NamedTuple):
    """Of one file: what is wrong with the chain, and each event."""

    case: str
    head: str
    entries: int
    problems: list[Problem]
    lines: list[Line]

    @property
    def good(self) -> bool:
        return not self.problems and all(line.standing in {"holds", "unsigned"} for line in self.lines)


# -- made


def made(client: Client, codec: Codec, case: str, keys: Mapping[str, Key]) -> dict[str, Any]:
    """The evidence of a case, from the topics. Raises ProblemsError where the journal has nothing of it."""
    entries = list(_journal(client, codec, case))
    if not entries:
        raise ProblemsError(Problem(case, "the journal has no entry of it", "Look the number up with casebus case show."))
    signatures = _signatures(client, codec, entries, Keys(keys))
    schemas = dict(filter(None, (codec.brought(entry["event"]) for entry in entries if entry["event"] is not None)))
    named = {one["key"] for one in signatures.values()}
    return {
        "format": FORMAT,
        "case": case,
        "head": entries[-1]["hash"].hex(),
        "entries": [_written(entry) for entry in entries],
        "signatures": signatures,
        "schemas": {str(number): text for number, text in sorted(schemas.items())},
        "keys": {name: _key(key) for name, key in sorted(keys.items()) if name in named},
    }


def _journal(client: Client, codec: Codec, case: str) -> Iterable[dict[str, Any]]:
    for record in _partition(client, JOURNAL.name, case):
        if record.key == case.encode():
            yield codec.decode_record(record.value or b"")[1]


def _partition(client: Client, topic: str, case: str) -> Iterable[Record]:
    place = Partition(topic, partition_of(case.encode(), len(client.ends([topic]))))
    return (record for batch in client.read({place: 0}) for record in batch)


def _signatures(client: Client, codec: Codec, entries: Iterable[Mapping[str, Any]], keys: Keys) -> dict[str, dict[str, Any]]:
    """By the entry's number. An event came under its own case's key, which need not be the one that keeps it now.

    The same bytes may have come before, refused for their signature, and again from whoever vouched for them: the first
    signature that holds is that of the entry, else the first.
    """
    raws = {entry["event"]: str(entry["sequence"]) for entry in entries if entry["event"] is not None}
    found: dict[str, dict[str, Any]] = {}
    good: set[str] = set()
    events = {raw: codec.decode(raw) for raw in raws}
    for case in sorted({event.case for event in events.values()}):
        for record in _partition(client, EVENTS.name, case):
            headers, value = dict(record.headers), record.value or b""
            if value not in raws or KEY not in headers or raws[value] in good:
                continue
            authority = events[value].header["authority"]
            if keys.fault(of_headers(headers, value, authority, record.timestamp * 1000)) is None:
                good.add(raws[value])
                found[raws[value]] = _signature(headers, record)
            found.setdefault(raws[value], _signature(headers, record))
    return found


def _signature(headers: Mapping[str, bytes], record: Record) -> dict[str, Any]:
    signature = base64.b64encode(headers.get(SIGNATURE, b"")).decode()
    return {"key": headers[KEY].decode("utf-8", "replace"), "signature": signature, "received": _iso(record.timestamp * 1000)}


def _written(entry: Mapping[str, Any]) -> dict[str, Any]:
    event = entry["event"]
    return {
        **entry,
        "event": None if event is None else base64.b64encode(event).decode(),
        "previous": entry["previous"].hex(),
        "hash": entry["hash"].hex(),
    }


def _key(key: Key) -> dict[str, Any]:
    return {
        "authorities": list(key.authorities),
        "fingerprint": key.fingerprint,
        "public": key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "valid_from": _iso(key.since),
        "valid_until": _iso(key.until),
        "revoked": None if key.revoked is None else _iso(key.revoked),
    }


def _iso(at: int) -> str:
    return local(at, UTC).isoformat()


# -- checked


class Brought:
    """`schemas.codec.Registry`: the schemas that a file brings for events in a registry's framing, as far as they are ours."""

    def __init__(self, schemas: Mapping[str, str]) -> None:
        self._schemas = schemas

    def id_of(self, subject: str, schema: str) -> int:
        raise CodecError(f"Nothing is published from evidence ({subject}, {schema[:20]}).")

    def schema_of(self, number: int) -> str:
        text = self._schemas[str(number)]
        published = {one.fingerprint for one in (*contract.frozen(), *contract.current().values())}
        if contract.contract(text).fingerprint not in published:
            raise LookupError("it is none that this program knows; take a newer one, or find out who wrote the file")
        return text


def checked(evidence: Mapping[str, Any], own: Mapping[str, Key] | None = None) -> Findings:
    """What the file proves. `own` are keys that the reader trusts; without them those in the file are taken at their word.

    Raises ProblemsError for a file that is no evidence.
    """
    try:
        entries = [_read(entry) for entry in evidence["entries"]]
        if not entries or not isinstance(evidence["case"], str):
            raise ValueError("it names no case or has no entry")
        codec = Codec(Brought(evidence.get("schemas", {})))
        keys = Keys(own if own is not None else {name: _key_of(name, one) for name, one in evidence["keys"].items()})
        problems = verify(entries, bytes.fromhex(evidence["head"]))
        problems += [_moved(entry) for entry in entries if entry["case"] != evidence["case"]]
        lines = [
            _line(entry, evidence["signatures"], keys, codec, trusted=own is not None)
            for entry in entries
            if entry["event"] is not None
        ]
        return Findings(evidence["case"], evidence["head"], len(entries), problems, lines)
    except _NO_EVIDENCE as error:
        raise ProblemsError(
            Problem("the file", f"it is no evidence of ours ({type(error).__name__}: {error})", _BROKEN)
        ) from error


def _moved(entry: Mapping[str, Any]) -> Problem:
    return Problem(f"entry {entry['sequence']}", f"it is of another case, {entry['case']}", _BROKEN)


def _read(entry: Mapping[str, Any]) -> dict[str, Any]:
    event = entry["event"]
    raw = None if event is None else base64.b64decode(event, validate=True)
    return {**entry, "event": raw, "previous": bytes.fromhex(entry["previous"]), "hash": bytes.fromhex(entry["hash"])}


def _key_of(name: str, one: Mapping[str, Any]) -> Key:
    revoked = None if one["revoked"] is None else _micros(one["revoked"])
    public = parsed(one["public"], f"key {name}")
    return Key(name, tuple(one["authorities"]), public, _micros(one["valid_from"]), _micros(one["valid_until"]), revoked)


def _micros(text: str) -> int:
    return micros(datetime.fromisoformat(text))


def _line(entry: Mapping[str, Any], signatures: Mapping[str, Any], keys: Keys, codec: Codec, *, trusted: bool) -> Line:
    event: Event = codec.decode(entry["event"])
    sequence, source = entry["sequence"], event.header["source"]
    said = signatures.get(str(sequence))
    who = (sequence, event.type, event.header["authority"] or "", source["system"])
    if event.id != entry["event_id"]:
        return Line(*who, "", "another", "The entry speaks of another event than it holds.")
    if _misread(event, codec):
        return Line(*who, "", "another", "By the schema that the file brings for it, it does not say what its hash says.")
    if said is None:
        return Line(*who, "", *_without(keys, event, trusted=trusted))
    headers = {KEY: said["key"].encode(), SIGNATURE: _decoded(said["signature"])}
    fault = keys.fault(of_headers(headers, event.raw, event.header["authority"], _micros(said["received"])))
    named = keys.keys.get(said["key"])
    key = f"{said['key']} ({named.fingerprint})" if named else said["key"]
    return Line(*who, key, fault.reason if fault else "holds", fault.text if fault else "")


def _without(keys: Keys, event: Event, *, trusted: bool) -> tuple[str, str]:
    """Standing and text of an event that no signature came with. The file's own keys are taken away as easily as a signature."""
    authority = event.header["authority"] or ""
    if not trusted or not keys.owed(authority, event.header["received_at"]):
        return "unsigned", ""
    return "missing", f"A key of yours signed for {authority or 'it'} then, and no signature is here. Ask who gave you the file."


def _misread(event: Event, codec: Codec) -> bool:
    """A registry's id says nothing by itself: another schema of ours could give the same bytes another meaning.

    The hash was made from what the writer wrote, so it is asked only where that is what was read.
    """
    if event.raw[:1] != CONFLUENT or codec.written(event.raw)[1] is None:
        return False
    return body_hash(event.type, event.header, event.body) != str(event.header["body_hash"])


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
