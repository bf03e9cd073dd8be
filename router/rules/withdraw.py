"""撤件: the applicant withdrew, or the case lapsed or was terminated; who still works on it may stop."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, HandOver, Outcome

_CAUSES = frozenset({Outcome.WITHDRAWN, Outcome.LAPSED, Outcome.TERMINATED})


def when(case: Case, context: Context) -> list[str]:
    """Those who got the case or a part of it and have not answered."""
    if case.outcome not in _CAUSES:
        return []
    open_here = {one.receiver for one in case.hand_overs if one.answered_at is None}
    answered = {step.authority for step in case.steps if step.completed_at is not None}
    asked = {authority for _, authority in context.assisting if case.accepted_at is not None or context.preceding}
    return sorted((open_here | asked) - answered)


def then(case: Case, receiver: str) -> Move:
    return Move("stop_work", receiver, receiver, None, (("outcome", str(case.outcome)),))


RULE = Rule(
    name="withdraw",
    title="When a case is withdrawn, lapses or is terminated, whoever still works on it learns that he may stop",
    basis="Administrative Licensing Law, art. 32, 70; the applicant may withdraw until the decision",
    claims=frozenset({"stop_work"}),
    triggers=frozenset(
        {"Withdrawn", "Reopened", "StepCompleted", "HandedUp", "HandedDown", "HandedAcross", "Accepted", "AcceptedWithGaps"}
    ),
    when=when,
    then=then,
    examples=(
        Example(
            says="the fire brigade still had its part",
            case=Case(
                "city:1",
                outcome=Outcome.WITHDRAWN,
                hand_overs=[HandOver("H1", "across", "housing@500103", "fire@500103", 5, part="fire")],
            ),
            moves=(Move("stop_work", "fire@500103", "fire@500103", None, (("outcome", "withdrawn"),)),),
        ),
        Example(
            says="it had answered before",
            case=Case(
                "city:1",
                outcome=Outcome.WITHDRAWN,
                hand_overs=[HandOver("H1", "across", "housing@500103", "fire@500103", 5, None, 7, "fire")],
            ),
            moves=(),
        ),
    ),
)
