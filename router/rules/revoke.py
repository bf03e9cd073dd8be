"""撤销, 重新决定: everyone who had the case learns that its decision was revoked, and later that it was decided anew."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, HandOver, Outcome


def when(case: Case, _: Context) -> list[tuple[str, str]]:
    """The window and all receivers; the authority that decides knows."""
    if case.revoked_at is None:
        return []
    told = sorted({case.window, *(one.receiver for one in case.hand_overs if not one.part)} - {"", case.holder})
    anew = [] if case.outcome in {Outcome.REVOKED, None} else ["decided_anew"]
    return [(kind, receiver) for kind in ("decision_revoked", *anew) for receiver in told]


def then(case: Case, subject: tuple[str, str]) -> Move:
    kind, receiver = subject
    facts = (("outcome", str(case.outcome)),) if kind == "decided_anew" else ()
    return Move(kind, receiver, receiver, None, facts)


RULE = Rule(
    name="revoke",
    title="A revoked decision, and the decision anew, reach everyone who had the case",
    basis="Administrative Licensing Law, art. 69; Administrative Reconsideration Law, art. 64: decided anew after revocation",
    claims=frozenset({"decision_revoked", "decided_anew"}),
    triggers=frozenset({"Revoked", "Decided", "HandedUp", "HandedDown", "HandedAcross", "Received", "Reopened"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the hall and the municipal authority had it; the county holds it",
            case=Case(
                "city:1",
                window="hall@500103",
                holder="housing@500103",
                outcome=Outcome.REVOKED,
                revoked_at=9,
                hand_overs=[HandOver("H1", "up", "housing@500103", "housing@500000", 5)],
            ),
            moves=(
                Move("decision_revoked", "hall@500103", "hall@500103"),
                Move("decision_revoked", "housing@500000", "housing@500000"),
            ),
        ),
        Example(
            says="decided anew, the hall learns both",
            case=Case("city:1", window="hall@500103", holder="housing@500103", outcome=Outcome.GRANTED, revoked_at=9),
            moves=(
                Move("decision_revoked", "hall@500103", "hall@500103"),
                Move("decided_anew", "hall@500103", "hall@500103", None, (("outcome", "granted"),)),
            ),
        ),
        Example("a decision that stands", Case("city:1", window="hall@500103", outcome=Outcome.GRANTED), ()),
    ),
)
