"""What the law finds when facts break its order: a row each, read by the appliers, docs/law.md, the page and the tests.

Articles without a name are those of the Administrative Licensing Law (行政许可法).
"""

from __future__ import annotations

from typing import NamedTuple


class Clause(NamedTuple):
    """One row of the findings: the sentence for people, where the law says so, and what would have been in order."""

    sentence: str
    basis: str
    order: str


#: Every finding: the code stands in `Case.findings`, the sentence is what people read.
FINDINGS: dict[str, Clause] = {
    "application_after_work": Clause(
        "The application is dated after work on the case began.",
        "off-system handling (体外循环), electronic supervision",
        "The application comes first; work begins when it is there.",
    ),
    "applied_twice": Clause(
        "The application was reported twice under one case number.",
        "one case, one application (GB/T 39046)",
        "One application under one number; a changed row comes as its next version, a second matter under a number of its own.",
    ),
    "supplement_after_acceptance": Clause(
        "Papers were asked for after the case was accepted.",
        "art. 32 (4): before acceptance",
        "Missing papers are asked for within five days of receipt and before the acceptance.",
    ),
    "second_supplement_notice": Clause(
        "Missing papers were asked for a second time.",
        "art. 32 (4): once and completely",
        "One notice that names everything that is missing.",
    ),
    "supplement_not_asked": Clause(
        "Papers came that nobody had asked for.", "art. 32 (4)", "A notice names the papers before they come."
    ),
    "accepted_twice": Clause(
        "The case was accepted a second time; the first acceptance starts the clock.",
        "art. 32, 42",
        "One acceptance; a wrong one is taken back by a correction.",
    ),
    "never_accepted": Clause(
        "No acceptance is known of this case.",
        "art. 32: in writing, within five days",
        "An acceptance in writing before work begins.",
    ),
    "refused_after_acceptance": Clause(
        "The case was refused at the door though it had been accepted.",
        "art. 32, 38",
        "Once accepted, a case is examined and decided: granted or refused with a reason.",
    ),
    "refused_without_reason": Clause(
        "The refusal gives no reason.",
        "art. 38 (2), art. 55",
        "A refusal in writing that gives its reason and names the ways of appeal.",
    ),
    "step_before_acceptance": Clause(
        "Work began before the case was accepted.", "art. 34: examination follows acceptance", "Acceptance first, then the step."
    ),
    "opinion_before_acceptance": Clause(
        "An authority gave its opinion before the case was accepted.",
        "art. 34: examination follows acceptance",
        "Acceptance first, then the opinion.",
    ),
    "decision_before_acceptance": Clause(
        "The decision was taken though no acceptance is known before it.",
        "art. 32, 37",
        "Acceptance first, then examination, then the decision.",
    ),
    "decided_twice": Clause(
        "The case was decided a second time; the first decision stopped the clock.",
        "art. 42",
        "One decision; a wrong one is revoked before the case is decided anew.",
    ),
    "closed_without_decision": Clause(
        "The case was closed though no decision is known.",
        "art. 37, 38",
        "A decision, a withdrawal or a return before the case is closed.",
    ),
    "decided_before_all_answered": Clause(
        "The lead decided before all assisting authorities had answered.",
        "art. 26, joint handling (并联审批)",
        "Each assisting authority answers its part, then the lead decides.",
    ),
    "pause_before_acceptance": Clause(
        "The clock was paused before it had started.",
        "art. 45",
        "The procedure starts after the acceptance, when the clock runs.",
    ),
    "paused_twice": Clause(
        "The same special procedure was started again while it was open.",
        "art. 45",
        "The procedure ends before it is started again, or the second has a number of its own.",
    ),
    "resumed_without_pause": Clause(
        "A special procedure ended that is not open.", "art. 45", "The start of the procedure is reported before its end."
    ),
    "pause_open_at_decision": Clause(
        "A special procedure was still open when the case was decided.",
        "art. 45",
        "The end of the procedure is reported before the decision.",
    ),
    "extension_before_acceptance": Clause(
        "The limit was extended before it ran.", "art. 42", "The extension comes after the acceptance and before the limit ends."
    ),
    "extension_after_limit": Clause(
        "The extension came after the limit; the case stays overdue.",
        "art. 42: before the limit ends",
        "The extension is approved, and the applicant told, before the limit ends.",
    ),
    "extended_twice": Clause(
        "The limit was extended a second time.", "art. 42: one extension of ten days", "One extension of at most ten days."
    ),
    "late_hand_up": Clause(
        "The lower authority handed the case up too late after its acceptance.",
        "art. 43: twenty days from acceptance",
        "The lower authority examines and hands up within twenty days of its acceptance.",
    ),
    "handed_over_twice": Clause(
        "The same hand-over was reported twice.",
        "custody: one sender, one receiver",
        "One hand-over, one number; handed over again, the case gets a new one.",
    ),
    "handed_by_another": Clause(
        "The case was handed on by an authority that does not hold it.",
        "custody",
        "The authority that holds the case hands it on, or signs for it first.",
    ),
    "received_without_hand_over": Clause(
        "An authority signed for a case that nobody handed over.",
        "custody",
        "The sender reports the hand-over, then the receiver signs.",
    ),
    "received_by_another": Clause(
        "Another authority signed than the one the case was sent to.",
        "custody",
        "The authority that the case was sent to signs, or hands it on to the one it belongs to.",
    ),
    "received_twice": Clause("The same hand-over was signed for twice.", "custody", "One signature for one hand-over."),
    "collected_before_decision": Clause(
        "The licence was collected before the case was decided.",
        "art. 44",
        "The decision first; the licence is delivered within ten days of it.",
    ),
    "revoked_without_decision": Clause(
        "A decision was revoked that is not known.", "art. 69", "Only a decision that was taken can be revoked."
    ),
    "reopened_before_end": Clause(
        "The case was reopened though it had not ended.",
        "Administrative Reconsideration Law, art. 64: what is taken up again was decided",
        "A case ends before it is reopened; what is wrong in a running case comes as a correction.",
    ),
    "reopened_decision_stands": Clause(
        "The case was reopened though its decision stands.",
        "art. 69; Administrative Reconsideration Law, art. 64: revoked first, then decided anew",
        "The decision is revoked first, then the case is reopened.",
    ),
    "event_after_end": Clause(
        "The event is dated after the end of the case.",
        "a finished case stands still",
        "All work is reported before the end; what was wrong comes as a correction.",
    ),
    "alert_not_raised": Clause(
        "An alert was withdrawn that is not raised.", "electronic supervision", "Only an alert that stands can be withdrawn."
    ),
    "supervision_not_open": Clause(
        "A supervision was closed that is not open.", "electronic supervision", "A supervision is opened before it is closed."
    ),
}
