"""Which files of a folder are there to be read: by pattern, whole, in their order; no link leads out of the folder."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple, Protocol

from bus.errors import BusError, ConfigurationError, RetryError
from connectors.formats import memory
from connectors.formats.common import FileSettings
from connectors.formats.names import readable

_MAGIC = re.compile(r"[*?\[]")
#: What programs call a file that they still write.
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
#: Seconds that a file of a drop folder must have been left alone.
SETTLE = 1.0
#: Seconds that a look waits for a file to settle; longer ones come with a later look.
LONGEST_WAIT = 2.0


class Found(NamedTuple):
    """A file as a listing shows it: the name that positions know it by, its size in bytes, its time of change in ns."""

    name: str
    path: str
    size: int
    changed: int

    @property
    def state(self) -> bytes:
        return memory.state(self.name, self.size, self.changed)


class Listing(NamedTuple):
    """The files that are whole now, and what could not be looked at."""

    files: list[Found]
    faults: list[BusError]


class Place(Protocol):
    """Where files lie."""

    def listing(self) -> Listing:
        """Raises BusError where there is nothing to look at."""
        ...

    def local(self, one: Found) -> AbstractContextManager[Path]:
        """The file on this machine, for a while."""
        ...

    def same(self, one: Found) -> bool:
        """Whether it is still as it was listed."""
        ...


class Pattern(NamedTuple):
    """`incoming/**/*.csv`: the folder that it begins in, and what each part below may be called; none for a single file."""

    root: str
    parts: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Pattern:
        pieces = Path(text).parts
        first = next((index for index, piece in enumerate(pieces) if _MAGIC.search(piece)), None)
        if first is None:
            return cls(text, ())
        parts = pieces[first:]
        return cls(str(Path(*pieces[:first])) if first else "", parts if parts[-1] != "**" else (*parts, "*"))


class Folder:
    """A folder of this machine."""

    def __init__(self, settings: FileSettings, base: Path, where: str) -> None:
        self._settings = settings
        self._pattern = Pattern.of(settings.path)
        self._root = base / self._pattern.root
        self._where = where

    def listing(self) -> Listing:
        files, faults = self._named()
        if self._settings.done is not None:
            files = [one for one in files if Path(one.path + self._settings.done).exists()]
        return Listing(ordered(self._settled(files), self._settings), faults)

    @contextmanager
    def local(self, one: Found) -> Iterator[Path]:
        yield Path(one.path)

    def same(self, one: Found) -> bool:
        return not _changed(one)

    def _named(self) -> tuple[list[Found], list[BusError]]:
        if not self._pattern.parts:
            if not self._root.is_file():
                raise ConfigurationError(f"{self._where}: the file {self._root} is not there. Put it there, or correct path:.")
            return [_found(self._root.name, self._root)], []
        if not self._root.is_dir():
            raise ConfigurationError(f"{self._where}: the folder {self._root} is not there. Create it, or correct path:.")
        walk = _Walk(self._root, self._where)
        files = {one.path: one for one in walk.below(str(self._root), "", self._pattern.parts)}
        return list(files.values()), walk.faults

    def _settled(self, files: list[Found]) -> list[Found]:
        """Those that nobody writes to: left alone for so long, or as they were after so long. The others come the next time."""
        seconds, now = self._patience(), time.time_ns()
        young = {one for one in files if abs(now - one.changed) < seconds * 1e9 and self._may_grow(one)}
        if young and seconds <= LONGEST_WAIT:
            time.sleep(seconds)
            young = {one for one in young if _changed(one)}
        return [one for one in files if one not in young] if young else files

    def _patience(self) -> float:
        settings = self._settings
        return settings.settle if settings.settle is not None else 0.0 if settings.growing else SETTLE

    def _may_grow(self, one: Found) -> bool:
        """A single file of whole lines is taken at once: what is appended to it comes with the next look."""
        if self._pattern.parts or self._settings.settle is not None or self._settings.format not in ("csv", "jsonl"):
            return bool(self._pattern.parts) or self._settings.settle is not None
        with Path(one.path).open("rb") as file:
            file.seek(max(0, one.size - 4))
            return one.size > 0 and b"\n" not in file.read()


class _Walk:
    """The files below a folder that a pattern means. What cannot be looked at is a fault; the rest goes on."""

    def __init__(self, root: Path, where: str) -> None:
        self._root = root.resolve()
        self._where = where
        self.faults: list[BusError] = []

    def below(self, folder: str, prefix: str, parts: Sequence[str]) -> Iterator[Found]:
        head, rest = parts[0], parts[1:]
        if head == "**":
            yield from self.below(folder, prefix, rest)
        for entry in self._entries(folder):
            own = readable(entry.name)
            if head == "**" or rest:
                if (head == "**" or fnmatchcase(own, head)) and self._is_folder(entry):
                    yield from self.below(entry.path, f"{prefix}{own}/", parts if head == "**" else rest)
            elif fnmatchcase(own, head) and finished(own) and (found := self._file(f"{prefix}{own}", entry)):
                yield found

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                return list(entries)
        except FileNotFoundError:
            return []
        except OSError as error:
            said = f"{self._where}: the folder {folder} cannot be read ({error.strerror}). Allow reading it, or correct path:."
            self.faults.append(ConfigurationError(said))
            return []

    @staticmethod
    def _is_folder(entry: os.DirEntry[str]) -> bool:
        """Links to folders are not followed: they may lead in circles."""
        return not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)

    def _file(self, name: str, entry: os.DirEntry[str]) -> Found | None:
        try:
            if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(self._root):
                return None
            if not entry.is_file():
                return None
            known = entry.stat()
        except OSError:  # it went meanwhile
            return None
        return Found(name, entry.path, known.st_size, known.st_mtime_ns)


def finished(name: str) -> bool:
    """No file in the making, and no hidden one."""
    return not name.startswith((".", "~$")) and not name.lower().endswith(_UNFINISHED)


def ordered(files: Iterable[Found], settings: FileSettings) -> list[Found]:
    """By name, or by the time of change where the names say nothing."""
    if settings.order == "changed":
        return sorted(files, key=lambda one: (one.changed, one.name))
    return sorted(files)  # by their names, which differ


def _found(name: str, path: Path) -> Found:
    known = path.stat()
    return Found(name, str(path), known.st_size, known.st_mtime_ns)


def _changed(one: Found) -> bool:
    try:
        return _found(one.name, Path(one.path)) != one
    except FileNotFoundError:
        return True
    except OSError as error:
        raise RetryError(f"The file {one.path} cannot be looked at ({error.strerror}). It will be tried again.") from error
