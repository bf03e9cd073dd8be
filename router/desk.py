"""The desk on which one case lies while a batch is worked on: its state, its journal, its events, its rejections.

Values of the state are replaced and never changed in place, so a copy of it is a way back (`Desk.undo`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from msgspec.structs import replace

from router.case import folded
from router.decide import Context
from router.journal import chained
from router.law import LawProfile
from router.ledger import CANCELLED, CONFLICTING, EFFECTIVE, EXPIRED, FORWARDED, MOVED, STALE, SUPERSEDED, standings
from router.outbox import Cause, Letter, Outbox, row_of
from schemas.case import Case, CaseState, Entry
from schemas.envelope import Event

AFTER_END = "event_after_end"
#: The journal's word for each reason why an event counts or does not.
KINDS = {
    EFFECTIVE: "EVENT",
    SUPERSEDED: "SUPERSEDED",
    CONFLICTING: "CONFLICT",
    CANCELLED: "SET_ASIDE",
    STALE: "SET_ASIDE",
    AFTER_END: "SET_ASIDE",
    EXPIRED: "EXPIRED",
    FORWARDED: "LINK",
    MOVED: "SET_ASIDE",
}
#: The reasons that are rejections: somebody has to know, and can act.
LETTERS = {
    CONFLICTING: Letter(
        "conflicting_id",
        "Another event with the same id says something else, and that one stands. Send a changed row with a higher version.",
    ),
    AFTER_END: Letter(
        AFTER_END,
        "It is dated after the end of its case. If the end is wrong, correct the end; this event then counts by itself.",
    ),
    EXPIRED: Letter(
        "no_application",
        "No application of this case is known. Send the application, and the event counts; or correct the case number.",
    ),
}


class Setting(NamedTuple):
    """What all cases of a batch share."""

    out: Outbox
    profile: LawProfile
    context: Callable[[Case], Context]
    #: The newest event heard of a row that came to a new case.
    rows: Callable[[str], Event | None] = lambda _: None


class Desk:
    """The state of one key. `history` gives the committed events by journal sequence."""

    def __init__(self, state: CaseState, history: Callable[[], dict[int, Event]], setting: Setting) -> None:
        self._before = state
        self.state = replace(state)  # a shallow copy; copy.copy takes six times as long
        self.setting = setting
        self.out = setting.out
        self._history = history
        self._new: dict[int, Event] = {}
        self._old: dict[int, Event] | None = None

    @property
    def key(self) -> str:
        return self.state.case.key

    @property
    def touched(self) -> bool:
        """False where only copies came: nothing of the case is to be written."""
        return self.state.sequence != self._before.sequence or self.state.ledger is not self._before.ledger

    @property
    def provisional(self) -> bool:
        """Work on the case is known, its application is not. An appointment or a ticket need not become a case."""
        case, state = self.state.case, self.state
        return bool(case.events) and not (case.opened or case.visit or state.expired or state.forwards_to)

    def undo(self, before: CaseState) -> None:
        """Back to a copy of the state taken before the last event."""
        self.state = before
        self._new = {sequence: event for sequence, event in self._new.items() if sequence <= before.sequence}

    def remember(self, sequence: int, event: Event) -> None:
        """An event of this batch, which no store has yet."""
        self._new[sequence] = event

    def event(self, entry: Entry) -> Event:
        """The event of a line of the ledger."""
        new = self._new.get(entry.sequence)
        if new is not None:
            return new
        if self._old is None:
            self._old = self._history()
        return self._old[entry.sequence]

    def refold(self, ledger: Iterable[Entry]) -> None:
        """Work out every standing and the case from all that is recorded. An application reinstates an expired case."""
        state, lines = self.state, list(ledger)
        found = standings(lines)
        pairs = [(entry, self.event(entry)) for entry, one in zip(lines, found, strict=True) if one == EFFECTIVE]
        pairs.sort(key=lambda pair: pair[0].order)
        case = folded(pairs, self.setting.profile, self.key)
        expired = state.expired and not case.opened
        if expired:
            found = [EXPIRED if one == EFFECTIVE and not entry.alert else one for entry, one in zip(lines, found, strict=True)]
        state.case, state.expired = case, expired
        state.ledger = [one if one.standing == new else replace(one, standing=new) for one, new in zip(lines, found, strict=True)]

    def reasons(self) -> dict[int, str]:
        """Why each recorded event counts or does not, by sequence: the ledger's word, or the law's."""
        aside = self.state.case.set_aside
        return {
            entry.sequence: aside.get(entry.event_id, EFFECTIVE) if entry.standing == EFFECTIVE else entry.standing
            for entry in self.state.ledger
        }

    def changed(self, before: dict[int, str], cause: Cause) -> None:
        """Journal what a new fold says about events recorded before; `before` is what the last one said."""
        after = self.reasons()
        for entry in self.state.ledger:
            old, new = before.get(entry.sequence, ""), after[entry.sequence]
            if old and old != new:
                kind = "REINSTATED" if new == EFFECTIVE else KINDS[new]
                facts = {"of": str(entry.sequence), "reason": new, "was": old}
                self.journal(kind, cause, event_id=entry.event_id, facts=facts)
                self.reject(new, self.event(entry), cause)

    def record(self, event: Event, reason: str, cause: Cause, target: str | None = None) -> None:
        """The event's own journal entry, with its bytes."""
        facts = {} if reason == EFFECTIVE else {"reason": reason}
        self.journal(KINDS[reason], cause, event=event, target=target, facts=facts)
        self.reject(reason, event, cause)

    def reject(self, reason: str, event: Event, cause: Cause) -> None:
        """To the dead letters, where the reason is a rejection."""
        letter = LETTERS.get(reason)
        if letter is not None:
            self.out.reject(letter, event, self.key, cause)

    def journal(  # noqa: PLR0913  the fields of an entry, all but two of them by name
        self,
        kind: str,
        cause: Cause,
        *,
        event: Event | None = None,
        event_id: str | None = None,
        rule: str | None = None,
        target: str | None = None,
        facts: dict[str, str] | None = None,
    ) -> None:
        """Append an entry to the case's chain."""
        state = self.state
        entry: dict[str, Any] = {
            "case": state.case.key,
            "sequence": state.sequence + 1,
            "kind": kind,
            "recorded_at": cause.recorded_at,
            "event_id": event.id if event else event_id,
            "event": event.raw if event else None,
            "rule": rule,
            "target": target,
            "facts": facts or {},
        }
        chained(entry, state.head)
        state.sequence, state.head = state.sequence + 1, entry["hash"]
        self.out.journal(entry, cause, row_of(event.origin) if event and event.case == state.case.key else b"")
