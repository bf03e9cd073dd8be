"""Archives: the members of a ZIP as files of their own, and files packed by gzip; never more than the mapping allows."""

from __future__ import annotations

import gzip
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple, cast

from bus.errors import ConfigurationError
from connectors.formats import memory

_CHUNK = 1 << 20
_UTF8 = 0x800
#: Files that hold files.
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz")
#: What the library raises on a list of members that is damaged: names that are no text, numbers that lead nowhere.
_UNLISTED = (zipfile.BadZipFile, OSError, ValueError, LookupError, NotImplementedError, struct.error)
#: What unpacking raises, by the ways of packing that the library knows.
_BROKEN = (*_UNLISTED, zipfile.LargeZipFile, zlib.error, lzma.LZMAError, EOFError)


class Limits(NamedTuple):
    """Who asks, and the bytes that one archive may unpack to."""

    where: str
    unpacked: int


class Member(NamedTuple):
    """A file in an archive; `name` as people wrote it."""

    name: str
    info: zipfile.ZipInfo

    @property
    def state(self) -> bytes:
        return memory.state(self.name, self.info.file_size, self.info.CRC)


def members(path: Path, pattern: str, limits: Limits, called: str = "") -> list[Member]:
    """The members that are meant, in the order of their names. Raises ConfigurationError for an archive that is not taken."""
    refused = _refusal(called or path.name, limits)
    try:
        with zipfile.ZipFile(path) as archive:
            listed = [Member(_name(info), info) for info in archive.infolist() if not info.is_dir()]
    except _UNLISTED as error:
        raise refused(f"it is no whole ZIP archive ({error})", "Send it again, whole") from error
    meant = sorted((one for one in listed if _matches(one.name, pattern)), key=lambda one: one.name)
    if any(one.info.flag_bits & 1 for one in meant):
        raise refused("it is encrypted", "Send it without a password")
    if nested := [one.name for one in meant if one.name.lower().endswith(_ARCHIVES)]:
        raise refused(f"it holds another archive, {nested[0]}", "Send that one by itself, or correct member: in the mapping")
    size = sum(one.info.file_size for one in meant)
    if size > limits.unpacked:
        found = f"it unpacks to {size:,} bytes, more than {limits.unpacked:,}"
        raise refused(found, "Send it in parts, or raise unpacked: in the mapping")
    return meant


@contextmanager
def unpacked(path: Path, member: Member, limits: Limits, called: str = "") -> Iterator[Path]:
    """The member as a file, for a while. Its own path plays no part, so it can lead nowhere."""
    with tempfile.TemporaryDirectory(prefix="casebus-") as place:
        target = Path(place) / (PurePosixPath(member.name).name or "member")
        try:
            with zipfile.ZipFile(path) as archive, archive.open(member.info) as packed, target.open("wb") as file:
                shutil.copyfileobj(_Bounded(packed, limits.unpacked), file, _CHUNK)
        except _BROKEN as error:
            refused = _refusal(called or path.name, limits)
            raise refused(f"{member.name} cannot be unpacked ({error})", "Send it again, whole") from error
        yield target


@contextmanager
def gunzipped(path: Path, limits: Limits, called: str) -> Iterator[Path]:
    """What gzip packed, as a file for a while; it does not say beforehand how large it is."""
    with tempfile.TemporaryDirectory(prefix="casebus-") as place:
        target = Path(place) / "unpacked"
        try:
            with gzip.open(path) as packed, target.open("wb") as file:
                shutil.copyfileobj(_Bounded(cast("IO[bytes]", packed), limits.unpacked), file, _CHUNK)
        except zipfile.LargeZipFile:
            found = f"it unpacks to more than {limits.unpacked:,} bytes"
            instead = "Send it in parts, or raise unpacked: in the mapping"
            raise _refusal(called, limits)(found, instead) from None
        except _BROKEN as error:
            raise _refusal(called, limits)(f"it is not whole ({error})", "Send it again, whole") from error
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


def _refusal(called: str, limits: Limits) -> Callable[[str, str], ConfigurationError]:
    return lambda found, instead: ConfigurationError(f"{limits.where}: the archive {called} cannot be read: {found}. {instead}.")
