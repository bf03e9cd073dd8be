"""A source row whose newer version belongs to another case: the old case gives it up, whichever version came first.

Versions of one row replace each other as a whole, also across cases: the number was corrected at the source. Who gets a
version above the first and does not know an older one tells every partition. Whoever holds the row, or gets it later, takes
the word as an event that does not count there (`Entry.away`), which supersedes what it holds; and who holds a newer version
tells it back. So every case that ever held the row knows its newest version in the end, and only that one counts.
"""

from __future__ import annotations

from router.alias import forward
from router.desk import Desk
from router.outbox import Cause
from schemas.case import Entry
from schemas.envelope import Event

#: `Entry.away` of what counts under another case.
ROW = "row"


def told(desk: Desk, entry: Entry, event: Event, cause: Cause) -> None:
    """What others have to know of a new entry of the ledger."""
    if event.case == desk.key and not entry.away:
        _own(desk, entry, event, cause)
    elif entry.away == ROW:
        _answer(desk, entry, event, cause)


def _own(desk: Desk, entry: Entry, event: Event, cause: Cause) -> None:
    """To the cases known to have held the row; to all partitions where it came from somewhere unknown."""
    others = [one for one in desk.state.ledger if one.origin == entry.origin and one.event_id != entry.event_id]
    if not others and entry.version == 1:
        return
    homes = {desk.event(one).case for one in others if one.away == ROW}
    for home in sorted(homes):
        forward(desk, home, event, cause, (), ROW)
    older = any(one.version < entry.version and not one.away for one in others)
    if entry.version > 1 and not older and not homes:
        desk.out.everywhere(event, cause)


def _answer(desk: Desk, entry: Entry, event: Event, cause: Cause) -> None:
    """Where a newer version is known here, the case that the older one counts under has to know it."""
    mine = [one for one in desk.state.ledger if one.origin == entry.origin and not one.away and one.version > entry.version]
    newest = max(mine, key=lambda one: one.version, default=None)
    if newest is not None and desk.event(newest).case == desk.key:
        forward(desk, event.case, desk.event(newest), cause, (), ROW)
