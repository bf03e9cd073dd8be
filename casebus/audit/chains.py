"""The journal's chains: gapless sequences, each entry bound to the one before, the last one known to the state.

The heads stand in `case.state` in Kafka, where somebody who can write the view's database cannot reach them: without
them a chain cut off at its end would still look whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from casebus.audit.facts import Difference, Side

#: The hash an entry must have, from its own fields and the hash of the one before.
Binding = Callable[[Mapping[str, Any]], bytes]


class Head(NamedTuple):
    """The end of a chain."""

    sequence: int
    hash: bytes


NONE = Head(0, b"")


class Chains:
    """Follows every case's chain, entry by entry as the journal has them."""

    def __init__(self, binding: Binding) -> None:
        self._binding = binding
        self._heads: dict[str, Head] = {}

    def follow(self, entry: Mapping[str, Any], day: str) -> Iterator[Difference]:
        """What is wrong with the next entry of its case."""
        case = entry["case"]
        before, after = self._heads.get(case, NONE), Head(entry["sequence"], entry["hash"])
        self._heads[case] = after
        for cause in self._faults(entry, before):
            yield Difference(case, day, Side.JOURNAL, cause, entry["event_id"] or "")

    def _faults(self, entry: Mapping[str, Any], before: Head) -> Iterator[str]:
        number = entry["sequence"]
        if number <= before.sequence:
            yield f"entry {number} stands twice: the journal was written by two"
        elif number > before.sequence + 1:
            yield f"{_numbers(before.sequence + 1, number - 1)} missing: deleted from the journal"
        elif entry["previous"] != before.hash:
            yield f"entry {number} does not continue entry {before.sequence}: the chain is broken between them"
        if self._binding(entry) != entry["hash"]:
            yield f"entry {number} is not what its hash says: it was changed after it was written"

    def against(self, heads: Mapping[str, Head]) -> Iterator[Difference]:
        """The ends of the chains against those the states know."""
        for case in sorted(self._heads.keys() | heads.keys()):
            cause = _end(self._heads.get(case, NONE), heads.get(case, NONE))
            if cause:
                yield Difference(case, "", Side.STATE, cause)


def _end(journal: Head, state: Head) -> str:
    if journal == state:
        return ""
    if journal.sequence < state.sequence:
        return f"the journal ends with entry {journal.sequence}, the state knows {state.sequence}: its end was cut off"
    if journal.sequence > state.sequence:
        return f"the journal goes to entry {journal.sequence}, the state knows only {state.sequence}: the state is old or lost"
    return f"entry {journal.sequence} ends the chain with another hash than the state knows: the chain was written anew"


def _numbers(first: int, last: int) -> str:
    return f"entry {first} is" if first == last else f"entries {first} to {last} are"
