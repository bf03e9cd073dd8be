"""The appliers of what runs beside the main phase: pauses, steps, custody, alerts, supervision, links."""

from __future__ import annotations

from msgspec.structs import replace

from router import phases
from router.effect import Effect, advance, authority, find, text
from router.law import LawProfile
from schemas.case import Appointment, Case, Correction, Extension, HandOver, Pause, Step, Ticket
from schemas.deadlines import deadlines
from schemas.envelope import Event
from schemas.rules import Subject

HAND_OVERS = {"HandedUp": "up", "HandedDown": "down", "HandedAcross": "across"}


def paused(case: Case, event: Event, _: LawProfile) -> None:
    body = event.body
    if case.accepted_at is None:
        find(case, event, "pause_before_acceptance", pause=body["pause"])
    if any(one.id == body["pause"] and one.end is None for one in case.pauses):
        return find(case, event, "paused_twice", pause=body["pause"])
    procedure, reason = body.get("procedure") or "", body.get("reason") or ""
    started = Pause(
        body["pause"],
        event.occurred_at,
        None,
        procedure,
        reason,
        text(body.get("approver")),
        body.get("planned_days"),
        authority(event),
    )
    case.pauses = [*case.pauses, started]
    return None


def resumed(case: Case, event: Event, _: LawProfile) -> None:
    name = event.body["pause"]
    if not any(one.id == name and one.end is None for one in case.pauses):
        return find(case, event, "resumed_without_pause", pause=name)
    at = event.occurred_at
    case.pauses = [replace(one, end=at) if one.id == name and one.end is None else one for one in case.pauses]
    return None


def extended(case: Case, event: Event, profile: LawProfile) -> None:
    at, body = event.occurred_at, event.body
    if case.accepted_at is None:
        find(case, event, "extension_before_acceptance")
    if case.planned_end_at is not None and at > case.planned_end_at:
        find(case, event, "extension_after_limit")
    if sum(one.at >= case.reopened_at for one in case.extensions) >= profile.extensions:
        find(case, event, "extended_twice")
    extension = Extension(at, body["days"], body.get("reason") or "", text(body.get("approver")), authority(event))
    case.extensions = [*case.extensions, extension]


def step_started(case: Case, event: Event, profile: LawProfile) -> None:
    body = event.body
    _before_acceptance(case, event, profile)
    step = Step(
        body["step"], authority(event), body.get("part") or "", started_at=event.occurred_at, limit_days=body.get("limit_days")
    )
    case.steps = [*case.steps, step]
    _progress(case, event, profile)


def step_completed(case: Case, event: Event, profile: LawProfile) -> None:
    name, part, who = event.body["step"], event.body.get("part") or "", authority(event)
    _before_acceptance(case, event, profile)
    _complete(case, Step(name, who, part, None, event.occurred_at, event.body.get("opinion") or ""))
    if part:
        _answer(case, part, event.occurred_at)
    _progress(case, event, profile)
    if name in profile.closing_steps:
        phases.close(case, event)


def handed(case: Case, event: Event, profile: LawProfile) -> None:
    body, sender = event.body, authority(event)
    part = body.get("part") or ""
    if any(one.id == body["hand_over"] for one in case.hand_overs):
        return find(case, event, "handed_over_twice", hand_over=body["hand_over"])
    if not part and sender and case.holder and sender != case.holder:
        find(case, event, "handed_by_another", holder=case.holder, sender=sender)
    move = HandOver(body["hand_over"], HAND_OVERS[event.type], sender, body["to"], event.occurred_at, part=part)
    case.hand_overs = [*case.hand_overs, move]
    if event.type == "HandedUp" and not part:
        _late_hand_up(case, event, profile)
    return None


def received(case: Case, event: Event, _: LawProfile) -> None:
    name = event.body.get("hand_over")
    if name is None:
        return phases.papers_received(case, event)
    move = next((one for one in case.hand_overs if one.id == name), None)
    if move is None:
        return find(case, event, "received_without_hand_over", hand_over=name)
    if move.received_at is not None:
        return find(case, event, "received_twice", hand_over=name)
    who = authority(event) or move.receiver
    if who != move.receiver:
        find(case, event, "received_by_another", hand_over=name, receiver=move.receiver)
    case.hand_overs = [replace(one, received_at=event.occurred_at) if one is move else one for one in case.hand_overs]
    if not move.part:
        case.holder = who
    return None


def linked(case: Case, event: Event, _: LawProfile) -> None:
    """Both names stand in the links: which of them is the case's own is the router's business, not the fold's."""
    names = {event.case, event.body["other"]} - {case.key, *case.links}
    case.links = sorted([*case.links, *names])
    if event.body["relation"] == "SAME_CASE":
        case.merged = sorted({*case.merged, event.case, event.body["other"]} - {case.key})


def corrected(case: Case, event: Event, _: LawProfile) -> None:
    """What it cancels was left out before the fold; that it was corrected stays with the case."""
    body = event.body
    done = Correction(event.id, event.occurred_at, body["corrects"], authority(event), body.get("reason") or "")
    case.corrections = [*case.corrections, done]


def alert_raised(case: Case, event: Event, _: LawProfile) -> None:
    case.alerts = {**case.alerts, event.body["alert"]: event.body["light"].lower()}
    case.indicators = {**case.indicators, event.body["alert"]: event.body["indicator"]}


def alert_withdrawn(case: Case, event: Event, _: LawProfile) -> None:
    if event.body["alert"] not in case.alerts:
        return find(case, event, "alert_not_raised", alert=event.body["alert"])
    case.alerts = {name: light for name, light in case.alerts.items() if name != event.body["alert"]}
    case.indicators = {name: said for name, said in case.indicators.items() if name != event.body["alert"]}
    return None


def supervision_opened(case: Case, event: Event, _: LawProfile) -> None:
    if event.body["supervision"] not in case.supervisions:
        case.supervisions = [*case.supervisions, event.body["supervision"]]


def supervision_closed(case: Case, event: Event, _: LawProfile) -> None:
    if event.body["supervision"] not in case.supervisions:
        return find(case, event, "supervision_not_open", supervision=event.body["supervision"])
    case.supervisions = [name for name in case.supervisions if name != event.body["supervision"]]
    return None


def _before_acceptance(case: Case, event: Event, profile: LawProfile) -> None:
    """Examining the papers before acceptance is usual; giving an opinion, or a part of a joint approval, is not.

    In a preceding joint approval (前置联办) the consents of the others have to be there before it.
    """
    if case.accepted_at is not None or (case.form == "PRECEDING_JOINT" and authority(event) != case.authority):
        return
    if event.type == "StepCompleted" and (event.body.get("part") or event.body.get("opinion", "OTHER") != "OTHER"):
        find(case, event, "opinion_before_acceptance", step=event.body["step"])
    elif profile.flag_steps_before_acceptance:
        find(case, event, "step_before_acceptance", step=event.body["step"])


def _progress(case: Case, event: Event, profile: LawProfile) -> None:
    if not profile.working_steps or event.body["step"] in profile.working_steps:
        advance(case, event)


def _complete(case: Case, done: Step) -> None:
    """End the youngest open step of that name, part and authority; where only ends are reported, the step has no start."""
    steps = list(case.steps)
    for index in range(len(steps) - 1, -1, -1):
        one = steps[index]
        if one.completed_at is None and (one.name, one.part, one.authority) == (done.name, done.part, done.authority):
            steps[index] = replace(one, completed_at=done.completed_at, opinion=done.opinion)
            break
    else:
        steps.append(done)
    case.steps = steps


def _answer(case: Case, part: str, at: int) -> None:
    """The opinion on a part answers the hand-over of that part; not one from before the case was reopened."""
    since = case.reopened_at
    case.hand_overs = [
        replace(one, answered_at=at) if one.part == part and one.answered_at is None and one.sent_at >= since else one
        for one in case.hand_overs
    ]


def _late_hand_up(case: Case, event: Event, profile: LawProfile) -> None:
    """The first time that the case goes up, by the same limit that its deadlines show (procedures and a start by law count)."""
    if profile.terms is None or sum(one.kind == "up" and not one.part for one in case.hand_overs) > 1:
        return
    found = deadlines(case, None, profile.terms, event.occurred_at)
    late = next((one for one in found if one.kind is Subject.HAND_UP and one.passed), None)
    if late is not None:
        find(case, event, "late_hand_up", days=f"{late.elapsed:g}", limit=f"{late.limit:g}")


def appointment_requested(case: Case, event: Event, _: LawProfile) -> None:
    """Asked for twice under one number: the first time counts, the authority had to call back from then on."""
    name, at, who = event.body["appointment"], event.occurred_at, authority(event)
    known = next((one for one in case.appointments if one.id == name), None)
    if known is None:
        case.appointments = [*case.appointments, Appointment(name, at, by=who)]
    elif known.requested_at is None:
        _appointed(case, replace(known, requested_at=at, by=known.by or who))


def appointment_confirmed(case: Case, event: Event, _: LawProfile) -> None:
    """The first call back counts, the last date stands."""
    name, visit = event.body["appointment"], event.body.get("visit_at")
    known = next((one for one in case.appointments if one.id == name), None)
    one = known or Appointment(name, by=authority(event))
    if known is None:
        case.appointments = [*case.appointments, one]
    at = event.occurred_at if one.confirmed_at is None else one.confirmed_at
    _appointed(case, replace(one, confirmed_at=at, visit_at=visit["at"] if visit else one.visit_at))


def ticket_taken(case: Case, event: Event, _: LawProfile) -> None:
    body = event.body
    one = Ticket(body["ticket"], event.occurred_at, body.get("hall") or "", body.get("window") or "", authority(event))
    case.tickets = [*(known for known in case.tickets if known.id != one.id), one]


def _appointed(case: Case, changed: Appointment) -> None:
    case.appointments = [changed if one.id == changed.id else one for one in case.appointments]


EFFECTS: dict[str, Effect] = {
    "AppointmentRequested": appointment_requested,
    "AppointmentConfirmed": appointment_confirmed,
    "TicketTaken": ticket_taken,
    "ClockPaused": paused,
    "ClockResumed": resumed,
    "LimitExtended": extended,
    "StepStarted": step_started,
    "StepCompleted": step_completed,
    "HandedUp": handed,
    "HandedDown": handed,
    "HandedAcross": handed,
    "Received": received,
    "Linked": linked,
    "Corrected": corrected,
    "AlertRaised": alert_raised,
    "AlertWithdrawn": alert_withdrawn,
    "SupervisionOpened": supervision_opened,
    "SupervisionClosed": supervision_closed,
}
