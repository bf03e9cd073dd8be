"""What a position of files remembers: where reading stands, which contents were read, which rows were refused.

A file is known by what it says, not by its name or its time: the same content under another name, or touched, gives nothing
twice. All of it goes into one message of Kafka (8 MiB at most), so each part is bounded, the oldest forgotten first:
MARKS files that reading may go on in (some 30 kB), READ files by 16 bytes each (2.2 MB as text), REFUSED rows by 8 bytes each.
A file that was forgotten and is there no more costs nothing; one that changes after its mark was forgotten is read from its
beginning, and its rows keep their ids.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from connectors.formats.common import Mark, digest, put

MARKS = 200
READ = 100_000
REFUSED = 10_000
_SIZE = 8


class Memory:
    """What was read so far, as the position says it."""

    def __init__(self, position: str | None) -> None:
        found: dict[str, Any] = json.loads(position) if position else {}
        if found and "read" not in found:
            found = {"files": found}  # as positions were written before contents counted
        self.marks: dict[str, Mark] = found.get("files", {})
        pairs = list(_pieces(found.get("read", ""), 2 * _SIZE))
        self._read = {pair[:_SIZE]: pair[_SIZE:] for pair in pairs}
        self._contents = set(self._read.values())
        self._refused = dict.fromkeys(_pieces(found.get("refused", ""), _SIZE))
        self._before = frozenset(self._refused)

    def __bool__(self) -> bool:
        return bool(self.marks or self._read)

    def text(self) -> str:
        """The position."""
        read = b"".join(state + content for state, content in self._read.items())
        found = {"files": self.marks, "read": _text(read), "refused": _text(b"".join(self._refused))}
        return json.dumps(found, ensure_ascii=False)

    def knows(self, state: bytes) -> bool:
        """True for a file in a state in which it was read to its end: it need not be opened."""
        return state in self._read

    def knows_content(self, content: bytes) -> bool:
        return content in self._contents

    def stand(self, name: str, mark: Mark) -> None:
        """Reading stands there in this file."""
        self.marks.pop(name, None)
        self.marks[name] = mark
        for oldest in list(self.marks)[:-MARKS]:
            del self.marks[oldest]

    def note(self, state: bytes, content: bytes) -> None:
        """Read to its end."""
        self._read[state] = content
        self._contents.add(content)

    def trim(self, there: Container[bytes]) -> None:
        """Forget the oldest of what was read, but none that is there still."""
        spare = len(self._read) - READ
        if spare > 0:
            gone = [state for state in self._read if state not in there][:spare]
            for state in gone:
                del self._read[state]

    def refused_before(self, raw: bytes) -> bool:
        """True for a row that was refused, as it is, before this look."""
        return bool(self._before) and _hash(raw) in self._before

    def refuse(self, rows: Iterable[bytes]) -> None:
        self._refused.update(dict.fromkeys(map(_hash, rows)))
        for oldest in list(self._refused)[:-REFUSED]:
            del self._refused[oldest]


def state(name: str, *said: int) -> bytes:
    """A file by its name, size and time of change: it need not be opened to be known again."""
    return _hash(f"{name}\0{said}".encode("utf-8", "surrogateescape"))


def content(mark: Mark) -> bytes:
    """A content by the digest of a mark at its end."""
    return bytes.fromhex(mark["digest"])[:_SIZE]


def looked_through(path: Path, marks: Mapping[str, Mark]) -> tuple[bytes, Mark | None]:
    """The content of a file, and the farthest of the marks that its beginning answers to: it was renamed, or rotated."""
    wanted = sorted(((int(mark["offset"]), mark) for mark in marks.values() if mark.get("offset")), key=lambda one: one[0])
    running, done, best = digest(), 0, None
    with path.open("rb") as file:
        for offset, mark in wanted:
            done += put(file, running, offset - done)
            if done < offset:
                break
            best = mark if running.hexdigest() == mark["digest"] else best
        put(file, running, 1 << 62)
    return running.digest()[:_SIZE], best


def _hash(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_SIZE).digest()


def _text(data: bytes) -> str:
    return b64encode(data).decode()


def _pieces(text: str, size: int) -> Iterator[bytes]:
    data = b64decode(text)
    return (data[start : start + size] for start in range(0, len(data), size))
