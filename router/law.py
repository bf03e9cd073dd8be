"""The law once, as tables: what leads where, what lasts beside it, what is allowed after the end.

What is a finding stands in `router.findings`.

The appliers (`router.phases`, `router.beside`) look everything up here, docs/law.md is drawn from here, and the tests walk
what stands here. Nothing is refused because a table does not foresee it: the fact is applied and the finding stands.
Articles without a name are those of the Administrative Licensing Law (行政许可法).
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, InstanceOf

from schemas.case import Phase
from schemas.limits import Terms


class Transition(NamedTuple):
    """One row of the main phase: this event, in one of these phases, leads there.

    In any other phase `otherwise` is the finding, and the event leads there only if it `always` does. The phase never
    goes back: a later phase stays. Only a reopening (重新办理) begins it anew.
    """

    event: str
    phases: frozenset[Phase]
    to: Phase
    otherwise: str = ""
    always: bool = False


class Track(NamedTuple):
    """Something that lasts beside the main phase: what starts it, what ends it, and what it means."""

    name: str
    starts: tuple[str, ...]
    ends: tuple[str, ...]
    meaning: str


N, A, R, S, C, P, D, E = Phase
#: NONE is the phase of a provisional case: its application has not come, so it may stand anywhere before the acceptance.
BEFORE = frozenset({N, A, R, S})
WORK = frozenset({C, P})

#: The main phase (主流程). DECIDED is a stay only where a closing step ends the case (LawProfile.closing_steps).
MAIN: dict[str, Transition] = {
    row.event: row
    for row in (
        Transition("Applied", frozenset({N}), A),
        Transition("Received", BEFORE, R),
        Transition("SupplementRequested", BEFORE, S, "supplement_after_acceptance"),
        Transition("SupplementReceived", frozenset({N, S}), R, "supplement_not_asked"),
        Transition("Accepted", BEFORE, C),
        Transition("AcceptedWithGaps", BEFORE, C),
        Transition("NotAccepted", BEFORE, E, "refused_after_acceptance", always=True),
        Transition("StepStarted", WORK, P),
        Transition("StepCompleted", WORK, P),
        Transition("Decided", WORK, D, "decision_before_acceptance", always=True),
        Transition("Withdrawn", BEFORE | WORK, E, always=True),
        Transition("Returned", BEFORE | WORK, E, always=True),
        Transition("Revoked", frozenset({D, E}), E, "revoked_without_decision", always=True),
        Transition("Reopened", frozenset({D, E}), C, "reopened_before_end"),
    )
}

#: What an event takes for granted (an application is taken for granted by all that is work): where an event's time is known
#: only coarsely, it stands after these of the same time (`router.vague`).
_ACCEPTANCE = frozenset({"Accepted", "AcceptedWithGaps"})
_HANDED = frozenset({"HandedUp", "HandedDown", "HandedAcross"})
_OF_WORK: dict[str, frozenset[str]] = {
    "PreAccepted": frozenset(),
    "PreRejected": frozenset(),
    "Received": _HANDED,
    "SupplementRequested": frozenset({"Received"}),
    "SupplementReceived": frozenset({"SupplementRequested"}),
    **dict.fromkeys((*_ACCEPTANCE, "NotAccepted"), frozenset({"SupplementRequested", "SupplementReceived"})),
    "StepStarted": _ACCEPTANCE | {"Reopened"},
    "StepCompleted": _ACCEPTANCE | {"Reopened", "StepStarted"},
    "ClockPaused": _ACCEPTANCE | {"Reopened"},
    "ClockResumed": frozenset({"ClockPaused"}),
    "LimitExtended": _ACCEPTANCE | {"Reopened"},
    **dict.fromkeys(_HANDED, _ACCEPTANCE | {"Received"}),
    "Decided": _ACCEPTANCE | _HANDED | {"Received", "StepStarted", "StepCompleted", "ClockResumed", "LimitExtended"},
    "Withdrawn": frozenset({"ClockPaused", "ClockResumed", "StepStarted"}),
    "Returned": frozenset({"ClockPaused", "ClockResumed", "StepStarted"}),
    "Revoked": frozenset({"Decided"}),
    "Reopened": frozenset({"Decided", "NotAccepted", "Withdrawn", "Returned", "Revoked"}),
    "Collected": frozenset({"Decided"}),
    "Rated": frozenset({"Decided"}),
}
PRESUPPOSES: dict[str, frozenset[str]] = {name: types | {"Applied"} for name, types in _OF_WORK.items()} | {
    "AppointmentConfirmed": frozenset({"AppointmentRequested"}),
    "SupervisionClosed": frozenset({"SupervisionOpened"}),
}

#: What runs beside the main phase. None of it moves the main phase.
TRACKS: tuple[Track, ...] = (
    Track("pause 特别程序", ("ClockPaused",), ("ClockResumed",), "days in it are not counted (art. 45)"),
    Track(
        "appointment 预约", ("AppointmentRequested",), ("AppointmentConfirmed",), "the authority calls back and fixes the date"
    ),
    Track("step 环节", ("StepStarted",), ("StepCompleted",), "one authority's work, with an opinion"),
    Track(
        "hand-over 移交",
        ("HandedUp", "HandedDown", "HandedAcross"),
        ("Received",),
        "custody: the receiver signs, with a clock of its own",
    ),
    Track("visit 取号", ("TicketTaken",), (), "one visit, perhaps for several cases"),
    Track("supplement 补正", ("SupplementRequested",), ("SupplementReceived",), "a round of missing papers (art. 32)"),
    Track("alert 预警", ("AlertRaised",), ("AlertWithdrawn",), "the supervision speaks"),
    Track("supervision 督办", ("SupervisionOpened",), ("SupervisionClosed",), "a supervisor takes the case up and lets it go"),
)

#: What does not change the case when folded in, and why. A test holds: every event type is applied or stands here.
IGNORED: dict[str, str] = {
    "PreAccepted": "an online check before the papers are in hand starts no clock",
    "PreRejected": "an online check before the papers are in hand ends nothing: the applicant may still apply",
    "FeeCharged": "no right of the case hangs on the fee; the journal keeps it",
}

#: Events that come before a case or speak about it: they are no work on it, so first_at, last_at and the count leave them out.
PRELIMINARY = frozenset({"AppointmentRequested", "AppointmentConfirmed", "TicketTaken"})
ABOUT = frozenset({"Linked", "Corrected", "AlertRaised", "AlertWithdrawn"})
UNCOUNTED = PRELIMINARY | ABOUT

#: What may follow the end of a case (办结) without being a finding.
AFTER_END = frozenset(
    {"Collected", "Rated", "StepCompleted", "FeeCharged", "Corrected", "Linked", "Received", "Revoked", "Reopened"}
    | {"AlertRaised", "AlertWithdrawn", "SupervisionOpened", "SupervisionClosed"}
    | PRELIMINARY
)


#: The indicator whose alert says that papers were not answered in time: the case counts as accepted (art. 32).
DEEMED = "answer_late"


class AfterEnd(StrEnum):
    """What becomes of an event after the end: applied with a finding, or kept and not applied."""

    FLAG = "flag"
    SET_ASIDE = "set_aside"


class Unaccepted(StrEnum):
    """From when on "no acceptance is known" is a finding: once the case was decided, or from the application on."""

    AT_DECISION = "at_decision"
    FROM_APPLICATION = "from_application"


class LawProfile(BaseModel):
    """What a region may set about the law: section `rules.law` of casebus.yaml.

    `closing_steps`: names of steps whose completion ends a case (归档); none: the decision ends it.
    `working_steps`: names of steps that bring an accepted case into progress; none: every step does.
    `namespaces`: canonical namespaces first; of two numbers of one case the one named earlier here is kept.
    `terms`: how days are counted here; set by the program, not in the file. Without it, findings that need days are not judged.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    after_end: AfterEnd = AfterEnd.FLAG
    allowed_after_end: frozenset[str] = AFTER_END
    unaccepted: Unaccepted = Unaccepted.AT_DECISION
    flag_steps_before_acceptance: bool = False
    supplement_rounds: int = Field(default=1, ge=1)
    extensions: int = Field(default=1, ge=1)
    closing_steps: frozenset[str] = frozenset()
    working_steps: frozenset[str] = frozenset()
    namespaces: tuple[str, ...] = ()
    terms: InstanceOf[Terms] | None = Field(default=None, exclude=True)
