"""A deployment in one file: what cannot be made again, each file with its digest.

backup.json           what it is and where it comes from
deployment/...        the folder: settings, directory, catalogue, connectors, calendars, keys, exports that lie in it
data/kafka/...        the embedded Kafka, as of one moment (bus.snapshot)
data/page.db, ...     databases beside it, each as of one moment
SHA256SUMS            of all the others, last
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import sqlite3
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, Any, Self

from bus.errors import ConfigurationError, CorruptionError, RetryError

HEAD, SUMS = "backup.json", "SHA256SUMS"
DEPLOYMENT, DATA = "deployment/", "data/"
FORMAT = 1
_SQLITE = b"SQLite format 3\x00"
#: What SQLite keeps beside a database: in the copy of the database it is part of it.
_BESIDE = ("-wal", "-shm", "-journal")
_BLOCK = 1 << 20


class Writer:
    """`with Writer(file) as archive:`; the file has its name only when it is whole."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._growing = file.with_name(f".{file.name}.part")
        self._sums: list[str] = []
        self.files = 0

    def __enter__(self) -> Self:
        descriptor = os.open(self._growing, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # keys and passwords may be in it
        self._raw = os.fdopen(descriptor, "wb")
        self._tar = tarfile.open(fileobj=self._raw, mode="w:gz", compresslevel=1, format=tarfile.PAX_FORMAT)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._raw.close()
            self._growing.unlink(missing_ok=True)

    def _finish(self) -> None:
        self.text(SUMS, "".join(self._sums))
        self._tar.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._growing.replace(self._file)

    def text(self, name: str, text: str) -> None:
        data = text.encode("utf-8", "surrogateescape")  # a file's name may be in GBK
        self._add(tarfile.TarInfo(name), io.BytesIO(data), len(data))

    def file(self, name: str, place: Path, size: int | None = None) -> None:
        """A file, or the first `size` bytes of it. A database of SQLite is taken as of one moment, whoever writes to it."""
        if size is None and _is_sqlite(place):
            self._database(name, place)
            return
        with place.open("rb") as content:
            info = self._tar.gettarinfo(arcname=name, fileobj=content)
            self._add(info, content, info.size if size is None else size)

    def tree(self, name: str, folder: Path, without: frozenset[Path]) -> list[Path]:
        """All files of a folder; returns what was left out because it is a link to another folder, or no file."""
        left: list[Path] = []
        for place, folders, files in os.walk(folder):
            here = Path(place)
            folders[:] = sorted(one for one in folders if (here / one).absolute() not in without)
            left += [here / one for one in folders if (here / one).is_symlink()]
            for one in sorted(files):
                path = here / one
                if path.absolute() in without or one.endswith(_BESIDE) or path == self._growing:
                    continue
                if path.is_file():
                    self.file(f"{name}{path.relative_to(folder).as_posix()}", path)
                else:
                    left.append(path)
        return left

    def _database(self, name: str, place: Path) -> None:
        copy = self._growing.with_name(f"{self._growing.name}.db")
        try:
            copied(place, copy)
            self.file(name, copy, copy.stat().st_size)
        finally:
            copy.unlink(missing_ok=True)

    def _add(self, info: tarfile.TarInfo, content: IO[bytes], size: int) -> None:
        info.size = size
        digest = _Digest(content)
        try:
            self._tar.addfile(info, digest)
        except OSError as error:
            if "unexpected end" not in str(error):
                raise
            raise RetryError(f"{info.name} became shorter while it was read. Take the backup again.") from error
        self._sums.append(f"{digest.hexdigest()}  {info.name}\n")
        self.files += 1


def copied(place: Path, to: Path) -> None:
    """A database of SQLite as of one moment, with the rights of the original. Raises RetryError where it cannot be read.

    What has the name already stays until the copy is whole.
    """
    growing = to.with_name(f".{to.name}.copy")
    growing.unlink(missing_ok=True)
    growing.touch(0o600)
    try:
        with closing(sqlite3.connect(place, timeout=30)) as live, closing(sqlite3.connect(growing)) as made:
            live.backup(made)
        growing.chmod(place.stat().st_mode)
        growing.replace(to)
    except sqlite3.Error as error:
        raise RetryError(f"The database {place} cannot be read: {error}. Take the backup again.") from error
    finally:
        growing.unlink(missing_ok=True)


class _Digest(io.RawIOBase):
    """What is read through it is counted into a digest."""

    def __init__(self, content: IO[bytes]) -> None:
        super().__init__()
        self._content = content
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._content.read(size)
        self._hash.update(data)
        return data

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def _is_sqlite(place: Path) -> bool:
    with place.open("rb") as content:
        return content.read(len(_SQLITE)) == _SQLITE


def unpack(file: Path, to: Path) -> dict[str, Any]:
    """Write an archive out below an empty folder and hold it to its digests; returns its head.

    Raises ConfigurationError where it is no archive of ours or of a newer version, CorruptionError where it is damaged.
    """
    try:
        with tarfile.open(file, "r:gz") as tar:
            found = {info.name: _written(tar, info, to) for info in tar}
        expected = dict(_sums(to / SUMS))
    except FileNotFoundError as error:
        raise ConfigurationError(f"There is no file {file}.") from error
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, UnicodeError) as error:
        raise CorruptionError(f"{file} is no backup, or only a part of one ({error}). Take another copy of it.") from error
    head = _head(file, to)
    found.pop(SUMS, None)
    if odd := sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name)):
        raise CorruptionError(f"{file} is damaged: {odd[0]} is not what was saved. Take another copy of it.")
    return head


def _written(tar: tarfile.TarFile, info: tarfile.TarInfo, to: Path) -> str:
    """Write one file out; its digest. Whatever a stranger puts into an archive, nothing lands beside the folder."""
    name = PurePosixPath(info.name)
    content = tar.extractfile(info) if info.isfile() else None
    if content is None or name.is_absolute() or ".." in name.parts:
        raise CorruptionError(f"This is no backup of casebus: {info.name} is no plain file in it.")
    place = to / name
    place.parent.mkdir(parents=True, exist_ok=True)
    digest = _Digest(content)
    with place.open("wb") as made:
        while block := digest.read(_BLOCK):
            made.write(block)
    place.chmod(info.mode & 0o755 | 0o600)
    return digest.hexdigest()


def _head(file: Path, to: Path) -> dict[str, Any]:
    try:
        head: dict[str, Any] = json.loads((to / HEAD).read_text("utf-8"))
        number = int(head["format"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ConfigurationError(f"{file} is no backup of casebus (it has no {HEAD}). Name what casebus backup wrote.") from error
    if number > FORMAT:
        raise ConfigurationError(
            f"{file} was written by casebus {head.get('casebus')}. Restore it with that version or a newer one."
        )
    return head


def _sums(file: Path) -> Iterator[tuple[str, str]]:
    text = file.read_text("utf-8", "surrogateescape") if file.exists() else ""
    for line in text.split("\n")[:-1]:
        digest, _, name = line.partition("  ")
        yield name, digest
