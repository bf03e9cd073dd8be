"""Keys in files: a folder of public ones, one YAML a key, and private ones in PEM where an event is signed.

authorities: ["water@*"]
valid_from: 2026-01-01T00:00+08:00
valid_until: 2027-01-01T00:00+08:00
public: |
  -----BEGIN PUBLIC KEY-----
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from pydantic import AwareDatetime, Field

from schemas.instants import micros
from schemas.problem import Problem, ProblemsError
from schemas.signing import Key, Signer
from schemas.yamlfile import Map, Settings, load, validated

_MADE = "Make a pair: openssl genpkey -algorithm ed25519 -out NAME.pem; openssl pkey -in NAME.pem -pubout."


class KeySettings(Settings):
    """One file; its name is the key's id. Times have an offset: the file goes to others. From `revoked` on it holds no more."""

    authorities: list[str] = Field(min_length=1)
    public: str
    valid_from: AwareDatetime
    valid_until: AwareDatetime
    revoked: AwareDatetime | None = None


def public_keys(folder: Path) -> dict[str, Key]:
    """Every key of a folder, by id. Raises ProblemsError with every fault of every file."""
    found: dict[str, Key] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            found[path.stem] = _key(path)
        except ProblemsError as error:
            problems += error.problems
    if not found and not problems:
        problems = [Problem(str(folder), "there is no key in it", "Put each public key there as <id>.yaml.")]
    if problems:
        raise ProblemsError(*problems)
    return found


def parsed(text: str, where: str) -> Ed25519PublicKey:
    """A public key's PEM. Raises ProblemsError."""
    try:
        public = load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ProblemsError(Problem(where, "this is no public key in PEM", _MADE)) from error
    if not isinstance(public, Ed25519PublicKey):
        raise ProblemsError(Problem(where, f"a key of another kind ({type(public).__name__})", _MADE))
    return public


def signer(name: str, path: Path, where: str) -> Signer:
    """The private key of a file. Raises ProblemsError, which tells nothing of what is in it."""
    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise ProblemsError(Problem(where, f"{path} cannot be read: {error.strerror}", "Let this user read it.")) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ProblemsError(Problem(where, f"{path} is no private key in PEM without a password", _MADE)) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise ProblemsError(Problem(where, f"{path} holds a key of another kind", _MADE))
    return Signer(name, private)


def check_pair(found: Signer, folder: Path, where: str) -> None:
    """Raises ProblemsError where the folder holds another public key by the signer's id: nothing signed so would ever hold."""
    path = folder / f"{found.id}.yaml"
    if path.is_file() and _key(path).public.public_bytes_raw() != found.private.public_key().public_bytes_raw():
        another = Problem(
            where, f"the private key is not the one of {path}", "A new key needs an id and a public file of its own."
        )
        raise ProblemsError(another)


def _key(path: Path) -> Key:
    node: Map = load(path)
    settings = validated(KeySettings, node)
    since, until = micros(settings.valid_from), micros(settings.valid_until)
    if until <= since:
        raise ProblemsError(Problem(node.where("valid_until"), "it ends before it begins", "Write a later moment."))
    revoked = None if settings.revoked is None else micros(settings.revoked)
    public = parsed(settings.public, node.where("public"))
    return Key(path.stem, tuple(settings.authorities), public, since, until, revoked)
