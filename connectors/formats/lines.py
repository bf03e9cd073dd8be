"""Physical lines of a file, with the digest of what was read up to a place: whoever comes back knows whether it still stands."""

from __future__ import annotations

import codecs
import os
import tempfile
from collections import deque
from pathlib import Path
from typing import BinaryIO

from connectors.formats.common import Mark, digest

_CHUNK = 1 << 20
_WIDE = ("utf-16", "utf-32", "utf16", "utf32")
#: What wrong units of a wide encoding become in UTF-8: a byte that UTF-8 never has, so that their row is refused as any other.
_WRONG = "casebus-wrong"
codecs.register_error(_WRONG, lambda error: ("\udcff", error.end) if isinstance(error, UnicodeDecodeError) else ("?", 0))


class Lines:
    """Lines one by one, with a look ahead. The digest is taken over the file's own bytes when a mark is asked for."""

    def __init__(self, file: BinaryIO, limit: int, growing: bool) -> None:
        self._file = file
        self._limit = limit
        self._growing = growing
        self._waiting: deque[bytes] = deque()
        self._running = digest()
        self._hashed = 0
        self.offset = 0
        self.number = 0
        self._begun = 0

    def resume(self, mark: Mark | None) -> bool:
        """True when the file's beginning is what was read before: lines go on behind it."""
        if mark is None or "offset" not in mark:
            return False
        wanted = int(mark["offset"])
        self._hash_to(wanted)
        if self._hashed < wanted or self._running.hexdigest() != mark["digest"]:
            self._running, self._hashed = digest(), 0
            return False
        self.offset, self.number = wanted, int(mark["line"])
        self._file.seek(wanted)
        return True

    def take(self) -> bytes | None:
        """The next line with its end; None at the end. A line beyond the limit is cut, the rest of it skipped."""
        line = self._waiting.popleft() if self._waiting else self._file.readline(self._limit + 1)
        size = len(line)
        if not size or (self._growing and size <= self._limit and line[-1:] != b"\n"):
            return None
        self._begun = self.offset
        self.offset += size
        self.number += 1
        if size > self._limit and line[-1:] != b"\n" and not self._skipped():
            self.give_back()
            return None
        return line

    @property
    def before(self) -> tuple[int, int]:
        """Where the line taken last begins: its offset, and the lines before it."""
        return self._begun, self.number - 1

    def _skipped(self) -> bool:
        """Pass over the rest of a line; False where the end of a growing file's last line is not there yet."""
        while rest := self._file.readline(_CHUNK):
            self.offset += len(rest)
            if rest[-1:] == b"\n":
                return True
        return not self._growing

    def peek(self, taken: int) -> bytes | None:
        """A line further on, not counted yet: a quoted cell may go on there."""
        while len(self._waiting) <= taken:
            line = self._file.readline(self._limit + 1)
            if not line or (self._growing and line[-1:] != b"\n"):
                self._file.seek(-len(line), os.SEEK_CUR)
                return None
            self._waiting.append(line)
        return self._waiting[taken]

    def give_back(self) -> None:
        """Of a growing file: the line just taken is not whole yet, reading ends before it."""
        self.offset, self.number = self.before

    def mark(self, place: tuple[int, int] | None = None) -> Mark:
        """Where reading stands, or stood at an offset and number of lines behind the last mark."""
        offset, number = place or (self.offset, self.number)
        self._hash_to(offset)
        return {"offset": offset, "line": number, "digest": self._running.hexdigest()}

    def _hash_to(self, offset: int) -> None:
        """A file cut meanwhile gives a digest that fits nothing: it is read again."""
        while self._hashed < offset:
            chunk = os.pread(self._file.fileno(), min(offset - self._hashed, _CHUNK), self._hashed)
            if not chunk:
                return
            self._running.update(chunk)
            self._hashed += len(chunk)


def opened(path: Path, encoding: str) -> tuple[BinaryIO, str]:
    """The file with lines that end in one byte, and the encoding to read them with: UTF-16 and UTF-32 become UTF-8."""
    if not encoding.lower().replace("_", "-").startswith(_WIDE):
        return path.open("rb"), encoding
    narrow = tempfile.TemporaryFile()  # noqa: SIM115  its reader closes it
    decoder = codecs.getincrementaldecoder(encoding)(_WRONG)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            narrow.write(decoder.decode(chunk).encode("utf-8", "surrogateescape"))
    narrow.write(decoder.decode(b"", True).encode("utf-8", "surrogateescape"))
    narrow.seek(0)
    return narrow, "utf-8"
