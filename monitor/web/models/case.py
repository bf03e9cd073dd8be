"""One case: what happened, in a picture and in lines; why its light is what it is; who has it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from typing import Any, NamedTuple

from monitor.caseview import Sentence
from monitor.mask import told as told_of
from monitor.times import micros, shown
from monitor.web.models.says import Said, papers, says, who
from monitor.web.models.timeline import Drawing, drawn, lanes
from monitor.web.words import Words, humanized
from schemas.account import Account
from schemas.case import Case, Finding, HandOver
from schemas.conditions import FIELDS
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
    """`order` is what would have been in order; `facts` what the law saw, in words."""

    at: int
    code: str
    sentence: str
    basis: str
    order: str
    facts: list[Said]


class Entry(NamedTuple):
    """What the bus decided, as the journal has it: who was told what, by which rule, and what the rule saw."""

    sequence: int
    at: int
    kind: str
    rule: str
    target: str
    facts: Mapping[str, str]


class Decision(NamedTuple):
    """`why` is the rule and where the law says so; `condition` is empty for what needs none; `off`: taken back since."""

    sequence: int
    at: int
    says: str
    target: str
    why: str
    basis: str
    version: str
    condition: str
    values: list[Said]
    facts: list[Said]
    off: bool
    hand_over: str


class CasePage(NamedTuple):
    case: Case
    account: Account
    applicant: str
    drawing: Drawing
    lines: list[Line]
    papers: list[Paper]
    findings: list[Found]
    moves: Sequence[HandOver]
    decisions: list[Decision]


class Told(NamedTuple):
    """What was recorded of a case: its events in business order, what does not count too; and what the bus decided."""

    events: Sequence[Recorded]
    entries: Sequence[Entry] = ()


class Viewer(NamedTuple):
    """For whom, and where. `rules` are the routing rules: title and basis."""

    words: Words
    zone: tzinfo
    clear: bool = False
    sentences: Mapping[str, Sentence] = {}
    rules: Mapping[str, tuple[str, str]] = {}


def case_page(case: Case, account: Account, told: Told, until: int, viewer: Viewer) -> CasePage:
    """`case` and `account` as of `until`."""
    counted = [one.event for one in told.events if not one.standing]
    return CasePage(
        case=case,
        account=account,
        applicant=applicant(case, clear=viewer.clear),
        drawing=drawn(lanes(case, counted, until), until, end_of(_due(account), viewer.zone), viewer.zone),
        lines=[_line(one, viewer) for one in told.events],
        papers=[Paper(event.occurred_at, *one) for event in counted for one in papers(event, viewer.words)],
        findings=[_found(one, viewer) for one in case.findings],
        moves=case.hand_overs,
        decisions=decisions(told.entries, viewer),
    )


def applicant(case: Case, *, clear: bool) -> str:
    """Companies are no secret, but which field tells them apart is the source's word: all names are masked alike."""
    return told_of((case.applicant or {}).get("name"), clear=clear)


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


def _found(finding: Finding, viewer: Viewer) -> Found:
    known, words = viewer.sentences.get(finding.code, Sentence(humanized(finding.code), "")), viewer.words
    says, basis, order = (
        words.law("found", finding.code, part, text) for part, text in zip(("says", "basis", "order"), known, strict=True)
    )
    return Found(finding.at, finding.code, says, basis, order, list(_facts(finding.facts, viewer)))


#: Facts of a decision that have a place of their own, or that only machines need.
_PLACED = frozenset({"decision", "kind", "about", "item", "item_version", "when"})
#: Names of what a condition may look at (`schemas.conditions.FIELDS`).
_ASKED = frozenset(FIELDS) - _PLACED


def decisions(entries: Sequence[Entry], viewer: Viewer) -> list[Decision]:
    """Deliveries and links in their order; what was taken back is marked, and not told a second time."""
    off = {(one.facts.get("decision", ""), one.sequence) for one in entries if one.kind == "COMPENSATION"}
    return [_decision(one, _taken_back(one, off), viewer) for one in entries if one.kind != "COMPENSATION"]


def _taken_back(one: Entry, off: Collection[tuple[str, int]]) -> bool:
    """A decision may be taken again after it was taken back: only what came later counts."""
    return any(decision == one.facts.get("decision") and sequence > one.sequence for decision, sequence in off)


def _decision(one: Entry, off: bool, viewer: Viewer) -> Decision:
    words, facts = viewer.words, one.facts
    title, basis = viewer.rules.get(one.rule, (humanized(one.rule), ""))
    kind = facts.get("kind", one.kind.lower())
    condition = facts.get("when", "")
    seen = {name: text for name, text in facts.items() if condition and name in _ASKED}
    rest = {name: text for name, text in facts.items() if name not in _PLACED and name not in seen}
    return Decision(
        sequence=one.sequence,
        at=one.at,
        says=words.texts.get(f"law.told.{kind}") or words.of("decision", kind),
        target=one.target,
        why=words.law("rule", one.rule, "title", title),
        basis=words.law("rule", one.rule, "basis", basis),
        version=facts.get("item_version", ""),
        condition=condition,
        values=list(_facts(seen, viewer)),
        facts=list(_facts(rest, viewer)),
        off=off,
        hand_over=facts.get("about", "").partition(" ")[0],
    )


#: Numbers that only machines tell apart: events, alerts, decisions.
_OF_MACHINES = re.compile("[0-9a-f]{32}")


def _facts(facts: Mapping[str, str], viewer: Viewer) -> Iterator[Said]:
    """Facts in words, times as one writes them; numbers of machines are left out."""
    words = viewer.words
    for name, text in facts.items():
        if not text or _OF_MACHINES.fullmatch(text):
            continue
        yield Said(words.texts.get(f"field.{name}", humanized(name)), _said(name, text, viewer))


def _said(name: str, text: str, viewer: Viewer) -> str:
    if name.endswith("_at") and text.isdigit():
        return shown(int(text), viewer.zone)
    return viewer.words.of(name, text.lower()) if viewer.words.knows(f"{name}.{text.lower()}") else text
