"""Other names of a case: what a key holds and what still comes to it goes to the key that is kept, bytes unchanged.

An appointment, a ticket or a local number may belong to several cases; a second number of a case has one that is kept.
Of two that are kept in place of one, one is kept in place of the other, and is told: so all numbers of a case end at the
best of them, whatever was heard of first. A link that counts no more is undone: what it forwarded is taken back there, and
counts here again.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from router.decide import all_rules
from router.desk import Desk
from router.ledger import FORWARDED
from router.links import Pair, better
from router.outbox import AWAY, GONE, KEPT, SAME, VIA, Cause, Letter
from router.settle import settle
from schemas.case import Case, Entry
from schemas.envelope import Event

Via = tuple[str, ...]
#: `Entry.away` of what was forwarded and is taken back.
BACK = "back"
_CYCLE = Letter(
    "link_cycle",
    "Two numbers are each said to be another name of the other, so the event belongs nowhere. Correct one of the two links.",
)


class Word(NamedTuple):
    """That this key is another name of `kept`, or is so no longer: who said so, by which Linked event, and why now."""

    kept: str
    same: bool
    teller: str
    event: Event
    cause: Cause


def heard(desk: Desk, word: Word, *, gone: bool) -> None:
    """A word about this key itself."""
    if word.kept != desk.key:
        (_leave if gone else _join)(desk, word)


def say(desk: Desk, names: Pair, event: Event, cause: Cause, *, gone: bool = False) -> None:
    """Tell the other key what a link, reported here, says; the other key may be this one."""
    word = Word(names.kept, names.same, desk.key, event, cause)
    if names.other == desk.key:
        heard(desk, word, gone=gone)
    else:
        _tell(desk, names.other, word, gone=gone)


def pass_on(desk: Desk, event: Event, entry: Entry, cause: Cause, via: Via) -> None:
    """An event for a key that is another name. It is recorded here too: another case may yet be named for this key."""
    state = desk.state
    state.ledger = [*state.ledger, replace(entry, standing=FORWARDED)]
    desk.record(event, FORWARDED, cause, state.forwards_to)
    spread(desk, event, cause, via, entry.away)


def spread(desk: Desk, event: Event, cause: Cause, via: Via, away: str = "") -> None:
    """To every case this key belongs to."""
    if desk.key in via:
        desk.out.reject(_CYCLE, event, desk.key, cause)
        return
    for target in sorted({desk.state.same_as, *desk.state.belongs_to} - {""}):
        forward(desk, target, event, cause, (*via, desk.key), away)


def _join(desk: Desk, word: Word) -> None:
    """From now on this key is another name of `word.kept`."""
    state = desk.state
    if word.same:
        state.said = sorted({*state.said, (word.kept, word.teller)})
    if word.kept in {state.same_as, *state.belongs_to}:
        return
    target = _same(desk, word) if word.same else _belongs(desk, word.kept)
    if not state.forwards_to:
        state.forwards_to = word.kept
        _close(desk, word.cause)
    if target:
        _move_to(desk, target, word)


def _leave(desk: Desk, word: Word) -> None:
    """No longer another name of `word.kept`, unless somebody else still says so."""
    state = desk.state
    if word.same:
        state.said = [one for one in state.said if one != (word.kept, word.teller)]
    if (word.same and word.kept in dict(state.said)) or word.kept not in {state.same_as, *state.belongs_to}:
        return _tell_again(desk, word) if word.same else None
    if word.same:
        state.same_as = _best(desk)
    else:
        state.belongs_to = [one for one in state.belongs_to if one != word.kept]
    for entry in state.ledger:
        if not entry.away:
            forward(desk, word.kept, desk.event(entry), word.cause, (desk.key,), BACK)
    desk.journal("LINK", word.cause, target=word.kept, facts={"same": str(word.same).lower(), "ended": "true"})
    if word.same and state.same_as:
        _move_to(desk, state.same_as, word)
    state.forwards_to = state.same_as or next(iter(state.belongs_to), "")
    if word.same:
        _tell_again(desk, word)
    if not state.forwards_to:
        _open(desk, word.cause)
    return None


def _same(desk: Desk, word: Word) -> str:
    """The new place to forward to; none when the number known before is the better one."""
    before, desk.state.same_as = desk.state.same_as, _best(desk)
    _tell_again(desk, word)
    return desk.state.same_as if desk.state.same_as != before else ""


def _best(desk: Desk) -> str:
    """Of all numbers that are said to be kept in place of this one."""
    best = ""
    for kept, _ in desk.state.said:
        best = better(kept, best, desk.setting.profile.namespaces) if best else kept
    return best


def _tell_again(desk: Desk, word: Word) -> None:
    """All numbers that are said to be the same case as this one are the same case as the best of them: each is told once."""
    state = desk.state
    best = _best(desk)
    wanted = sorted({(kept, best) for kept, _ in state.said if kept != best})
    for other, kept in wanted:
        if (other, kept) not in state.told:
            _tell(desk, other, word._replace(kept=kept, teller=desk.key), gone=False)
    for other, kept in state.told:
        if (other, kept) not in wanted:
            _tell(desk, other, word._replace(kept=kept, teller=desk.key), gone=True)
    state.told = wanted


def _belongs(desk: Desk, kept: str) -> str:
    desk.state.belongs_to = sorted([*desk.state.belongs_to, kept])
    return kept


def _move_to(desk: Desk, target: str, word: Word) -> None:
    """What is recorded here counts there from now on; what counts here no more, counts there no more either."""
    for entry in desk.state.ledger:
        if entry.away != BACK:
            forward(desk, target, desk.event(entry), word.cause, (desk.key,), entry.away)
    desk.journal("LINK", word.cause, target=target, facts={"same": str(word.same).lower()})


def _close(desk: Desk, cause: Cause) -> None:
    """What this chain decided is taken back, the kept number decides anew; the case is empty from here on."""
    settle(desk, all_rules(), cause)
    state = desk.state
    state.case = Case(desk.key)
    state.expired = False
    state.ledger = [replace(entry, standing=FORWARDED) for entry in state.ledger]


def _open(desk: Desk, cause: Cause) -> None:
    """A case of its own again: what is recorded here counts here."""
    before = desk.reasons()
    desk.refold(desk.state.ledger)
    desk.changed(before, cause)
    settle(desk, all_rules(), cause)


def _tell(desk: Desk, other: str, word: Word, *, gone: bool) -> None:
    headers = [(KEPT, word.kept.encode()), (VIA, word.teller.encode())]
    headers += [(SAME, b"1")] * word.same + [(GONE, b"1")] * gone
    desk.out.forward(other, word.event, word.cause, tuple(headers))


def forward(desk: Desk, target: str, event: Event, cause: Cause, via: Via, away: str = "") -> None:  # noqa: PLR0913, PLR0917  what, where, why
    """Send an event on to another key."""
    headers = ((VIA, "\n".join(via).encode()), *(((AWAY, away.encode()),) if away else ()))
    desk.out.forward(target, event, cause, headers)
