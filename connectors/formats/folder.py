"""Which files of a folder are there to be read: by pattern, whole, in the order of their names; members of archives too."""

from __future__ import annotations

import lzma
import re
import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from bus.errors import ConfigurationError
from connectors.formats.common import FileSettings

_MAGIC = re.compile(r"[*?\[]")
#: What programs call a file that they still write.
_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".swp", "~")
_CHUNK = 1 << 20
_UTF8 = 0x800
#: Seconds that a file of a drop folder must have been left alone.
SETTLE = 1.0

#: What unpacking raises, by the ways of packing that the library knows.
_BROKEN = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, NotImplementedError, OSError, EOFError)


class Found(NamedTuple):
    """A file, with the name that positions know it by."""

    name: str
    path: Path


def found(settings: FileSettings, base: Path, where: str) -> list[Found]:
    """The files that are whole now. Raises ConfigurationError for a file or a folder that is not there."""
    files = _named(settings, base, where)
    if settings.done is not None:
        files = [one for one in files if one.path.with_name(one.path.name + settings.done).exists()]
    return _settled(files, _patience(settings))


def _named(settings: FileSettings, base: Path, where: str) -> list[Found]:
    parts = Path(settings.path).parts
    first = next((index for index, part in enumerate(parts) if _MAGIC.search(part)), None)
    if first is None:
        path = base / settings.path
        if not path.is_file():
            raise ConfigurationError(f"{where}: the file {path} is not there. Put it there, or correct path:.")
        return [Found(path.name, path)]
    root = base.joinpath(*parts[:first])
    if not root.is_dir():
        raise ConfigurationError(f"{where}: the folder {root} is not there. Create it, or correct path:.")
    inside = root.resolve()
    matched = (path for path in root.glob(str(Path(*parts[first:]))) if path.is_file() and _ours(path, inside))
    return sorted(Found(path.relative_to(root).as_posix(), path) for path in matched)


def _ours(path: Path, root: Path) -> bool:
    """No file in the making, no hidden one, and none that a link leads to outside of the folder."""
    finished = not path.name.startswith(".") and not path.name.lower().endswith(_UNFINISHED)
    return finished and path.resolve().is_relative_to(root)


def _patience(settings: FileSettings) -> float:
    if settings.settle is not None:
        return settings.settle
    return SETTLE if _MAGIC.search(settings.path) and not settings.growing else 0.0


def _settled(files: list[Found], seconds: float) -> list[Found]:
    """Those that nobody writes to: left alone for so long, or as they were after so long. The others come the next time."""
    now = time.time()
    states = {one: one.path.stat() for one in files}
    young = {one: state for one, state in states.items() if abs(now - state.st_mtime) < seconds}
    if young:
        time.sleep(seconds)
    written = {one for one, state in young.items() if _changed(one.path, state.st_size, state.st_mtime_ns)}
    return [one for one in files if one not in written]


def _changed(path: Path, size: int, touched: int) -> bool:
    try:
        state = path.stat()
    except FileNotFoundError:
        return True
    return (state.st_size, state.st_mtime_ns) != (size, touched)


class Member(NamedTuple):
    """A file in an archive; `name` as people wrote it."""

    name: str
    info: zipfile.ZipInfo


def members(path: Path, pattern: str, largest: int, where: str) -> list[Member]:
    """The members that are meant, in the order of their names. Raises ConfigurationError for an archive that is not taken."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = [Member(_name(info), info) for info in archive.infolist() if not info.is_dir()]
    except (zipfile.BadZipFile, OSError) as error:
        raise _refused(path, f"it is no whole ZIP archive ({error})", "Send it again, whole", where) from error
    meant = sorted((one for one in listed if _matches(one.name, pattern)), key=lambda one: one.name)
    if any(one.info.flag_bits & 1 for one in meant):
        raise _refused(path, "it is encrypted", "Send it without a password", where)
    size = sum(one.info.file_size for one in meant)
    if size > largest:
        found = f"it unpacks to {size:,} bytes, more than {largest:,}"
        raise _refused(path, found, "Send it in parts, or raise unpacked: in the mapping", where)
    return meant


@contextmanager
def unpacked(path: Path, member: Member, largest: int, where: str) -> Iterator[Path]:
    """The member as a file, for a while. Its own path plays no part, so it can lead nowhere."""
    with tempfile.TemporaryDirectory(prefix="casebus-") as place:
        target = Path(place) / (PurePosixPath(member.name).name or "member")
        try:
            with zipfile.ZipFile(path) as archive, archive.open(member.info) as packed, target.open("wb") as file:
                shutil.copyfileobj(_Bounded(packed, largest), file, _CHUNK)
        except _BROKEN as error:
            raise _refused(path, f"{member.name} cannot be unpacked ({error})", "Send it again, whole", where) from error
        yield target


class _Bounded:
    """What an archive says of a member's size may be a lie."""

    def __init__(self, packed: IO[bytes], left: int) -> None:
        self._packed, self._left = packed, left

    def read(self, size: int = -1, /) -> bytes:
        data = self._packed.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise zipfile.LargeZipFile("it unpacks to more than it says")
        return data


def _matches(name: str, pattern: str) -> bool:
    return fnmatchcase(name, pattern) or fnmatchcase(name, pattern.removeprefix("**/"))


def _name(info: zipfile.ZipInfo) -> str:
    """As it was written: old programs on Chinese Windows write GBK without saying so, and the library reads it as CP437."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return info.filename


def _refused(path: Path, found: str, instead: str, where: str) -> ConfigurationError:
    return ConfigurationError(f"{where}: the archive {path.name} cannot be read: {found}. {instead}.")
