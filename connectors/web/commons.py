"""What the systems of one server share, and how much of it one of them may have: the others must find room at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN = {"Retry-After": "2"}


class SentBackError(Exception):
    """A call that is answered at once, with a sentence."""

    def __init__(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.headers = status, headers


class Commons:
    """So much of something that calls need. Used by the server's thread alone.

    Alone a system may have all of it. Of several each has its even part whatever the others do, and more as long as half of
    all is free.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._held: Counter[str] = Counter()

    @property
    def held(self) -> int:
        return self._held.total()

    def take(self, system: str, amount: int) -> None:
        self._held[system] += amount

    def give(self, system: str, amount: int) -> None:
        """Give it back."""
        self._held[system] -= amount

    def crowded(self, system: str, systems: int) -> bool:
        """Whether this one of so many systems has more than its part, and half of all is taken."""
        return systems > 1 and self.held * 2 > self.room and self._held[system] * systems > self.room

    @contextmanager
    def place(self, system: str, systems: int) -> Iterator[None]:
        """One call at work. Raises SentBackError where its system crowds the others out."""
        self.take(system, 1)
        try:
            if self.crowded(system, systems):
                found = "So many calls of this system are at work that others would wait."
                raise SentBackError(429, f"{found} Send fewer side by side, with more rows in each.", AGAIN)
            yield
        finally:
            self.give(system, 1)
