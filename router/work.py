"""What an event that came means for its case: a copy, in order, out of order, for another key, a stale alert."""

from __future__ import annotations

from msgspec.structs import replace

from router import rows
from router.alias import Via, pass_on, say, spread
from router.case import apply, in_order
from router.decide import all_rules, triggered
from router.desk import Desk
from router.ledger import ALERTS, EFFECTIVE, EXPIRED, FORWARDED, STALE, earlier, entry_of, waits
from router.links import Pair, tied, ties
from router.outbox import Cause
from router.rows import ROW
from router.settle import settle
from schemas.case import Entry
from schemas.envelope import Event, same_fact

#: What the monitor's alert on a case whose application never came has as its indicator.
NO_APPLICATION = "no_application"


def take(desk: Desk, event: Event, cause: Cause, via: Via = (), away: str = "") -> None:
    """Record an event under this key and draw every consequence. `away`: why it does not count here."""
    entry = entry_of(event, desk.state.sequence + 1)
    entry = replace(entry, away=away) if away else entry
    before = _ties(desk) if tied(desk.state.ledger) else {}
    known = _known(desk, entry)
    if known is not None:
        _repeat(desk, known, entry, event, cause, via)
    else:
        _new(desk, entry, event, cause, via)
        rows.told(desk, entry, event, cause)
        later = desk.setting.rows(entry.origin) if event.case == desk.key else None
        if later is not None and later.case != desk.key:
            take(desk, later, cause, (), ROW)
    if tied(desk.state.ledger):
        _tie(desk, before, cause)


def _new(desk: Desk, entry: Entry, event: Event, cause: Cause, via: Via) -> None:
    desk.remember(entry.sequence, event)
    if _stale(desk, event):
        desk.state.ledger = [*desk.state.ledger, replace(entry, standing=STALE)]
        desk.record(event, STALE, cause)
    elif desk.state.forwards_to:
        pass_on(desk, event, entry, cause, via)
    elif _plain(desk, entry):
        _advance(desk, event, entry, cause)
    else:
        _again(desk, event, entry, cause)
    stands = desk.state.ledger[-1].standing in {EFFECTIVE, EXPIRED, FORWARDED}
    if event.type == "AlertRaised" and event.body["indicator"] == NO_APPLICATION and stands:
        expire(desk, cause)


def expire(desk: Desk, cause: Cause) -> None:
    """A provisional case stays listed, its events no longer wait: they go to the dead letters. Alerts about it are none."""
    if not desk.provisional:
        return
    state = desk.state
    state.expired = True
    waiting = [entry for entry in state.ledger if waits(entry)]
    state.ledger = [replace(one, standing=EXPIRED) if waits(one) else one for one in state.ledger]
    desk.journal("EXPIRED", cause, facts={"reason": NO_APPLICATION, "events": str(len(waiting))})
    for entry in waiting:
        desk.reject(EXPIRED, desk.event(entry), cause)
    settle(desk, all_rules(), cause)


def _ties(desk: Desk) -> dict[Pair, Entry]:
    return ties(desk.state.ledger, desk.key, desk.setting.profile.namespaces)


def _tie(desk: Desk, before: dict[Pair, Entry], cause: Cause) -> None:
    """Say which links count now that did not, and which count no more."""
    after = _ties(desk)
    for names in sorted(after.keys() - before.keys()):
        say(desk, names, desk.event(after[names]), cause)
    for names in sorted(before.keys() - after.keys()):
        say(desk, names, desk.event(before[names]), cause, gone=True)


def _known(desk: Desk, entry: Entry) -> Entry | None:
    for one in desk.state.ledger:
        if one.event_id == entry.event_id and same_fact(one.body_hash, entry.body_hash):
            return one
    return None


def _repeat(desk: Desk, known: Entry, entry: Entry, event: Event, cause: Cause, via: Via) -> None:  # noqa: PLR0913, PLR0917  two reports of one event
    """A copy. Reported earlier than the one we have, it gives the event its place among ties and conflicts.

    One that takes the event back, or brings it again, turns it.
    """
    cycle = desk.key in via
    first, turned = earlier(entry, known), entry.away not in {known.away, ROW}
    if first or turned:
        best = entry if first else known
        copy = replace(known, reported_at=best.reported_at, order=best.order, away=entry.away if turned else known.away)
        ledger = [copy if one is known else one for one in desk.state.ledger]
        _reorder(desk, ledger, cause)
    if desk.state.forwards_to and (first or turned or cycle):
        spread(desk, event, cause, via, entry.away)


def _reorder(desk: Desk, ledger: list[Entry], cause: Cause) -> None:
    if desk.state.forwards_to:
        desk.state.ledger = ledger
        return
    before = desk.reasons()
    desk.refold(ledger)
    desk.changed(before, cause)
    settle(desk, all_rules(), cause)


def _stale(desk: Desk, event: Event) -> bool:
    """An alert that judged an older case than is known now is refused: facts have come since, or it has another key."""
    if event.type not in ALERTS:
        return False
    judged = event.body["judged_sequence"]
    return bool(desk.state.forwards_to) or any(entry.sequence > judged and not entry.alert for entry in desk.state.ledger)


def _plain(desk: Desk, entry: Entry) -> bool:
    """True where the event comes after all others and touches none of them: the common and cheap path."""
    state = desk.state
    if state.expired or entry.cancels or entry.away or not in_order(state.case, entry.order):
        return False
    for one in state.ledger:
        if entry.event_id in {one.event_id, one.cancels}:
            return False
        if one.origin == entry.origin and one.version != entry.version:
            return False
    return True


def _advance(desk: Desk, event: Event, entry: Entry, cause: Cause) -> None:
    state = desk.state
    state.case = apply(state.case, event, desk.setting.profile, entry.order)
    state.ledger = [*state.ledger, entry]
    desk.record(event, state.case.set_aside.get(event.id, EFFECTIVE), cause)
    settle(desk, triggered(event.type), cause)


def _again(desk: Desk, event: Event, entry: Entry, cause: Cause) -> None:
    """Fold again, and say what changed for the events that were recorded before."""
    before = desk.reasons()
    desk.refold([*desk.state.ledger, entry])
    desk.record(event, desk.reasons()[entry.sequence], cause)
    desk.changed(before, cause)
    settle(desk, all_rules(), cause)
