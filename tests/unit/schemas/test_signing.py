"""Signatures: what holds, and each way in which one does not; keys as their files say them."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from schemas.keyfile import public_keys, signer
from schemas.problem import ProblemsError
from schemas.signing import KEY, SIGNATURE, Key, Keys, Signed, Signer, of_headers

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
KEYS = Keys({"water": Key("water", ("water@*",), PRIVATE.public_key(), 100, 200, 150)})
RAW = b"the published bytes"


def signed(private: Ed25519PrivateKey = PRIVATE, name: str = "water", authority: str = "water@1", at: int = 120) -> Signed:
    return of_headers(dict(Signer(name, private).headers(RAW)), RAW, authority, at)


def test_a_signature_holds_for_the_bytes_that_were_signed() -> None:
    """By its own key, in its time, for its authority."""
    assert KEYS.fault(signed()) is None


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (of_headers({}, RAW, "water@1", 120), "missing"),
        (signed(name="nobody"), "unknown"),
        (signed(at=99), "early"),
        (signed(at=150), "revoked"),
        (signed(at=200), "revoked"),
        (signed(authority="fire@1"), "foreign"),
        (signed(authority=""), "foreign"),
        (signed(OTHER), "wrong"),
        (signed()._replace(raw=RAW + b"!"), "wrong"),
        (signed()._replace(signature=b""), "wrong"),
        (signed()._replace(signature=PRIVATE.sign(RAW)), "wrong"),
        (of_headers({KEY: b"\xff", SIGNATURE: b"x"}, RAW, None, 120), "unknown"),
    ],
)
def test_each_way_not_to_hold_has_its_reason(one: Signed, reason: str) -> None:
    """Also a signature of the same key on the bytes alone: what was signed for another purpose is none on an event."""
    fault = KEYS.fault(one)
    assert fault is not None
    assert fault.reason == reason
    assert fault.text.count(". ") >= 1  # what was found, and what to do


def test_a_key_expires_where_nobody_revoked_it() -> None:
    """At `until` itself it holds no more; a moment before it does."""
    keys = Keys({"water": KEYS.keys["water"]._replace(revoked=None)})
    assert keys.fault(signed(at=199)) is None
    fault = keys.fault(signed(at=200))
    assert fault is not None
    assert fault.reason == "expired"


def pem(private: Ed25519PrivateKey) -> str:
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def key_file(folder: Path, text: str = "", **changed: str) -> Path:
    fields = {
        "authorities": '["water@*"]',
        "valid_from": "2026-01-01T00:00+08:00",
        "valid_until": "2027-01-01T00:00+08:00",
        "public": "|\n  " + pem(PRIVATE).replace("\n", "\n  "),
    } | changed
    folder.mkdir(exist_ok=True)
    (folder / "water-2026.yaml").write_text("".join(f"{name}: {value}\n" for name, value in fields.items()) + text, "utf-8")
    return folder


def test_a_folder_of_keys_is_read_with_times_as_they_are_written(tmp_path: Path) -> None:
    """The file's name is the key's id; the offset counts."""
    (found,) = public_keys(key_file(tmp_path, revoked="2026-06-01T00:00Z")).values()
    assert (found.id, found.authorities) == ("water-2026", ("water@*",))
    assert found.until - found.since == 365 * 86_400_000_000
    assert found.since == 1_767_196_800_000_000
    assert found.revoked == 1_780_272_000_000_000
    assert found.public.public_bytes_raw() == PRIVATE.public_key().public_bytes_raw()


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"valid_from": "2026-01-01T00:00"}, 2),
        ({"valid_until": "2025-01-01T00:00Z"}, 3),
        ({"public": "nonsense"}, 4),
        ({"authorities": "[]"}, 1),
    ],
    ids=["a time without offset", "an end before the beginning", "no PEM", "for nobody"],
)
def test_a_fault_in_a_key_has_its_line(tmp_path: Path, changed: dict[str, str], line: int) -> None:
    """As all files of a deployment."""
    with pytest.raises(ProblemsError, match=rf"water-2026\.yaml:{line}: "):
        public_keys(key_file(tmp_path, **changed))


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    """Else nothing would be trusted and nobody would know why."""
    with pytest.raises(ProblemsError, match="there is no key in it"):
        public_keys(tmp_path)


def test_a_private_key_is_read_when_it_is_one(tmp_path: Path) -> None:
    """Its public part is that of the pair; a key of another kind is told, and nothing of what is in it."""
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "a.pem").write_bytes(PRIVATE.private_bytes(*form))
    (tmp_path / "b.pem").write_bytes(generate_private_key(SECP256R1()).private_bytes(*form))
    (tmp_path / "c.pem").write_text("geheim")
    assert KEYS.fault(signed(signer("water", tmp_path / "a.pem", "x").private)) is None
    for name, found in (("b.pem", "another kind"), ("c.pem", "no private key"), ("d.pem", "cannot be read")):
        with pytest.raises(ProblemsError, match=found) as told:
            signer("water", tmp_path / name, "x")
        assert "geheim" not in str(told.value)
