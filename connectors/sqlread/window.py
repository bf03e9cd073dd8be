"""What was read lately, so that rows which become visible late are found, and none is given twice.

Reading begins behind the `floor`, and rows known by their digest are passed over. The floor follows the reading at a distance:
a row stays in the window until a look that began `overlap` seconds after it was read has come to its end, however long nobody
looked, and as long as its watermark lies ahead of the clock; of more than `most` rows the foremost leave. Nothing is computed
with watermarks, so that any column that grows will do.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from connectors.sqlread.values import Key, restored, stored

#: Bytes of a digest: among 2,000 rows one in a hundred thousand million looks like another.
_SIZE = 6
#: Rows ahead of the clock are kept beyond `most`, but not for ever.
_AHEAD = 10


class Rules(NamedTuple):
    """How long and how many; `ahead` says of a row's key that it must not be passed over."""

    overlap: float
    most: int
    ahead: Callable[[Key], bool] = lambda _: False


def digest(raw: bytes) -> bytes:
    return blake2b(raw, digest_size=_SIZE).digest()


class Window:
    """One pass through the window, from a state as JSON keeps it. `now` are seconds of our clock.

    `looked` is when the last look began that came to its end, where that is later than the state says.
    """

    def __init__(self, state: Mapping[str, Any], rules: Rules, now: float, looked: float = 0.0) -> None:
        self.floor: Key | None = restored(state.get("floor"))
        self._rules = rules
        self._now = now
        self._looked = max(looked, state.get("looked", 0.0))
        self._known = set(_pieces(state.get("seen", "")))
        self._recent: deque[tuple[Key, bytes]] = deque()
        self._top: Key | None = None
        self._marks: list[list[Any]] = [list(mark) for mark in state.get("marks", [])]
        self._expire()
        #: Whether rows ahead of the clock had to be passed over, so that rows written now may be hidden.
        self.hiding = False

    def _expire(self) -> None:
        """What had been read so long before the last whole look is done with: whatever can still appear lies behind it.

        Never backward: where more than `most` rows came, the floor lies behind the mark already, with none of them known.
        """
        while self._marks and self._marks[0][0] <= self._looked - self._rules.overlap:
            top = restored(self._marks.pop(0)[1])
            if top is not None and not (self.floor and behind(self.floor, top)):
                self.floor = top

    def fall_back(self, key: Key) -> None:
        """Begin earlier: the clock that writes the watermarks was set back."""
        self.floor, self._marks = key, []

    def new(self, key: Key, mark: bytes) -> bool:
        """Whether this row, the next in order, was not read before."""
        known = mark in self._known
        self._known.discard(mark)
        ahead = self._rules.ahead(key)
        if not ahead:
            self._top = key
        if ahead or self._rules.overlap:
            self._recent.append((key, mark))
            self._shrink()
        else:
            self.floor = key
        return not known

    def _shrink(self) -> None:
        if len(self._recent) <= self._rules.most:
            return
        ahead = self._rules.ahead(self._recent[0][0])
        if not ahead or len(self._recent) > _AHEAD * self._rules.most:
            self.floor = self._recent.popleft()[0]
            self.hiding |= ahead

    def end(self) -> None:
        """The last row there is has been read: what was known and did not come again is gone."""
        self._known.clear()
        self._looked = self._now

    def state(self, now: float) -> dict[str, Any]:
        """As it stands behind the last row; `now` as above."""
        if self._top is not None:
            self._mark(now, self._top)
        seen = b"".join([*self._known, *(mark for _, mark in self._recent)])
        found: dict[str, Any] = {"floor": stored(self.floor), "seen": base64.b64encode(seen).decode(), "marks": self._marks}
        found["looked"] = round(self._looked, 3)
        return {name: value for name, value in found.items() if value}

    def _mark(self, now: float, top: Key) -> None:
        """The last mark always stands; those before it as far apart as a fifth of the overlap, so that they are few."""
        if len(self._marks) > 1 and self._marks[-1][0] - self._marks[-2][0] < self._rules.overlap / 5:
            self._marks.pop()
        self._marks.append([round(now, 3), stored(top)])


def behind(key: Key, other: Key) -> bool:
    """Later in order, as Python compares, which is not always as the database does; False where it cannot tell."""
    try:
        return key > other
    except TypeError:
        return False


def _pieces(text: str) -> Iterator[bytes]:
    found = base64.b64decode(text)
    return (found[at : at + _SIZE] for at in range(0, len(found), _SIZE))
