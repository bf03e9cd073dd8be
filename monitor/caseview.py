"""One case, told to somebody who asks "why is it red?": what happened, how its clock counted, what was found, who has it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import and_, or_, select

from monitor import tables
from monitor.lights import Clockwork
from monitor.mask import masked
from monitor.mask import told as told_of
from monitor.opened import Personal, personal
from monitor.statistics.compute import Inputs
from monitor.statistics.source import Window, case_at
from monitor.times import iso
from monitor.told import Told
from monitor.view import Snapshot, View
from schemas.case import Case
from schemas.clock import Kind, Line
from schemas.problem import Problem, ProblemsError
from schemas.sealing import NO_KEYS, NOTHING, Ring


class Sentence(NamedTuple):
    """What a finding says to people, where the law says so, and what would have been in order: `router.findings`."""

    sentence: str
    basis: str
    order: str = ""


class Asked(NamedTuple):
    """As of when somebody asks: `at`, or `now` where they name no time; `ring` knows which keys were destroyed."""

    now: int
    at: int | None = None
    ring: Ring = NO_KEYS

    @property
    def when(self) -> int:
        return self.now if self.at is None else self.at


class Moment(msgspec.Struct, frozen=True):
    """One line of the timeline: an event, or what the bus did. Times are microseconds since 1970-01-01 UTC."""

    sequence: int
    occurred_at: int
    reported_at: int | None
    received_at: int
    what: str
    activity: str
    authority: str
    actor: str
    #: Why it does not count; empty for what does.
    standing: str


class Account(msgspec.Struct, frozen=True):
    """One line of the clock's account; equal days in a row are one line."""

    first: str
    last: str
    kind: str
    text: str
    article: str


class Found(msgspec.Struct, frozen=True):
    at: int
    code: str
    sentence: str
    basis: str
    order: str
    facts: dict[str, str]


class Move(msgspec.Struct, frozen=True):
    kind: str
    sender: str
    receiver: str
    sent_at: int
    received_at: int | None
    answered_at: int | None
    part: str


class CaseView(msgspec.Struct, frozen=True):
    """All that is shown of a case, people masked; `clock` is the reading as of `as_of`."""

    key: str
    as_of: int
    case: dict[str, Any]
    clock: dict[str, Any]
    timeline: list[Moment]
    account: list[Account]
    findings: list[Found]
    moves: list[Move]
    told: list[Told] = []
    personal: list[Personal] = []

    def to_json(self, clockwork: Clockwork) -> dict[str, Any]:
        """Times as ISO 8601 in the deployment's zone."""
        shown: dict[str, Any] = _dated(msgspec.to_builtins(self), clockwork)
        return shown | {"as_of": iso(self.as_of, clockwork.zone)}


#: What of a case stands in its head, and which of it are times.
_HEAD = ("region", "item", "item_version", "authority", "holder", "level", "channel", "form", "phase", "outcome", "rating")
_TIMES = ("applied_at", "received_at", "accepted_at", "stopped_at", "ended_at", "collected_at", "planned_end_at")


def key_of(view: View, number: str) -> str:
    """The key of a case by its number, with or without namespace. Raises ProblemsError with what to do."""
    table = tables.cases.c
    query = select(table.case_key, table.forwards_to).where(or_(table.case_key == number, table.number == number)).limit(20)
    found = view.all(query)
    keys = sorted({str(row.forwards_to or row.case_key) for row in found})
    if len(keys) == 1:
        return keys[0]
    if keys:
        raise ProblemsError(Problem(number, f"{len(keys)} cases have this number", f"Name one of {', '.join(keys)}."))
    raise ProblemsError(
        Problem(number, "no case has this number", "Look it up in the department's system, or in `casebus deadletters list`.")
    )


def case_view(view: View, key: str, inputs: Inputs, sentences: Mapping[str, Sentence], asked: Asked) -> CaseView:
    """The case as it was then. Raises ProblemsError when nothing of it had happened."""
    when = asked.when
    with view.snapshot() as snapshot:
        case = case_at(snapshot, inputs.reader, inputs.folding, key, Window(asked.at))
        if case is None:
            raise ProblemsError(Problem(key, "nothing of this case had happened by then", "Ask for a later time."))
        sealed = personal(snapshot, inputs.reader, key, asked.ring)
        lost = {one.key for one in sealed if one.destroyed}
        timeline = moments(snapshot, key, when, lost)
    clockwork = inputs.clockwork
    return CaseView(
        key=key,
        as_of=when,
        case=_head(case, lost),
        personal=sealed,
        clock=clockwork.reading(case, when)._asdict(),
        timeline=timeline,
        account=account(clockwork.explained(case, when)),
        findings=[_found(finding, sentences) for finding in case.findings],
        moves=[
            Move(one.kind, one.sender, one.receiver, one.sent_at, one.received_at, one.answered_at, one.part)
            for one in case.hand_overs
        ],
    )


def moments(snapshot: Snapshot, key: str, until: int, lost: Container[str] = ()) -> list[Moment]:
    """Events and decisions of a case up to a time, in business order; a decision stands at its cause's receipt.

    `lost` are the keys that were destroyed.
    """
    found = [*_events(snapshot, key, lost), *_decisions(snapshot, key)]
    return sorted((one for one in found if one.occurred_at <= until), key=lambda one: (one.occurred_at, one.sequence))


def _events(snapshot: Snapshot, key: str, lost: Container[str]) -> list[Moment]:
    e, aside = tables.events.c, tables.set_aside.c
    joined = tables.events.outerjoin(tables.set_aside, and_(aside.case_key == e.case_key, aside.sequence == e.sequence))
    query = select(tables.events, aside.standing).select_from(joined).where(e.case_key == key)
    return [
        Moment(
            sequence=row.sequence,
            occurred_at=row.occurred_at,
            reported_at=row.reported_at,
            received_at=row.received_at,
            what=row.type,
            activity="" if row.activity == row.type else row.activity,
            authority=row.authority,
            actor=masked(row.actor, lost),
            standing=row.standing or "",
        )
        for row in snapshot.all(query)
    ]


#: Entries that say again what an event's line says by its standing.
_STANDINGS = ("SUPERSEDED", "CONFLICT", "SET_ASIDE", "REINSTATED", "EXPIRED")


def _decisions(snapshot: Snapshot, key: str) -> list[Moment]:
    """Entries without an event of their own: what the bus decided, delivered, took back."""
    e, table = tables.events.c, tables.entries.c
    joined = tables.entries.outerjoin(tables.events, and_(e.case_key == table.case_key, e.sequence == table.sequence))
    query = select(tables.entries).select_from(joined)
    query = query.where(table.case_key == key, e.sequence.is_(None), table.kind.not_in(_STANDINGS))
    return [
        Moment(row.sequence, row.recorded_at, None, row.recorded_at, row.kind.lower(), row.rule, row.target, "", "")
        for row in snapshot.all(query)
    ]


def account(lines: Iterable[Line]) -> list[Account]:
    """The clock's account with its days drawn together: nobody reads four thousand lines of counted days.

    Days off between counted days belong to their run; what is no day (a limit's end, a procedure's begin) stands alone.
    """
    drawn: list[Account] = []
    for kind, group in groupby(_joined(lines), key=itemgetter(0)):
        told = [line for _, line in group]
        drawn += [_run(told)] if kind in _DAYS else [_account(line, line.day, line.text) for line in told]
    return drawn


_DAYS = (Kind.COUNTED, Kind.PAUSED, Kind.OFF)


def _joined(lines: Iterable[Line]) -> Iterator[tuple[Kind, Line]]:
    """Each line with the kind of the run it belongs to: a day off goes with the days before it."""
    run = Kind.OFF
    for line in lines:
        run = run if line.kind is Kind.OFF and run in _DAYS else line.kind
        yield run, line


def _run(days: list[Line]) -> Account:
    """Days that follow each other, as one line; days off at its end are left to it."""
    off = sum(line.kind is Kind.OFF for line in days)
    numbers = [line.number for line in days if line.number is not None]
    text = days[0].text
    if len(numbers) > 1:
        text = f"days {numbers[0]} to {numbers[-1]} count"
    elif len(days) > 1 and not numbers:
        text = f"{len(days) - off} days in a special procedure: not counted" if off < len(days) else days[0].text
    between = f", {off} days off not" if off and off < len(days) else ""
    return _account(days[0], days[-1].day, text + between)


def _account(line: Line, last: date, text: str) -> Account:
    return Account(line.day.isoformat(), last.isoformat(), str(line.kind), text, line.article)


def _head(case: Case, lost: Container[str]) -> dict[str, Any]:
    applicant = (case.applicant or {}).get("name")
    if applicant and applicant.get("key") in lost:
        applicant = {**applicant, "cipher": NOTHING}
    return {
        **{name: getattr(case, name) for name in (*_HEAD, *_TIMES)},
        "opened": case.opened,
        "applicant": told_of(applicant, clear=False),
        "extensions": [one.days for one in case.extensions],
        "rounds": len(case.supplements),
        "alerts": case.alerts,
        "links": case.links,
    }


def _found(finding: Any, sentences: Mapping[str, Sentence]) -> Found:
    said = sentences.get(finding.code, Sentence(finding.code.replace("_", " "), ""))
    return Found(finding.at, finding.code, said.sentence, said.basis, said.order, finding.facts)


def _dated(value: Any, clockwork: Clockwork) -> Any:
    """The same value with every time (`*_at`, `at`) as text."""
    if isinstance(value, dict):
        return {
            name: iso(inner, clockwork.zone) if name.endswith("_at") or name == "at" else _dated(inner, clockwork)
            for name, inner in value.items()
        }
    return [_dated(inner, clockwork) for inner in value] if isinstance(value, list) else value
