"""A case as the bus publishes it: the fold of what was reported, and the book-keeping of its journal.

Pure values. `router.case` folds events into a `Case`; `monitor` shows it. All times are microseconds since
1970-01-01 UTC; the header of each event keeps the zone and precision the source gave.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from schemas.envelope import Order


class Phase(StrEnum):
    """The main phase (GB/T 39046: 申请, 受理, 办理, 办结). Pauses, custody and supervision run beside it."""

    NONE = "none"
    APPLIED = "applied"
    RECEIVED = "received"
    SUPPLEMENTING = "supplementing"
    ACCEPTED = "accepted"
    IN_PROGRESS = "in_progress"
    DECIDED = "decided"
    ENDED = "ended"


class Outcome(StrEnum):
    """How a case ended (办结结果)."""

    GRANTED = "granted"
    GRANTED_WITH_GAPS = "granted_with_gaps"
    REFUSED = "refused"
    NOT_ACCEPTED = "not_accepted"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    TERMINATED = "terminated"
    RETURNED = "returned"
    REVOKED = "revoked"


class Pause(msgspec.Struct, gc=False):
    """A special procedure (特别程序): days in it are not counted. `end` is None while it is open."""

    id: str
    start: int
    end: int | None = None
    procedure: str = ""
    reason: str = ""
    approver: str = ""
    planned_days: int | None = None
    #: The authority that reported it.
    by: str = ""


class Ticket(msgspec.Struct, gc=False):
    """A queue number in a hall (取号) and who gave it: one visit, perhaps for several cases."""

    id: str
    at: int
    hall: str = ""
    window: str = ""
    by: str = ""


class Extension(msgspec.Struct, gc=False):
    """A limit extended (延长审批), in the limit's own unit."""

    at: int
    days: int
    reason: str = ""
    approver: str = ""
    #: The authority that extended it.
    by: str = ""


class Supplement(msgspec.Struct, gc=False):
    """One round of asking for missing papers (补正)."""

    round: int
    asked_at: int | None = None
    received_at: int | None = None
    missing: list[str] = []
    #: The authorities that asked and that took the papers in.
    asked_by: str = ""
    received_by: str = ""
    #: Until when the applicant was told to bring them.
    due_at: int | None = None


class Step(msgspec.Struct, gc=False):
    """One step by one authority; `part` is the sub-case of a joint approval."""

    name: str
    authority: str
    part: str = ""
    started_at: int | None = None
    completed_at: int | None = None
    opinion: str = ""
    #: The step's own limit in working days, as its start said it; else the item's counts.
    limit_days: int | None = None


class Appointment(msgspec.Struct, gc=False):
    """A visit asked for (预约), until the authority called back (回访)."""

    id: str
    requested_at: int | None = None
    confirmed_at: int | None = None
    #: The authority asked, which has to call back.
    by: str = ""
    #: The date that was fixed for the visit.
    visit_at: int | None = None


class HandOver(msgspec.Struct, gc=False):
    """A case on its way from one authority to another, until the receiver signs."""

    id: str
    kind: str
    sender: str
    receiver: str
    sent_at: int
    received_at: int | None = None
    answered_at: int | None = None
    part: str = ""
    rule: str = ""


class Correction(msgspec.Struct, gc=False):
    """An event was taken back or explained (更正) after others may have relied on it."""

    id: str
    at: int
    corrects: str
    by: str = ""
    reason: str = ""


class Reopening(msgspec.Struct, gc=False):
    """A case that had ended was taken up again (重新办理), and what its former end said, which counts no more."""

    at: int
    ground: str = ""
    reason: str = ""
    #: The authority that reopened it.
    by: str = ""
    outcome: Outcome | None = None
    stopped_at: int | None = None
    stopped_until: int | None = None
    ended_at: int | None = None
    ended_until: int | None = None
    collected_at: int | None = None


class Finding(msgspec.Struct, frozen=True, gc=False):
    """A fact that broke the law's order: recorded, never refused. `code` names a row of `router.findings`."""

    code: str
    at: int
    event_id: str
    facts: dict[str, str] = {}


class Blur(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What moments told coarsely (as a day) cover: from, until, and the one source they are from (empty: several)."""

    start: int
    until: int
    source: str


class Case(msgspec.Struct):
    """What is known of one case: the fold of its effective events, in business order."""

    key: str
    region: str = ""
    item: str = ""
    item_version: str = ""
    authority: str = ""
    level: int = 0
    #: The authority that took the application in, which speaks to the applicant.
    window: str = ""
    channel: str = ""
    form: str = ""
    applicant: dict[str, Any] | None = None
    phase: Phase = Phase.NONE
    outcome: Outcome | None = None
    applied_at: int | None = None
    received_at: int | None = None
    accepted_at: int | None = None
    #: When the clock of the decision stopped: decided, withdrawn, returned, terminated.
    stopped_at: int | None = None
    #: The last moment that the stop can mean.
    stopped_until: int | None = None
    ended_at: int | None = None
    #: The last moment that the end can mean, as exactly as it was told: an end told as a day is any moment of that day.
    ended_until: int | None = None
    collected_at: int | None = None
    promised_days: int | None = None
    statutory_days: int | None = None
    planned_end_at: int | None = None
    holder: str = ""
    pauses: list[Pause] = []
    extensions: list[Extension] = []
    supplements: list[Supplement] = []
    steps: list[Step] = []
    hand_overs: list[HandOver] = []
    findings: list[Finding] = []
    set_aside: dict[str, str] = {}
    links: list[str] = []
    #: Those of the links that are other numbers of this same case.
    merged: list[str] = []
    #: This number is an appointment's or a ticket's: it need not become a case.
    visit: bool = False
    appointments: list[Appointment] = []
    tickets: list[Ticket] = []
    project: str = ""
    #: Names of the papers of the application.
    materials: list[str] = []
    #: Papers that an acceptance with gaps (容缺受理) leaves to be brought, and when they came.
    gaps: list[str] = []
    gaps_filled_at: int | None = None
    revoked_at: int | None = None
    reopenings: list[Reopening] = []
    corrections: list[Correction] = []
    alerts: dict[str, str] = {}
    #: Which indicator raised each of the alerts.
    indicators: dict[str, str] = {}
    supervisions: list[str] = []
    rating: int | None = None
    #: Effective events that are work on the case (appointments, tickets, links and alerts are not), the first and the last.
    events: int = 0
    first_at: int | None = None
    last_at: int | None = None
    #: The last event folded in of any kind, in business order: what comes after it is in order.
    last: Order | None = None
    #: The youngest stretch of time covered by coarsely told moments: an event within it may belong before one folded in.
    blur: Blur | None = None

    @property
    def opened(self) -> bool:
        """False for a provisional case: events came, its application has not."""
        return self.applied_at is not None

    @property
    def reopened_at(self) -> int:
        """When the present life of the case began, where it had ended before; else 0."""
        return self.reopenings[-1].at if self.reopenings else 0

    def life(self, at: int) -> Case | Reopening:
        """What tells when the life of the case ended that a moment belongs to: the case, or its reopening after that."""
        return next((one for one in self.reopenings if one.at > at), self)

    @property
    def paused(self) -> bool:
        return any(pause.end is None for pause in self.pauses)


class Entry(msgspec.Struct, array_like=True, gc=False):
    """One recorded event of the case, as the router remembers it without its bytes (those stand in the journal)."""

    event_id: str
    body_hash: str
    origin: str
    version: int
    reported_at: int
    order: Order
    sequence: int
    #: effective; superseded, conflicting, cancelled; stale (an alert that judged an older case); expired (no application
    #: came); forwarded (it counts under another key); moved (it counts elsewhere only).
    standing: str = "effective"
    #: The event id that this correction takes away; empty for all other events.
    cancels: str = ""
    #: True when of two bodies under one id the latest reported stands (OnConflict.REPLACE).
    replaces: bool = False
    #: True for an alert: it speaks about the facts and is none.
    alert: bool = False
    #: What a Linked event ties: the key it was reported for, the other key, the relation.
    tie: tuple[str, str, str] | None = None
    #: Why it does not count here, though it says which version its row has: `back`, it was forwarded here and is taken
    #: back; `row`, its row belongs to another case now.
    away: str = ""


class CaseState(msgspec.Struct):
    """The router's state of one key, published compacted on `case.state`: the case, its ledger, its chain's head."""

    case: Case
    ledger: list[Entry] = []
    sequence: int = 0
    head: bytes = b""
    #: Decisions taken, by id: what was moved or delivered, so that a later fold can contradict it.
    decisions: dict[str, str] = {}
    #: Set when this key is another name of a case: what comes here goes to `case.forward`. The first of all targets.
    forwards_to: str = ""
    #: The other number of the same case that is kept in place of this one.
    same_as: str = ""
    #: Every number that was said to be kept in place of this one, each with the key that said so.
    said: list[tuple[str, str]] = []
    #: What this key told others because it is one case with two of them: the number, and the one kept in its place.
    told: list[tuple[str, str]] = []
    #: The cases to which this appointment, ticket or local number belongs.
    belongs_to: list[str] = []
    expired: bool = False


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(CaseState)


def encode_state(state: CaseState) -> bytes:
    return _encoder.encode(state)


def decode_state(data: bytes) -> CaseState:
    """Raises msgspec.DecodeError when the bytes are no state of a case."""
    return _decoder.decode(data)
