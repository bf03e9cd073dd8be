"""A case is the fold of what was reported about it: `apply` one event in order, `fold` all of them in any order.

Both are pure: the argument is never changed, no clock is read, nothing is refused. `apply` is total: each event type has
an effect in `router.phases` or `router.beside`, or stands in `router.law.IGNORED` with its reason; an unknown type (from
a newer version of the software) only moves the case's last order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from router import beside, phases
from router.effect import find
from router.law import PRELIMINARY, UNCOUNTED, AfterEnd, LawProfile
from router.ledger import effective, entry_of
from router.vague import blurred, clear, placed, until
from schemas.case import Case, Entry
from schemas.envelope import Event, Order

EFFECTS = {**phases.EFFECTS, **beside.EFFECTS}


def apply(case: Case, event: Event, profile: LawProfile, order: Order | None = None) -> Case:
    """The case after this event, which must come after all before it in business order (`in_order`).

    `order` is the event's own, for whoever has it already.
    """
    after = replace(case)
    _apply(after, event, order or event.order, profile)
    return after


def in_order(case: Case, order: Order) -> bool:
    """True when an event of this order can be applied to the case as it stands; else fold again."""
    return case.last is None or (order > case.last and clear(case.blur, order))


def fold(events: Iterable[Event], profile: LawProfile, key: str | None = None) -> Case:
    """The case of these events, in whatever order and however often they are given.

    Versions, conflicts and corrections are resolved first (`router.ledger`). `key` is the case's own number where events
    of its other names are among them; by default the key of the first event in business order.
    """
    pairs = effective((entry_of(event), event) for event in events)
    return folded(pairs, profile, key if key is not None else next((event.case for _, event in pairs), ""))


def folded(pairs: Sequence[tuple[Entry, Event]], profile: LawProfile, key: str) -> Case:
    """The case of effective events, each with its line of the ledger, already in business order."""
    case = Case(key)
    for entry, event in placed(pairs):
        _apply(case, event, entry.order, profile)
    return case


def _apply(case: Case, event: Event, order: Order, profile: LawProfile) -> None:
    """Change `case`, which is the caller's own copy; its lists are replaced, never changed."""
    case.last = order if case.last is None or order > case.last else case.last
    case.blur = blurred(case.blur, order, until(event))
    if _after_end(case, event, profile):
        if profile.after_end is AfterEnd.SET_ASIDE:
            case.set_aside = {**case.set_aside, event.id: "event_after_end"}
            return
        find(case, event, "event_after_end", type=event.type)
    _identify(case, event)
    if event.type in PRELIMINARY:
        case.visit = case.visit or event.case == case.key
    effect = EFFECTS.get(event.type)
    if effect is not None:
        effect(case, event, profile)
    if event.type not in UNCOUNTED:
        _count(case, event.occurred_at)


def _after_end(case: Case, event: Event, profile: LawProfile) -> bool:
    """Two events of one moment may stand in either order, so only what is later than all the end can mean is after it."""
    return case.ended_until is not None and event.occurred_at > case.ended_until and event.type not in profile.allowed_after_end


def _identify(case: Case, event: Event) -> None:
    """Where the case belongs, as far as any event says so; the application's word overrides (`phases.applied`)."""
    header = event.header
    case.region = case.region or header["region"] or ""
    case.item = case.item or header["item"] or ""
    case.item_version = case.item_version or header["item_version"] or ""
    case.authority = case.authority or header["authority"] or ""
    if header["links"]:
        case.links = sorted({*case.links, *header["links"]} - {case.key})


def _count(case: Case, at: int) -> None:
    case.events += 1
    case.first_at = at if case.first_at is None else min(case.first_at, at)
    case.last_at = at
