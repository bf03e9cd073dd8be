"""Signatures on events (Ed25519, RFC 8032): made where an event is published, checked by whoever has the public keys. Pure.

A signature covers the published bytes, in which event id, body hash and everything else stand; the journal keeps these bytes
verbatim, so that it can be checked for ever. It travels in two record headers: which key, and the 64 bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from schemas.directory import named_by

KEY, SIGNATURE = "signature-key", "signature"
#: So that a signature on something else is never one on an event.
_CONTEXT = b"casebus event 1\x00"

Headers = tuple[tuple[str, bytes], ...]


class Key(NamedTuple):
    """A public key. `authorities` it speaks for (`*`: any department or region, `""`: no authority named).

    Times are microseconds UTC: it holds from `since` to `until`, and from `revoked` on no more.
    """

    id: str
    authorities: tuple[str, ...]
    public: Ed25519PublicKey
    since: int
    until: int
    revoked: int | None = None

    @property
    def fingerprint(self) -> str:
        """What people compare by telephone: SHA-256 of the 32 bytes of the key, 16 hexadecimal digits of it."""
        return hashlib.sha256(self.public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]

    def speaks_for(self, authority: str) -> bool:
        return named_by(self.authorities, authority)


class Signer(NamedTuple):
    """A private key and the name of its public one."""

    id: str
    private: Ed25519PrivateKey

    def headers(self, raw: bytes) -> Headers:
        return (KEY, self.id.encode()), (SIGNATURE, self.private.sign(_CONTEXT + raw))


class Signed(NamedTuple):
    """What came: the published bytes, whose they say they are, when the bus had them (microseconds), key and signature."""

    raw: bytes
    authority: str
    at: int
    key: str | None
    signature: bytes


class Fault(NamedTuple):
    """Why a signature does not hold: a word, and a sentence with the remedy."""

    reason: str
    text: str


class Keys:
    """The public keys that somebody trusts, by id."""

    def __init__(self, keys: Mapping[str, Key]) -> None:
        self.keys = keys

    def fault(self, signed: Signed) -> Fault | None:
        """None where the signature holds. The cheap questions first: the signature itself costs a tenth of a millisecond."""
        if signed.key is None:
            return Fault("missing", "The event is not signed. Let its connector sign (signatures.sign), and send it again.")
        key = self.keys.get(signed.key)
        if key is None:
            text = f"Nobody here knows the key {signed.key}. Add its public part to the folder of keys, or find out who signed."
            return Fault("unknown", text)
        return _out_of_time(key, signed.at) or _not_its(key, signed)

    def owed(self, authority: str, at: int) -> bool:
        """Whether one of the keys could have signed for this authority then, so that an event without a signature lacks it."""
        return any(key.speaks_for(authority) and _out_of_time(key, at) is None for key in self.keys.values())


def of_headers(headers: Mapping[str, bytes], raw: bytes, authority: str | None, at: int) -> Signed:
    """What a record's headers say about its bytes."""
    named = headers.get(KEY)
    key = None if named is None else named.decode("utf-8", "replace")
    return Signed(raw, authority or "", at, key, headers.get(SIGNATURE, b""))


def _out_of_time(key: Key, at: int) -> Fault | None:
    if key.revoked is not None and at >= key.revoked:
        return Fault("revoked", f"The key {key.id} was revoked before this came. Sign with the new one, and send it again.")
    if at < key.since:
        return Fault(
            "early", f"The key {key.id} did not hold yet when this came. Correct valid_from, or sign with the one before."
        )
    if at >= key.until:
        return Fault("expired", f"The key {key.id} had expired when this came. Sign with a key that holds, and send it again.")
    return None


def _not_its(key: Key, signed: Signed) -> Fault | None:
    if not key.speaks_for(signed.authority):
        named = signed.authority or "an event that names no authority"
        text = (
            f"The key {key.id} does not sign for {named}, only for {', '.join(key.authorities)}. Sign with that authority's key."
        )
        return Fault("foreign", text)
    try:
        key.public.verify(signed.signature, _CONTEXT + signed.raw)
    except InvalidSignature:
        text = f"The signature by {key.id} does not fit the event: it was changed, or signed with another key. Find out where."
        return Fault("wrong", text)
    return None
