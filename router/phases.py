"""The appliers of the main phase: from the application to the licence in the applicant's hands."""

from __future__ import annotations

from msgspec.structs import replace

from router.effect import Effect, advance, authority, end, explain, find, stop
from router.law import LawProfile, Unaccepted
from router.vague import told_until
from schemas.case import Case, Outcome, Phase, Reopening, Supplement
from schemas.envelope import Event

#: What an authority decided, and only a revocation takes away.
_DECISIONS = frozenset({Outcome.GRANTED, Outcome.GRANTED_WITH_GAPS, Outcome.REFUSED, Outcome.NOT_ACCEPTED})
_ENDS = ("stopped_at", "stopped_until", "ended_at", "ended_until", "collected_at")


def applied(case: Case, event: Event, profile: LawProfile) -> None:
    if case.applied_at is not None:
        return find(case, event, "applied_twice")
    if case.phase is not Phase.NONE:
        find(case, event, "application_after_work")
    case.applied_at = event.occurred_at
    header, body = event.header, event.body
    for name in ("region", "item", "item_version", "authority", "level"):
        setattr(case, name, header[name] or getattr(case, name))
    for name in ("applicant", "channel", "form", "project"):
        setattr(case, name, body.get(name) or getattr(case, name))
    case.materials = [one["name"] for one in body.get("materials") or ()]
    _limits(case, event)
    planned = body.get("planned_end")
    case.planned_end_at = told_until(planned) if planned else case.planned_end_at
    case.window = case.authority
    case.holder = case.holder or case.authority
    advance(case, event)
    if profile.unaccepted is Unaccepted.FROM_APPLICATION:
        _unaccepted(case, event)
    return None


def papers_received(case: Case, event: Event) -> None:
    """The papers of the case itself came to the authority (收件): no hand-over is named."""
    if case.received_at is None:
        case.received_at = event.occurred_at
    case.holder = authority(event) or case.holder
    advance(case, event)


def supplement_requested(case: Case, event: Event, profile: LawProfile) -> None:
    number = event.body["round"]
    asked = sum(one.asked_at is not None and one.asked_at >= case.reopened_at for one in case.supplements)
    if asked >= profile.supplement_rounds:
        find(case, event, "second_supplement_notice", round=str(number))
    due = event.body.get("due")
    missing = list(event.body.get("missing") or ())
    notice = Supplement(number, event.occurred_at, None, missing, authority(event), "", told_until(due) if due else None)
    case.supplements = [*case.supplements, notice]
    advance(case, event)


def supplement_received(case: Case, event: Event, _: LawProfile) -> None:
    number, at, by = event.body["round"], event.occurred_at, authority(event)
    waiting = [index for index, one in enumerate(case.supplements) if one.round == number and one.received_at is None]
    rounds = list(case.supplements)
    if waiting:
        rounds[waiting[-1]] = replace(rounds[waiting[-1]], received_at=at, received_by=by)
    else:
        rounds.append(Supplement(number, received_at=at, received_by=by))
    case.supplements = rounds
    if case.gaps and not waiting and case.gaps_filled_at is None:
        case.gaps_filled_at = at
    else:
        advance(case, event)


def accepted(case: Case, event: Event, _: LawProfile) -> None:
    if case.accepted_at is not None:
        return find(case, event, "accepted_twice")
    case.accepted_at = event.occurred_at
    case.authority = authority(event) or case.authority
    case.level = event.header["level"] or case.level
    case.holder = authority(event) or case.holder
    case.gaps = list(event.body.get("gaps") or ())
    _limits(case, event)
    explain(case, "never_accepted")
    advance(case, event)
    return None


def not_accepted(case: Case, event: Event, _: LawProfile) -> None:
    case.outcome = Outcome.NOT_ACCEPTED
    if not event.body.get("reason"):
        find(case, event, "refused_without_reason")
    _finish(case, event)


def decided(case: Case, event: Event, profile: LawProfile) -> None:
    """The first decision stops the clock. After a revocation (撤销) a case may be decided anew."""
    if case.stopped_at is not None and case.revoked_at is None:
        find(case, event, "decided_twice")
    result = Outcome(event.body["result"].lower())
    if result is Outcome.REFUSED and not event.body.get("reason"):
        find(case, event, "refused_without_reason")
    _still_open(case, event)
    case.outcome = result
    advance(case, event)
    stop(case, event)
    if case.accepted_at is None:
        _unaccepted(case, event)
    if not profile.closing_steps:
        end(case, event)


def withdrawn(case: Case, event: Event, _: LawProfile) -> None:
    cause = event.body.get("cause", "BY_APPLICANT")
    case.outcome = Outcome.WITHDRAWN if cause == "BY_APPLICANT" else Outcome(cause.lower())
    _finish(case, event)


def returned(case: Case, event: Event, _: LawProfile) -> None:
    case.outcome = Outcome.RETURNED
    _finish(case, event)


def revoked(case: Case, event: Event, _: LawProfile) -> None:
    case.outcome = Outcome.REVOKED
    case.revoked_at = event.occurred_at
    _finish(case, event)


def reopened(case: Case, event: Event, _: LawProfile) -> None:
    """What ended the case counts no more and stays with the reopening; the case lies with who held it, its limits run anew.

    A special procedure that was still open ended with the case. The papers of a case that was never accepted are answered anew.
    """
    advance(case, event)
    if case.stopped_at is None:
        return
    if case.outcome in _DECISIONS:
        find(case, event, "reopened_decision_stands", outcome=str(case.outcome))
    if case.accepted_at is None:
        case.phase = Phase.RECEIVED
    case.pauses = [replace(one, end=case.stopped_at) if one.end is None else one for one in case.pauses]
    body = event.body
    said = Reopening(event.occurred_at, body["ground"], body.get("reason") or "", authority(event), case.outcome)
    for name in _ENDS:
        setattr(said, name, getattr(case, name))
        setattr(case, name, None)
    case.outcome = case.planned_end_at = None
    case.reopenings = [*case.reopenings, said]


def collected(case: Case, event: Event, _: LawProfile) -> None:
    if case.outcome is None:
        find(case, event, "collected_before_decision")
    if case.collected_at is None:
        case.collected_at = event.occurred_at


def rated(case: Case, event: Event, _: LawProfile) -> None:
    case.rating = event.body["score"]


def close(case: Case, event: Event) -> None:
    """A closing step (归档): where the profile names one, it ends the case and the decision does not."""
    if case.outcome is None:
        find(case, event, "closed_without_decision")
    stop(case, event)
    end(case, event)


def _finish(case: Case, event: Event) -> None:
    """An end other than a decision; an acceptance is no longer waited for."""
    advance(case, event)
    if case.accepted_at is None:
        explain(case, "never_accepted")
    stop(case, event)
    end(case, event)


def _still_open(case: Case, event: Event) -> None:
    pauses = [pause.id for pause in case.pauses if pause.end is None]
    if pauses:
        find(case, event, "pause_open_at_decision", pauses=", ".join(pauses))
    asked = (one for one in case.hand_overs if one.part and one.sent_at >= case.reopened_at)
    parts = sorted({one.part for one in asked if one.answered_at is None})
    if parts:
        find(case, event, "decided_before_all_answered", parts=", ".join(parts))


def _limits(case: Case, event: Event) -> None:
    """The limits as the case itself states them; the later word counts."""
    for name in ("promised_days", "statutory_days"):
        value = event.body.get(name)
        if value is not None:
            setattr(case, name, value)


def _unaccepted(case: Case, event: Event) -> None:
    if all(finding.code != "never_accepted" for finding in case.findings):
        find(case, event, "never_accepted")


EFFECTS: dict[str, Effect] = {
    "Applied": applied,
    "SupplementRequested": supplement_requested,
    "SupplementReceived": supplement_received,
    "Accepted": accepted,
    "AcceptedWithGaps": accepted,
    "NotAccepted": not_accepted,
    "Decided": decided,
    "Withdrawn": withdrawn,
    "Returned": returned,
    "Revoked": revoked,
    "Reopened": reopened,
    "Collected": collected,
    "Rated": rated,
}

__all__ = ["EFFECTS", "close", "papers_received"]
