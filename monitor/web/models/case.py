"""One case: what happened, in a picture and in lines; why its light is what it is; who has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from typing import Any, NamedTuple

from monitor.caseview import Sentence
from monitor.mask import masked, person
from monitor.times import micros
from monitor.web.models.says import Said, papers, says, who
from monitor.web.models.timeline import Drawing, drawn, lanes
from monitor.web.words import Words
from schemas.account import Account
from schemas.case import Case, Finding, HandOver
from schemas.envelope import Event


class Recorded(NamedTuple):
    """One event as the journal has it; `standing` says why it does not count, empty for what does."""

    event: Event
    sequence: int
    standing: str


class Line(NamedTuple):
    """One event in the list: `lag` is how much later it was told, in microseconds."""

    sequence: int
    at: int
    type: str
    activity: str
    authority: str
    who: str
    said: list[Said]
    standing: str
    lag: int | None
    received_at: int


class Paper(NamedTuple):
    at: int
    kind: str
    name: str


class Found(NamedTuple):
    at: int
    code: str
    sentence: str
    basis: str
    facts: Mapping[str, str]


class CasePage(NamedTuple):
    case: Case
    account: Account
    applicant: str
    drawing: Drawing
    lines: list[Line]
    papers: list[Paper]
    findings: list[Found]
    moves: Sequence[HandOver]


class Viewer(NamedTuple):
    """For whom, and where."""

    words: Words
    zone: tzinfo
    clear: bool = False
    sentences: Mapping[str, Sentence] = {}


def case_page(case: Case, account: Account, recorded: Sequence[Recorded], until: int, viewer: Viewer) -> CasePage:
    """`recorded` in business order, what does not count too; `case` and `account` as of `until`."""
    counted = [one.event for one in recorded if not one.standing]
    return CasePage(
        case=case,
        account=account,
        applicant=applicant(case, clear=viewer.clear),
        drawing=drawn(lanes(case, counted, until), until, end_of(_due(account), viewer.zone), viewer.zone),
        lines=[_line(one, viewer) for one in recorded],
        papers=[Paper(event.occurred_at, *one) for event in counted for one in papers(event, viewer.words)],
        findings=[_found(one, viewer.sentences) for one in case.findings],
        moves=case.hand_overs,
    )


def applicant(case: Case, *, clear: bool) -> str:
    """Companies are no secret, but which field tells them apart is the source's word: all names are masked alike."""
    name = person((case.applicant or {}).get("name"))
    return name if clear and not name.startswith("sealed:") else masked(name)


def end_of(day: date | None, zone: tzinfo) -> int | None:
    """The last moment of a day, in microseconds UTC."""
    return None if day is None else micros(datetime.combine(day, time(23, 59, 59), zone))


def _due(account: Account) -> date | None:
    reading = account.reading
    return (reading.statutory_due or reading.due) if reading.overdue_legal else (reading.due or reading.statutory_due)


def _line(one: Recorded, viewer: Viewer) -> Line:
    event = one.event
    reported: Any = event.header["reported_at"]
    return Line(
        sequence=one.sequence,
        at=event.occurred_at,
        type=event.type,
        activity="" if event.header["activity"] in (None, event.type) else str(event.header["activity"]),
        authority=event.header["authority"] or "",
        who=who(event, clear=viewer.clear),
        said=says(event, viewer.words, viewer.zone, clear=viewer.clear),
        standing=one.standing,
        lag=reported["at"] - event.occurred_at if reported else None,
        received_at=event.received_at,
    )


def _found(finding: Finding, sentences: Mapping[str, Sentence]) -> Found:
    known = sentences.get(finding.code, Sentence(finding.code.replace("_", " "), ""))
    return Found(finding.at, finding.code, known.sentence, known.basis, finding.facts)
