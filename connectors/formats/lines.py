"""Physical lines of a file, with the digest of what was read up to a place: whoever comes back knows whether it still stands."""

from __future__ import annotations

import codecs
import hashlib
import os
import tempfile
from collections import deque
from pathlib import Path
from typing import BinaryIO

from connectors.formats.common import Mark, digest, put

_CHUNK = 1 << 20
#: Lines that wait for the digest: it takes many at once for the price of one.
_TAKEN = 256
_WIDE = ("utf-16", "utf-32", "utf16", "utf32")
#: What wrong units of a wide encoding become in UTF-8: a byte that UTF-8 never has, so that their row is refused as any other.
_WRONG = "casebus-wrong"
codecs.register_error(_WRONG, lambda error: ("\udcff", error.end) if isinstance(error, UnicodeDecodeError) else ("?", 0))


class Lines:
    """Lines one by one, with a look ahead, and the digest of exactly the bytes that were taken.

    The digest is not read from the file a second time: one that is rewritten meanwhile would be taken for what was read.
    """

    def __init__(self, file: BinaryIO, limit: int, growing: bool) -> None:
        self._file = file
        self._limit = limit
        self._growing = growing
        self._waiting: deque[bytes] = deque()
        self._running = digest()
        self._taken: list[bytes] = []  # behind what the digest holds
        self._begun = 0
        self.offset = 0
        self.number = 0

    def resume(self, mark: Mark | None) -> bool:
        """True when the file's beginning is what was read before: lines go on behind it. Otherwise they begin with the first.

        False too where the last line that was read has gone on since: it had not been written to its end.
        """
        if mark is None or "offset" not in mark:
            return False
        found = self._stands(mark)
        if found is None:
            self._file.seek(0)
            return False
        self._running, self.offset = found
        self.number = int(mark["line"])
        return True

    def _stands(self, mark: Mark) -> tuple[hashlib.blake2b, int] | None:
        """The digest and the offset to go on with, where everything before the mark is what was read."""
        running, wanted = digest(), int(mark["offset"])
        if put(self._file, running, wanted) < wanted or running.hexdigest() != mark["digest"]:
            return None
        end = self._end_of_line(wanted)
        running.update(end)
        return None if end.strip(b"\r\n") else (running, wanted + len(end))

    def _end_of_line(self, offset: int) -> bytes:
        """What follows in the line that was read last, its end or more; nothing where it had ended."""
        self._file.seek(max(0, offset - 1))
        return b"" if self._file.read(min(1, offset)) in (b"", b"\n") else self._file.readline(self._limit)

    def take(self) -> bytes | None:
        """The next line with its end; None at the end. A line beyond the limit is cut, the rest of it skipped."""
        line = self._waiting.popleft() if self._waiting else self._file.readline(self._limit + 1)
        size = len(line)
        if not size or (self._growing and size <= self._limit and line[-1:] != b"\n"):
            return None
        if len(self._taken) >= _TAKEN:
            self._flush(len(self._taken))
        self._taken.append(line)
        self._begun = self.offset
        self.offset += size
        self.number += 1
        return line if size <= self._limit or line[-1:] == b"\n" else self._skipped(line)

    def _skipped(self, line: bytes) -> bytes | None:
        """Pass over the rest of a line; None where the end of a growing file's last line is not there yet."""
        self._flush(len(self._taken) - 1)
        running = self._running.copy()
        running.update(line)
        while rest := self._file.readline(_CHUNK):
            running.update(rest)
            self.offset += len(rest)
            if rest[-1:] == b"\n":
                break
        else:
            if self._growing:
                self.give_back()
                return None
        self._running = running
        self._taken.clear()
        return line

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
        self._taken.pop()
        self.offset, self.number = self._begun, self.number - 1

    def mark(self) -> Mark:
        """Where reading stands."""
        self._flush(len(self._taken))
        return {"offset": self.offset, "line": self.number, "digest": self._running.hexdigest()}

    def mark_before(self) -> Mark:
        """Where the line just taken begins: a line that is read in several steps. No mark behind it was asked for yet."""
        self._flush(len(self._taken) - 1)
        return {"offset": self._begun, "line": self.number - 1, "digest": self._running.hexdigest()}

    def _flush(self, count: int) -> None:
        self._running.update(b"".join(self._taken[:count]))
        del self._taken[:count]


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
