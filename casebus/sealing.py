"""`sealing:` in casebus.yaml: whose personal fields are sealed, and the master keys that wrap the keys of cases.

sealing:
  keys: secrets/keys.db
  seal:
    water: {master: water-2026, file: secrets/water-2026.key}
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import Field, SecretStr, field_validator, model_validator

from schemas import contract
from schemas.problem import Problem, ProblemsError
from schemas.sealing import personal
from schemas.yamlfile import Settings

_MAKE = "Make one: openssl rand -base64 32 > secrets/NAME.key"
_BYTES, _NONCE = 32, 12
_CONTEXT = b"casebus data key 1/"


class Sealed(Settings):
    """With which master key a connector's cases are sealed, and which fields. The key stands in a file or the environment."""

    master: str = Field(min_length=1)
    file: Path | None = None
    key: SecretStr | None = None
    fields: list[str] = Field(default_factory=lambda: ["*"], min_length=1)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.key is None):
            raise ValueError("write file: or key: (from the environment), one of them")
        return self

    @field_validator("fields")
    @classmethod
    def _there(cls, patterns: list[str]) -> list[str]:
        known = sorted({field.name for name in contract.events() for field in personal(name)})
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in known):
                raise ValueError(f"`{pattern}` is no personal field; there are {', '.join(known)}")
        return patterns

    def wants(self, field: str) -> bool:
        return any(fnmatchcase(field, pattern) for pattern in self.fields)

    def read(self, folder: Path, where: str) -> Master:
        """Raises ProblemsError, which tells nothing of what is in it."""
        if self.file is not None:
            return Master(self.master, from_file(folder / self.file, where))
        text = self.key.get_secret_value() if self.key else ""
        return Master(self.master, parsed(text, where, "the key"))


class SealingSettings(Settings):
    """`keys` is where the keys of cases lie: a file, or a database that several machines reach. `seal` is by connector."""

    keys: SecretStr = SecretStr("secrets/keys.db")
    seal: Mapping[str, Sealed] = Field(default_factory=dict)

    def url(self, folder: Path) -> str:
        """In SQLAlchemy's words."""
        said = self.keys.get_secret_value()
        return said if "://" in said else f"sqlite:///{folder / said}"

    def exists(self, folder: Path) -> bool:
        """Nobody makes a file of keys by looking for one."""
        said = self.keys.get_secret_value()
        return "://" in said or (folder / said).is_file()

    def readable(self, folder: Path) -> dict[str, Master]:
        """The masters that this process can read, by connector: a page may hold none of them, or some."""
        found = {}
        for name, one in self.seal.items():
            with suppress(ProblemsError):
                found[name] = one.read(folder, name)
        return found


class Master:
    """A key that wraps keys of cases (AES-256-GCM). It says nothing of itself but its name."""

    __slots__ = ("_aead", "name")

    def __init__(self, name: str, secret: bytes) -> None:
        self.name = name
        self._aead = AESGCM(secret)

    def wrap(self, name: str, secret: bytes) -> bytes:
        """The key of this name, for the store."""
        nonce = os.urandom(_NONCE)
        return nonce + self._aead.encrypt(nonce, secret, _CONTEXT + name.encode())

    def unwrap(self, name: str, wrapped: bytes) -> bytes | None:
        """None where another master has wrapped it, or somebody changed it."""
        try:
            return self._aead.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _CONTEXT + name.encode())
        except (InvalidTag, ValueError):
            return None


def from_file(path: Path, where: str) -> bytes:
    """The bytes of a master key. Raises ProblemsError."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ProblemsError(Problem(where, f"{path} cannot be read: {error.strerror}", "Let this user read it.")) from error
    except UnicodeDecodeError as error:
        raise ProblemsError(Problem(where, f"{path} is no text", _MAKE)) from error
    return parsed(text, where, str(path))


def parsed(text: str, where: str, what: str) -> bytes:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        secret = b""
    if len(secret) != _BYTES:
        raise ProblemsError(Problem(where, f"{what} does not hold {_BYTES} bytes in base64", _MAKE))
    return secret
