"""What may happen a million times is told a few times: a department that does everything wrong must not fill the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable

#: Kinds that are told apart. Who sends them may make up names for ever; beyond so many they are one kind.
KINDS = 10_000
_OTHERS = ("others",)


class Rarely:
    """Told are the first of a kind, the tenth, the hundredth, and so on."""

    def __init__(self) -> None:
        self._seen: Counter[Hashable] = Counter()

    def count(self, *kind: Hashable) -> int:
        """How many of this kind there were so far, this one among them, where this one is told; else 0."""
        kind = kind if kind in self._seen or len(self._seen) < KINDS else _OTHERS
        self._seen[kind] += 1
        number = self._seen[kind]
        return number if str(number).strip("0") == "1" else 0
