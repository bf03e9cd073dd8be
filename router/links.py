"""Which of two numbers keeps the case. A pure function of the link itself, so that it does not depend on who came first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from router.ledger import EFFECTIVE, standings
from schemas.case import Entry


class Pair(NamedTuple):
    """`other` is another name: what is known there goes to `kept`. `same`: both are numbers of one case."""

    kept: str
    other: str
    same: bool


def ties(entries: Sequence[Entry], key: str, namespaces: Sequence[str]) -> dict[Pair, Entry]:
    """What the links say that were reported under this key and count."""
    counted = zip(entries, standings(entries), strict=True)
    found = ((pair(*entry.tie, namespaces), entry) for entry, one in counted if entry.tie and one == EFFECTIVE)
    return {names: entry for names, entry in found if names is not None and entry.tie and entry.tie[0] == key}


def tied(entries: Sequence[Entry]) -> bool:
    """Whether there is any link at all, whatever it counts: in most cases none."""
    for entry in entries:  # noqa: SIM110  twice as fast as any(), and asked for every event
        if entry.tie is not None:
            return True
    return False


def pair(case: str, other: str, relation: str, namespaces: Sequence[str]) -> Pair | None:
    """What a `Linked` event says; None when it names only itself.

    An appointment, a ticket or a local number belongs to the case that the event is reported for. Of two numbers of the
    same case the better one is kept.
    """
    if case == other:
        return None
    if relation != "SAME_CASE":
        return Pair(case, other, same=False)
    kept = better(case, other, namespaces)
    return Pair(kept, other if kept == case else case, same=True)


def better(one: str, other: str, namespaces: Sequence[str]) -> str:
    """The canonical one of two keys: the namespace named earlier in the profile, then the smaller key."""

    def rank(key: str) -> tuple[int, str]:
        namespace = key.partition(":")[0]
        return (namespaces.index(namespace) if namespace in namespaces else len(namespaces)), key

    return min(one, other, key=rank)
