"""What the API answers, as models: they are the OpenAPI contract. Times are ISO 8601 with the deployment's offset."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, tzinfo
from typing import Any, Literal

from pydantic import BaseModel, Field

from monitor.statistics.processmap import ProcessMap
from monitor.times import iso
from monitor.web.glance import Glance
from monitor.web.hits import Spotted
from monitor.web.models.case import CasePage
from monitor.web.models.desk import Alert as Raised
from monitor.web.models.listing import Listed
from monitor.web.models.overview import Overview
from monitor.web.models.process import Graph
from monitor.web.picture import Day, Lamps, Picture


class Counts(BaseModel):
    """Open cases by light; `none` is not accepted yet."""

    red: int
    yellow: int
    green: int
    none: int
    paused: int
    on_its_way: int
    supervised: int


class Cell(BaseModel):
    region: str
    department: str
    lights: Counts


class Lights(BaseModel):
    as_of: str
    total: Counts
    cells: list[Cell]


class TrendDay(BaseModel):
    day: date
    applied: int
    ended: int


class CaseLine(BaseModel):
    """`left` are days left of the limit, negative when it is passed."""

    key: str
    light: str
    item: str
    region: str
    department: str
    holder: str
    phase: str
    outcome: str
    elapsed: int
    limit: int | None
    left: int | None
    due: str
    applied_at: str | None
    ended_at: str | None
    paused: bool
    on_its_way: bool
    supervision: str


class Cases(BaseModel):
    """`total` is a lower bound where `more` is true."""

    page: int
    pages: int
    total: int
    more: bool
    cases: list[CaseLine]


class Passage(BaseModel):
    first: date
    last: date
    kind: str
    days: int
    text: str
    article: str


class Event(BaseModel):
    """`standing` says why it does not count; empty for what does."""

    sequence: int
    occurred_at: str
    received_at: str
    type: str
    activity: str
    authority: str
    actor: str
    says: dict[str, str]
    standing: str


class Move(BaseModel):
    kind: str
    sender: str
    receiver: str
    sent_at: str
    received_at: str | None
    answered_at: str | None
    part: str


class Finding(BaseModel):
    at: str
    code: str
    sentence: str
    basis: str
    order: str = Field(description="What would have been in order.")
    facts: dict[str, str]


class Decided(BaseModel):
    """What the bus decided: whom it told what, by which rule and item version, and what the rule saw."""

    at: str
    says: str
    target: str
    rule: str
    basis: str
    item_version: str
    condition: str
    facts: dict[str, str]
    taken_back: bool


class CaseDetail(BaseModel):
    key: str
    item: str
    region: str
    phase: str
    outcome: str
    holder: str
    applicant: str
    light: str
    headline: str = Field(description="Why the light is what it is.")
    account: list[Passage]
    limits: list[str]
    calendar: str
    events: list[Event]
    moves: list[Move]
    findings: list[Finding]
    decisions: list[Decided]
    supervisions: list[str]


class Edge(BaseModel):
    """One thing directly after another: how often, in how many cases, hours between them."""

    source: str
    target: str
    times: int
    cases: int
    median_hours: float
    longest_hours: float


class Variant(BaseModel):
    """`share` of the cases, 0 to 1."""

    activities: list[str]
    cases: int
    share: float
    median_days: float


class Process(BaseModel):
    cases: int
    variants: int
    activities: dict[str, int]
    begins: dict[str, int]
    ends: dict[str, int]
    edges: list[Edge]
    ways: list[Variant] = Field(description="The ways that most cases went.")


class Alert(BaseModel):
    alert: str
    type: str
    case: str
    indicator: str
    light: str
    text: str
    raised_at: str
    sent: bool


class Hit(BaseModel):
    indicator: str
    case: str
    who: str
    light: str
    value: float
    text: str


class ActIn(BaseModel):
    """`supervision` names the one that is open; empty when a case is taken up."""

    case: str = Field(description="Key of the case, <namespace>:<number>.")
    act: Literal["take", "note", "urge", "shut"]
    text: str = Field(min_length=1, max_length=2000)
    supervision: str = Field("", max_length=100)


class ActOut(BaseModel):
    supervision: str


class Letter(BaseModel):
    received_at: str
    reason: str
    text: str
    stage: str
    system: str
    table: str
    position: str
    field: str
    mapping_line: str
    case: str


def new_supervision() -> str:
    return f"SV-{secrets.token_hex(6)}"


def counts(one: Lamps) -> Counts:
    return Counts(**{name: getattr(one, name) for name in Counts.model_fields})


def lights(model: Overview, picture: Picture, zone: tzinfo) -> Lights:
    cells = [
        Cell(region=one.region, department=one.department, lights=counts(one.lamps))
        for row in model.heat.rows
        for one in row.cells
        if one.lamps.total
    ]
    return Lights(as_of=_at(picture.now, zone), total=counts(model.lamps), cells=cells)


def trend(days: Sequence[Day]) -> list[TrendDay]:
    return [TrendDay(day=one.day, applied=one.applied, ended=one.ended) for one in days]


def cases(found: Listed, zone: tzinfo) -> Cases:
    lines = [line(one, zone) for one in found.rows]
    return Cases(page=found.page, pages=found.pages, total=found.total, more=found.more, cases=lines)


def line(one: Glance, zone: tzinfo) -> CaseLine:
    times = {"applied_at": iso(one.applied_at, zone), "ended_at": iso(one.ended_at, zone)}
    return CaseLine(**{name: getattr(one, name) for name in CaseLine.model_fields if name not in times}, **times)


def case(model: CasePage, zone: tzinfo) -> CaseDetail:
    told, one = model.account, model.case
    return CaseDetail(
        key=one.key,
        item=one.item,
        region=one.region,
        phase=str(one.phase),
        outcome=str(one.outcome or ""),
        holder=one.holder or one.authority,
        applicant=model.applicant,
        light=str(told.light),
        headline=told.headline,
        account=[Passage(**{name: getattr(each, name) for name in Passage.model_fields}) for each in told.passages],
        limits=[each.text for each in told.limits],
        calendar=told.calendar,
        events=_events(model, zone),
        moves=_moves(model, zone),
        findings=_findings(model, zone),
        decisions=_decided(model, zone),
        supervisions=one.supervisions,
    )


def _findings(model: CasePage, zone: tzinfo) -> list[Finding]:
    return [
        Finding(
            at=_at(one.at, zone),
            code=one.code,
            sentence=one.sentence,
            basis=one.basis,
            order=one.order,
            facts=dict(one.facts),
        )
        for one in model.findings
    ]


def _decided(model: CasePage, zone: tzinfo) -> list[Decided]:
    return [
        Decided(
            at=_at(one.at, zone),
            says=one.says,
            target=one.target,
            rule=one.why,
            basis=one.basis,
            item_version=one.version,
            condition=one.condition,
            facts=dict([*one.values, *one.facts]),
            taken_back=one.off,
        )
        for one in model.decisions
    ]


def _events(model: CasePage, zone: tzinfo) -> list[Event]:
    return [
        Event(
            sequence=one.sequence,
            occurred_at=_at(one.at, zone),
            received_at=_at(one.received_at, zone),
            type=one.type,
            activity=one.activity,
            authority=one.authority,
            actor=one.who,
            says={said.name: said.value for said in one.said},
            standing=one.standing,
        )
        for one in model.lines
    ]


def _moves(model: CasePage, zone: tzinfo) -> list[Move]:
    return [
        Move(
            kind=one.kind,
            sender=one.sender,
            receiver=one.receiver,
            sent_at=_at(one.sent_at, zone),
            received_at=iso(one.received_at, zone),
            answered_at=iso(one.answered_at, zone),
            part=one.part,
        )
        for one in model.moves
    ]


def process(found: ProcessMap, shown: Graph) -> Process:
    """`shown` are the edges asked for; all else is of all cases."""
    return Process(
        cases=found.cases,
        variants=found.variants,
        activities={node.activity: node.events for node in found.nodes},
        begins={node.activity: node.begins for node in found.nodes if node.begins},
        ends={node.activity: node.ends for node in found.nodes if node.ends},
        edges=[Edge(**edge._asdict()) for edge in shown.edges],
        ways=[
            Variant(activities=list(one.activities), cases=one.cases, share=one.share, median_days=one.median_days)
            for one in found.ways
        ],
    )


def alert(one: Raised, zone: tzinfo) -> Alert:
    return Alert(**one._asdict() | {"raised_at": _at(one.raised_at, zone)})


def hit(one: Spotted, language: str) -> Hit:
    found = one.found
    said = found.hit
    return Hit(
        indicator=found.indicator.name,
        case=found.case,
        who=found.who,
        light=str(said.light),
        value=said.value,
        text=found.text(language),
    )


def letter(row: Any, zone: tzinfo) -> Letter:
    texts = {name: getattr(row, name) for name in ("reason", "text", "stage", "system", "position", "field", "mapping_line")}
    return Letter(received_at=_at(row.received_at, zone), table=row.source_table, case=row.case_key, **texts)


def _at(at: int, zone: tzinfo) -> str:
    return iso(at, zone) or ""
