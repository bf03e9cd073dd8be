"""A deployment's `connectors/` folder while it runs: what was added, changed or removed, without a restart.

A file counts when it has looked the same twice, so that nobody reads what an editor is still writing. One with errors leaves
the connector as it is, and the errors are told. Profiles, included files and Python functions count as part of the file that
names them; code tables need not: the runner reads a changed one again with its next batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from connectors import config, documents
from connectors.config import Connector
from connectors.functions import FOLDER
from connectors.sealed import Sealings, none
from schemas.problem import ProblemsError

Looks = tuple[tuple[str, int, int], ...]
RETRY = 15  # looks after which a file with errors is read again: what it lacks (a code table, a database) may have come


class Found(NamedTuple):
    """The connectors by name; and the errors of files, by the connector that runs on or else by the name of the file."""

    connectors: Mapping[str, Connector]
    faults: Mapping[str, str]


@dataclass
class _File:
    """One file: what it gave, the files it is made of, how they looked last, and when it was read."""

    connector: Connector | None = None
    fault: str = ""
    parts: tuple[Path, ...] = ()
    seen: Looks = ()
    read: Looks = ()
    digest: bytes = b""
    age: int = 0


class Folder:
    """Call `look` every second or so; `found` is what stands."""

    def __init__(self, folder: Path, zone: str | None = None, sealings: Sealings = none) -> None:
        self._folder = folder
        self._zone = zone
        self._sealings = sealings
        self._files: dict[Path, _File] = {}
        self.found = Found({}, {})

    def look(self, *, at_once: bool = False) -> bool:
        """True when something is different now. `at_once` believes what a file holds at the first sight of it."""
        paths = config.paths(self._folder)
        gone = [path for path in self._files if path not in paths]
        for path in gone:
            del self._files[path]
        changed = [path for path in paths if self._look(path, at_once)]
        if gone or changed:
            self.found = _summed(self._files)
        return bool(gone or changed)

    def _look(self, path: Path, at_once: bool) -> bool:
        file = self._files.setdefault(path, _File(parts=(path,)))
        looks = _looks(file.parts)
        steady, file.seen = looks == file.seen, looks
        file.age += 1
        if not (steady or at_once) or (looks == file.read and not (file.fault and file.age > RETRY)):
            return False
        return self._read(path, file)

    def _read(self, path: Path, file: _File) -> bool:
        """A file that cannot be used keeps what it gave before. False where it holds what it held."""
        file.parts, file.age = _parts(path), 0
        file.read = file.seen = _looks(file.parts)
        digest, before = _digest(file.parts), file.digest
        file.digest = digest
        if digest == before and not file.fault:
            return False
        former = file.fault
        try:
            file.connector, file.fault = config.read(path, self._zone, sealings=self._sealings), ""
        except ProblemsError as error:
            file.fault = "\n".join(map(str, error.problems))
        except OSError as error:  # gone between the look and the reading, or not ours to read
            file.fault = f"{path}: it cannot be read: {error.strerror}. Give casebus the right to read it."
        return not file.fault or file.fault != former


def _summed(files: Mapping[Path, _File]) -> Found:
    """Where two files name the same system, the first one has it."""
    connectors: dict[str, Connector] = {}
    faults: dict[str, str] = {}
    for path, file in sorted(files.items()):
        name = file.connector.name if file.connector else path.stem
        other = connectors.get(name)
        if file.connector is not None and other is None:
            connectors[name] = file.connector
        elif other is not None:
            faults[path.stem] = (
                f"{path}: the system `{name}` stands in {other.path.name} too. Give each file a system: of its own."
            )
        if file.fault:
            faults[name] = file.fault
    return Found(connectors, faults)


def _parts(path: Path) -> tuple[Path, ...]:
    """The file and what it is made of, as far as it can be read."""
    base = path.resolve().parent.parent
    parts = documents.files(path, base)
    if any(b"python:" in part.read_bytes() for part in parts if part.is_file()):
        parts += sorted((base / FOLDER).rglob("*.py"))
    return tuple(parts)


def _looks(parts: Iterable[Path]) -> Looks:
    return tuple(_look(part) for part in parts)


def _look(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError:
        return str(path), 0, -1
    return str(path), found.st_mtime_ns, found.st_size


def _digest(parts: Iterable[Path]) -> bytes:
    """Of the names and contents: a file that was only touched has not changed."""
    total = hashlib.blake2b(digest_size=16)
    for part in parts:
        total.update(str(part).encode() + b"\0")
        total.update(part.read_bytes() if part.is_file() else b"")
    return total.digest()
