"""Other names of a case: what a key holds and what still comes to it goes to the key that is kept, bytes unchanged.

An appointment, a ticket or a local number may belong to several cases; a second number of a case has one that is kept.
Of two that are kept in place of one, one is kept in place of the other, and is told: so all numbers of a case end at the
best of them, whatever was heard of first.
"""

from __future__ import annotations

from msgspec.structs import replace

from router.decide import all_rules
from router.desk import Desk
from router.ledger import FORWARDED
from router.links import better
from router.outbox import KEPT, SAME, VIA, Cause, Letter
from router.settle import settle
from schemas.case import Case, Entry
from schemas.envelope import Event

Via = tuple[str, ...]
_CYCLE = Letter(
    "link_cycle",
    "Two numbers are each said to be another name of the other, so the event belongs nowhere. Correct one of the two links.",
)


def become_alias(desk: Desk, kept: str, event: Event, cause: Cause, *, same: bool) -> None:
    """From now on this key is another name of `kept`. `event` is the Linked event that says so."""
    state = desk.state
    if kept in {desk.key, state.same_as, *state.belongs_to}:
        return
    target = _same(desk, kept, event, cause) if same else _belongs(desk, kept)
    first = not state.forwards_to
    state.forwards_to = state.same_as or state.belongs_to[0]
    if first:
        _close(desk, cause)
    if target:
        for entry in state.ledger:
            _forward(desk, target, desk.event(entry), cause, ())
        desk.journal("LINK", cause, target=target, facts={"same": str(same).lower()})


def pass_on(desk: Desk, event: Event, entry: Entry, cause: Cause, via: Via) -> None:
    """An event for a key that is another name. It is recorded here too: another case may yet be named for this key."""
    state = desk.state
    state.ledger = [*state.ledger, replace(entry, standing=FORWARDED)]
    desk.record(event, FORWARDED, cause, state.forwards_to)
    spread(desk, event, cause, via)


def spread(desk: Desk, event: Event, cause: Cause, via: Via) -> None:
    """To every case this key belongs to."""
    if desk.key in via:
        desk.out.reject(_CYCLE, event, desk.key, cause)
        return
    for target in sorted({desk.state.same_as, *desk.state.belongs_to} - {""}):
        _forward(desk, target, event, cause, via)


def tell(desk: Desk, other: str, kept: str, event: Event, cause: Cause, *, same: bool) -> None:  # noqa: PLR0913  two keys and a link
    """Tell another key that it is another name of `kept`."""
    headers = ((KEPT, kept.encode()), (SAME, b"1")) if same else ((KEPT, kept.encode()),)
    desk.out.forward(other, event, cause, headers)


def _same(desk: Desk, kept: str, event: Event, cause: Cause) -> str:
    """The new place to forward to; none when the number known before is the better one."""
    state = desk.state
    before = state.same_as
    state.same_as = better(kept, before, desk.setting.profile.namespaces) if before else kept
    if before:
        tell(desk, before if state.same_as == kept else kept, state.same_as, event, cause, same=True)
    return state.same_as if state.same_as != before else ""


def _belongs(desk: Desk, kept: str) -> str:
    desk.state.belongs_to = sorted([*desk.state.belongs_to, kept])
    return kept


def _close(desk: Desk, cause: Cause) -> None:
    """What this chain decided is taken back, the kept number decides anew; the case is empty from here on."""
    settle(desk, all_rules(), cause)
    state = desk.state
    state.case = Case(desk.key)
    state.expired = False
    state.ledger = [replace(entry, standing=FORWARDED) for entry in state.ledger]


def _forward(desk: Desk, target: str, event: Event, cause: Cause, via: Via) -> None:
    desk.out.forward(target, event, cause, ((VIA, "\n".join((*via, desk.key)).encode()),))
