"""What counted of a case at an earlier time, worked out again from the events received by then.

The fold of any set of events does not depend on their order, so what the bus knew is a function of what it had received.
What is journaled under a key comes from other keys, too: what a link forwards to it, and newer versions of a row that
belong to another case. Of these count here only those whose own key a link that counts ties to this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from router.alias import BACK
from router.ledger import effective, entry_of
from router.links import pair
from schemas.case import Entry
from schemas.envelope import Event


def counted(events: Iterable[Event], key: str) -> list[Event]:
    """Those of these events, journaled under a key, that counted there when no others were known; in business order."""
    pairs = [(entry_of(event), event) for event in events]
    home = _tied(pairs, key) if any(event.case != key for _, event in pairs) else {key}
    return [event for _, event in effective((_placed(entry, event, home), event) for entry, event in pairs)]


def another_name(events: Iterable[Event], key: str, namespaces: Sequence[str]) -> bool:
    """Whether this key was another name of a case; of `events` only links and corrections are looked at.

    They are those of the key and of all keys that it was ever said to be another name of.
    """
    named = (pair(*entry.tie, namespaces) for entry in _links([(entry_of(event), event) for event in events]) if entry.tie)
    return any(names is not None and names.other == key for names in named)


def _placed(entry: Entry, event: Event, home: set[str]) -> Entry:
    """What belongs elsewhere still says which version its row has."""
    return entry if event.case in home else replace(entry, away=BACK)


def _tied(pairs: Iterable[tuple[Entry, Event]], key: str) -> set[str]:
    """This key and all that links tie to it, directly or by way of others."""
    ties = [set(entry.tie[:2]) for entry in _links(pairs) if entry.tie]
    found = {key}
    while grown := [tie for tie in ties if found & tie and not tie <= found]:
        found = found.union(*grown)
    return found


def _links(pairs: Iterable[tuple[Entry, Event]]) -> list[Entry]:
    """The links that count."""
    return [entry for entry, _ in effective(pairs) if entry.tie]
