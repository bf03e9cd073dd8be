"""Passwords, kept as scrypt hashes (RFC 7914) with a salt of their own, and tokens, kept as SHA-256."""

from __future__ import annotations

import hashlib
import hmac
import secrets

#: Cost, block size, parallelism: about 50 ms and 32 MB a try. The maximum leaves room for OpenSSL's own.
N, R, P = 2**15, 8, 1
_MEMORY = 64 * 1024 * 1024


def hashed(password: str) -> str:
    """`scrypt$N$r$p$salt$hash`, in hexadecimal."""
    salt = secrets.token_bytes(16)
    return "$".join(("scrypt", str(N), str(R), str(P), salt.hex(), _scrypt(password, salt, (N, R, P)).hex()))


def matches(password: str, kept: str) -> bool:
    """Whether this is the password; by constant time, and false for what was not kept by `hashed`."""
    parts = kept.split("$")
    if len(parts) != 6 or parts[0] != "scrypt":
        return False
    cost = (int(parts[1]), int(parts[2]), int(parts[3]))
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(parts[4]), cost), bytes.fromhex(parts[5]))


def token() -> str:
    """256 random bits that fit into a header."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """How a token is kept: it is random already, so it needs no salt and no work."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _scrypt(password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
    n, r, p = cost
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY)
