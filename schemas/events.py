"""Typed events, for the edges where people write events by hand. Inside, events are plain values (`schemas.envelope`).

In the order of a case's life. Each class equals its file in `avro/` in names, types, defaults, enums and docs: a test
holds them together, so a field is added on both sides or on none.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Self

from pydantic import BaseModel, Field

from schemas.envelope import Event
from schemas.parts import Clear, Header, Int, Long, Moment, OnConflict, Part, Personal, Precision, Sealed, Source
from schemas.words import (
    ApplicantKind,
    Cause,
    Channel,
    Form,
    Ground,
    Light,
    Opinion,
    Procedure,
    Relation,
    Result,
)

#: The parts, for those who write events by hand; the events themselves stand in TYPES too.
__all__ = ["TYPES", "Clear", "Header", "Moment", "OnConflict", "Personal", "Precision", "Sealed", "Source", "from_event"]


class BaseEvent(Part):
    """Any event: the header, and in the subclasses what it says."""

    header: Header = Field(description="What every approval event says about itself.")

    def to_event(self) -> Event:
        """The event as the inside carries it, not encoded yet."""
        body = _plain(self)
        return Event(type(self).__name__, body.pop("header"), body)

    @classmethod
    def from_event(cls, event: Event) -> Self:
        """Raises ValueError where the event is of another type, pydantic.ValidationError where a field is wrong."""
        if event.type != cls.__name__:
            raise ValueError(f"The event is {event.type}: read it as events.{event.type}.")
        return cls.model_validate({"header": event.header, **event.body})


def _plain(value: Any) -> Any:
    """Dictionaries, lists and scalars, as the Avro decoder gives them."""
    if isinstance(value, BaseModel):
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value.value) if isinstance(value, Enum) else value


class AppointmentRequested(BaseEvent):
    """A visit was asked for (预约)."""

    appointment: str = Field(description="The appointment's number.")
    requested_for: Moment | None = Field(None, description="The time asked for.")
    matter: str | None = Field(None, description="What the visit is about.")


class AppointmentConfirmed(BaseEvent):
    """The authority called back and fixed the date (回访)."""

    appointment: str = Field(description="The appointment's number.")
    visit_at: Moment | None = Field(None, description="The time agreed.")


class TicketTaken(BaseEvent):
    """A queue number was taken in a hall (取号)."""

    ticket: str = Field(description="The queue number.")
    hall: str | None = Field(None, description="The service hall.")
    window: str | None = Field(None, description="The window called.")


class Applicant(Part):
    """Who applies (申请人)."""

    name: Personal | None = Field(None, description="Name of the person or organisation.")
    kind: ApplicantKind | None = Field(None, description="Kind of applicant.")
    identity: Personal | None = Field(None, description="Number of the identity document, or the 18-character credit code.")
    phone: Personal | None = Field(None, description="Telephone of the contact.")


class Material(Part):
    """One paper handed in (申请材料)."""

    name: str = Field(description="Name of the paper.")
    form: str | None = Field(None, description="Original, copy, electronic: in the source's words.")
    count: Int | None = Field(None, description="Number of copies.")


class Applied(BaseEvent):
    """An application was made (申请): it opens the case."""

    applicant: Applicant | None = Field(None, description="Who applies.")
    channel: Channel | None = Field(None, description="How it came in.")
    form: Form | None = Field(None, description="Form of the case.")
    project: str | None = Field(None, description="Name of the project that it is about (项目名称).")
    materials: list[Material] = Field([], description="The papers handed in.")
    promised_days: Int | None = Field(None, description="Promised limit (承诺时限) in the item's unit; null: the catalogue's.")
    statutory_days: Int | None = Field(None, description="Statutory limit (法定时限) in the item's unit; null: the catalogue's.")
    planned_end: Moment | None = Field(None, description="The end that the source itself planned.")


class PreAccepted(BaseEvent):
    """The online check found nothing missing (预受理)."""

    note: str | None = Field(None, description="A remark for the applicant.")


class PreRejected(BaseEvent):
    """The online check refused it before the papers were in hand (预受理不通过)."""

    reason: str | None = Field(None, description="The reason, in the authority's words.")


class SupplementRequested(BaseEvent):
    """Missing papers were asked for, once and completely (补正告知, Administrative Licensing Law art. 32)."""

    round: Int = Field(1, description="Round of asking, counted from 1; the law knows one.")
    missing: list[str] = Field([], description="What is missing.")
    missing_count: Int | None = Field(None, description="How many papers are missing, where the source does not name them.")
    due: Moment | None = Field(None, description="Until when the applicant is to answer.")


class SupplementReceived(BaseEvent):
    """The missing papers came (补正受理)."""

    round: Int = Field(1, description="The round that it answers.")


class Acceptance(BaseEvent):
    """Base of the acceptances: the limits as the authority states them."""

    promised_days: Int | None = Field(None, description="Promised limit (承诺时限) in the item's unit; null: the catalogue's.")
    statutory_days: Int | None = Field(None, description="Statutory limit (法定时限) in the item's unit; null: the catalogue's.")
    document: str | None = Field(None, description="Number of the document that says so (文书号).")


class Accepted(Acceptance):
    """The application was accepted (受理): the clock of the decision starts."""


class AcceptedWithGaps(Acceptance):
    """Accepted though minor papers are missing (容缺受理): the clock of the decision starts."""

    gaps: list[str] = Field([], description="What is still missing.")


class NotAccepted(BaseEvent):
    """Refused at the door (不予受理)."""

    reason: str | None = Field(None, description="The reason, in the authority's words.")


class StepStarted(BaseEvent):
    """An authority began a step (承办, 审核, 批准)."""

    step: str = Field(description="Name of the step in the item's graph.")
    part: str | None = Field(None, description="The part of a joint approval.")
    limit_days: Int | None = Field(None, description="The step's own limit, in the item's unit.")


class StepCompleted(BaseEvent):
    """An authority finished a step with an opinion."""

    step: str = Field(description="Name of the step in the item's graph.")
    part: str | None = Field(None, description="The part of a joint approval.")
    opinion: Opinion = Field(Opinion.OTHER, description="The opinion.")
    comment: str | None = Field(None, description="The opinion in words.")


class ClockPaused(BaseEvent):
    """A special procedure began (特别程序): days in it are not counted (art. 45)."""

    pause: str = Field(description="Identity of the pause, which its end repeats.")
    procedure: Procedure = Field(Procedure.OTHER, description="Which procedure.")
    reason: str | None = Field(None, description="The reason, in the authority's words.")
    approver: Personal | None = Field(None, description="Who approved it.")
    planned_days: Int | None = Field(None, description="The procedure's own limit, in the item's unit.")


class ClockResumed(BaseEvent):
    """A special procedure ended: days count again."""

    pause: str = Field(description="The pause that ends.")


class LimitExtended(BaseEvent):
    """The limit was extended with approval (延长审批, art. 42)."""

    days: Int = Field(description="By how much, in the item's unit.")
    reason: str | None = Field(None, description="The reason, in the authority's words.")
    approver: Personal | None = Field(None, description="Who approved it.")


class HandOver(BaseEvent):
    """Base of the hand-overs: a case, or a part of it, moves."""

    hand_over: str = Field(description="Identity of the hand-over, which its receipt repeats.")
    to: str = Field(description="The receiving authority, <department>@<region>.")
    reason: str | None = Field(None, description="The reason, in the authority's words.")
    part: str | None = Field(None, description="The part of a joint approval that moves; null: the whole case.")


class HandedUp(HandOver):
    """The case went to the level above (上报)."""


class HandedDown(HandOver):
    """The case went to a level below (下放, 分发)."""


class HandedAcross(HandOver):
    """The case, or a part of it, went to another authority of the level (转办, 协办)."""


class Received(BaseEvent):
    """An authority signed for papers (接收)."""

    hand_over: str | None = Field(
        None, description="The hand-over received; null: the papers of the case itself came to the authority."
    )
    part: str | None = Field(None, description="The part of a joint approval.")


class Decided(BaseEvent):
    """The authority decided (办结)."""

    result: Result = Field(description="The decision.")
    document: str | None = Field(None, description="Number of the document that says so (文书号).")
    reason: str | None = Field(None, description="Why it was refused; a refusal without a reason is a finding.")


class Withdrawn(BaseEvent):
    """The case ended without a decision (撤件)."""

    cause: Cause = Field(Cause.BY_APPLICANT, description="Why it ended.")
    reason: str | None = Field(None, description="The reason, in the authority's words.")


class Returned(BaseEvent):
    """The papers went back to the applicant (退件)."""

    reason: str | None = Field(None, description="The reason, in the authority's words.")


class Revoked(BaseEvent):
    """A decision was taken back (撤销)."""

    reason: str | None = Field(None, description="The reason, in the authority's words.")


class Reopened(BaseEvent):
    """A case that had ended is taken up again (重新办理): its authority decides anew, the limits run from this day."""

    ground: Ground = Field(Ground.OWN_CORRECTION, description="Who orders it.")
    document: str | None = Field(None, description="Number of the decision or judgment that orders it.")
    reason: str | None = Field(None, description="The reason, in the authority's words.")


class Collected(BaseEvent):
    """The licence is in the applicant's hands (领证, 送达)."""

    certificate: str | None = Field(None, description="Number of the licence.")
    how: str | None = Field(None, description="How it was delivered.")


class FeeCharged(BaseEvent):
    """A fee was charged (收费)."""

    amount: Long = Field(description="Amount in minor units (分).")
    currency: str = Field("CNY", description="Currency, ISO 4217.")
    payee: str | None = Field(None, description="Who receives it.")


class Rated(BaseEvent):
    """The applicant rated the service (好差评)."""

    score: Int = Field(
        ge=1, le=5, description="1 very satisfied to 5 very dissatisfied; 4 and 5 are bad and must be followed up."
    )
    comment: Personal | None = Field(None, description="In the applicant's words.")


class Linked(BaseEvent):
    """Another key belongs to this case (关联)."""

    other: str = Field(description="The other key, <namespace>:<number>.")
    relation: Relation = Field(description="What the other key is.")


class Corrected(BaseEvent):
    """What was reported never happened (更正); a row that changed comes again with a higher version instead."""

    corrects: str = Field(description="Event id of the event that was wrong.")
    cancels: bool = Field(True, description="True: the named event no longer counts. False: a remark on it.")
    reason: str | None = Field(None, description="The reason, in the authority's words.")


class AlertRaised(BaseEvent):
    """The supervision speaks (预警, 黄牌, 红牌)."""

    alert: str = Field(description="Identity of the alert, which its withdrawal repeats.")
    indicator: str = Field(description="Name of the indicator that found it.")
    light: Light = Field(description="The light.")
    text: str | None = Field(None, description="What was found, as a sentence.")
    judged_sequence: Long = Field(
        description="Journal sequence of the case up to which the supervision had seen it; a stale judgement is refused."
    )
    who: str | None = Field(None, description="The authority that has to act, <department>@<region>.")
    about: str | None = Field(None, description="Tells alerts of one indicator on one case apart: a step, a hand-over, a limit.")


class AlertWithdrawn(BaseEvent):
    """The supervision takes an alert back."""

    alert: str = Field(description="The alert that no longer holds.")
    reason: str | None = Field(None, description="The reason, in the authority's words.")
    judged_sequence: Long = Field(
        description="Journal sequence of the case up to which the supervision had seen it; a stale judgement is refused."
    )


class SupervisionOpened(BaseEvent):
    """A supervisor took the case up (督办)."""

    supervision: str = Field(description="Identity of the supervision, which its closing repeats.")
    by: Personal | None = Field(None, description="The supervisor.")
    reason: str | None = Field(None, description="The reason, in the authority's words.")


class SupervisionClosed(BaseEvent):
    """A supervisor let the case go."""

    supervision: str = Field(description="Identity of the supervision, which its closing repeats.")
    result: str | None = Field(None, description="With which result.")


TYPES: dict[str, type[BaseEvent]] = {
    made.__name__: made
    for made in (
        AppointmentRequested,
        AppointmentConfirmed,
        TicketTaken,
        Applied,
        PreAccepted,
        PreRejected,
        SupplementRequested,
        SupplementReceived,
        Accepted,
        AcceptedWithGaps,
        NotAccepted,
        StepStarted,
        StepCompleted,
        ClockPaused,
        ClockResumed,
        LimitExtended,
        HandedUp,
        HandedDown,
        HandedAcross,
        Received,
        Decided,
        Withdrawn,
        Returned,
        Revoked,
        Reopened,
        Collected,
        FeeCharged,
        Rated,
        Linked,
        Corrected,
        AlertRaised,
        AlertWithdrawn,
        SupervisionOpened,
        SupervisionClosed,
    )
}


def from_event(event: Event) -> BaseEvent:
    """The typed event. Raises KeyError for an unknown type, pydantic.ValidationError where a field is wrong."""
    return TYPES[event.type].from_event(event)
