"""Every finding of the law has a life that shows it, and the same life put right does not."""

import pytest
from router_lives import EVERY_DAY_WORKS, event

from router.case import fold
from router.findings import FINDINGS
from router.law import LawProfile
from schemas.envelope import Event

PROFILE = LawProfile(terms=EVERY_DAY_WORKS, flag_steps_before_acceptance=True)
CLOSING = PROFILE.model_copy(update={"closing_steps": frozenset({"archive"})})
ABOVE = "quality@500000"

Told = tuple[str, float] | tuple[str, float, dict]


def at(day: float) -> dict:
    return {"at": event("Applied", day).occurred_at, "precision": "SECOND", "zone": "Asia/Shanghai"}


#: For each finding, what breaks the order, and what does not.
LIVES: dict[str, tuple[list[Told], list[Told]]] = {
    "application_after_work": ([("Accepted", 0), ("Applied", 1)], [("Applied", 0), ("Accepted", 1)]),
    "applied_twice": ([("Applied", 0), ("Applied", 1)], [("Applied", 0)]),
    "supplement_after_acceptance": ([("Accepted", 0), ("SupplementRequested", 1)], [("SupplementRequested", 0), ("Accepted", 1)]),
    "second_supplement_notice": ([("SupplementRequested", 0), ("SupplementRequested", 1)], [("SupplementRequested", 0)]),
    "supplement_not_asked": (
        [("Applied", 0), ("SupplementReceived", 1)],
        [("Applied", 0), ("SupplementRequested", 1), ("SupplementReceived", 2)],
    ),
    "accepted_twice": ([("Accepted", 0), ("AcceptedWithGaps", 1)], [("AcceptedWithGaps", 0)]),
    "never_accepted": ([("Applied", 0), ("Decided", 1)], [("Applied", 0), ("Accepted", 0.5), ("Decided", 1)]),
    "refused_after_acceptance": ([("Accepted", 0), ("NotAccepted", 1)], [("Applied", 0), ("NotAccepted", 1)]),
    "refused_without_reason": ([("NotAccepted", 1)], [("NotAccepted", 1, {"reason": "no papers"})]),
    "step_before_acceptance": ([("Applied", 0), ("StepStarted", 1)], [("Accepted", 0), ("StepStarted", 1)]),
    "opinion_before_acceptance": (
        [("Applied", 0), ("StepCompleted", 1, {"opinion": "PASS"})],
        [("Accepted", 0), ("StepCompleted", 1, {"opinion": "PASS"})],
    ),
    "decision_before_acceptance": ([("Decided", 0), ("Accepted", 1)], [("Accepted", 0), ("Decided", 1)]),
    "decided_twice": ([("Accepted", 0), ("Decided", 1), ("Decided", 2)], [("Accepted", 0), ("Decided", 1)]),
    "closed_without_decision": (
        [("Accepted", 0), ("StepCompleted", 1, {"step": "archive"})],
        [("Accepted", 0), ("Decided", 0.5), ("StepCompleted", 1, {"step": "archive"})],
    ),
    "decided_before_all_answered": (
        [("Accepted", 0), ("HandedAcross", 1, {"part": "fire"}), ("Decided", 2)],
        [("Accepted", 0), ("HandedAcross", 1, {"part": "fire"}), ("StepCompleted", 1.5, {"part": "fire"}), ("Decided", 2)],
    ),
    "pause_before_acceptance": ([("Applied", 0), ("ClockPaused", 1)], [("Accepted", 0), ("ClockPaused", 1)]),
    "paused_twice": ([("ClockPaused", 0), ("ClockPaused", 1)], [("ClockPaused", 0), ("ClockResumed", 1), ("ClockPaused", 2)]),
    "resumed_without_pause": ([("ClockResumed", 1)], [("ClockPaused", 0), ("ClockResumed", 1)]),
    "pause_open_at_decision": (
        [("Accepted", 0), ("ClockPaused", 1), ("Decided", 2)],
        [("Accepted", 0), ("ClockPaused", 1), ("ClockResumed", 1.5), ("Decided", 2)],
    ),
    "extension_before_acceptance": ([("Applied", 0), ("LimitExtended", 1)], [("Accepted", 0), ("LimitExtended", 1)]),
    "extension_after_limit": (
        [("Applied", 0, {"planned_end": at(2)}), ("LimitExtended", 3)],
        [("Applied", 0, {"planned_end": at(2)}), ("LimitExtended", 1)],
    ),
    "extended_twice": ([("LimitExtended", 1), ("LimitExtended", 2)], [("LimitExtended", 1)]),
    "late_hand_up": ([("Accepted", 0), ("HandedUp", 21)], [("Accepted", 0), ("HandedUp", 20)]),
    "handed_over_twice": ([("HandedUp", 1), ("HandedUp", 2)], [("HandedUp", 1), ("HandedUp", 2, {"hand_over": "H2"})]),
    "handed_by_another": (
        [("Applied", 0), ("HandedUp", 1, {"header_authority": "fire@500103"})],
        [("Applied", 0), ("HandedUp", 1)],
    ),
    "received_without_hand_over": (
        [("Received", 1, {"hand_over": "H1"})],
        [("HandedUp", 0), ("Received", 1, {"hand_over": "H1"})],
    ),
    "received_by_another": (
        [("HandedUp", 0), ("Received", 1, {"hand_over": "H1"})],
        [("HandedUp", 0), ("Received", 1, {"hand_over": "H1", "header_authority": ABOVE})],
    ),
    "received_twice": (
        [("HandedUp", 0), ("Received", 1, {"hand_over": "H1"}), ("Received", 2, {"hand_over": "H1"})],
        [("HandedUp", 0), ("Received", 1, {"hand_over": "H1"})],
    ),
    "collected_before_decision": ([("Accepted", 0), ("Collected", 1)], [("Accepted", 0), ("Decided", 0.5), ("Collected", 1)]),
    "revoked_without_decision": ([("Accepted", 0), ("Revoked", 1)], [("Accepted", 0), ("Decided", 0.5), ("Revoked", 1)]),
    "reopened_before_end": ([("Accepted", 0), ("Reopened", 1)], [("Accepted", 0), ("Withdrawn", 0.5), ("Reopened", 1)]),
    "reopened_decision_stands": (
        [("Accepted", 0), ("Decided", 1), ("Reopened", 2)],
        [("Accepted", 0), ("Decided", 1), ("Revoked", 1.5), ("Reopened", 2)],
    ),
    "event_after_end": ([("Withdrawn", 0), ("Accepted", 1)], [("Withdrawn", 0), ("Rated", 1)]),
    "alert_not_raised": ([("AlertWithdrawn", 1)], [("AlertRaised", 0), ("AlertWithdrawn", 1)]),
    "supervision_not_open": ([("SupervisionClosed", 1)], [("SupervisionOpened", 0), ("SupervisionClosed", 1)]),
}


def lived(told: list[Told]) -> list[Event]:
    return [event(one[0], one[1], **(one[2] if len(one) > 2 else {})) for one in told]


def codes(told: list[Told], profile: LawProfile) -> set[str]:
    return {finding.code for finding in fold(lived(told), profile).findings}


@pytest.mark.parametrize("code", FINDINGS)
def test_a_finding_stands_where_the_order_is_broken_and_only_there(code):
    """One life that shows it, one that does not."""
    broken, right = LIVES[code]
    profile = CLOSING if code == "closed_without_decision" else PROFILE
    assert code in codes(broken, profile)
    assert code not in codes(right, profile)


@pytest.mark.parametrize("code", FINDINGS)
def test_a_finding_has_a_sentence_and_a_basis(code):
    """People read the sentence and what would have been in order, lawyers the basis."""
    assert FINDINGS[code].sentence.endswith(".")
    assert FINDINGS[code].basis
    assert FINDINGS[code].order.endswith(".")
