"""容缺受理: accepted though papers are missing; the window has to collect them, the lead learns when they came."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case


def when(case: Case, _: Context) -> list[str]:
    if not case.gaps:
        return []
    return ["open"] if case.gaps_filled_at is None else ["open", "filled"]


def then(case: Case, what: str) -> Move | None:
    facts = (("missing", ", ".join(case.gaps)),)
    if what == "filled":
        return Move("gaps_filled", case.authority, "gaps", None, facts)
    return Move("gaps_to_fill", case.window, "gaps", None, facts) if case.window and case.window != case.authority else None


_OPEN = Move("gaps_to_fill", "hall@500103", "gaps", None, (("missing", "plan"),))

RULE = Rule(
    name="gaps",
    title="Accepted with gaps: the window collects what is missing, the lead learns that it came",
    basis="State Council, Regulation on Optimizing the Business Environment, art. 19 (容缺受理); art. 32",
    claims=frozenset({"gaps_to_fill", "gaps_filled"}),
    triggers=frozenset({"AcceptedWithGaps", "SupplementReceived", "Applied"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the hall's window has to ask for the plan",
            case=Case("city:1", window="hall@500103", authority="housing@500103", gaps=["plan"]),
            moves=(_OPEN,),
        ),
        Example(
            says="the plan came",
            case=Case("city:1", window="hall@500103", authority="housing@500103", gaps=["plan"], gaps_filled_at=9),
            moves=(_OPEN, Move("gaps_filled", "housing@500103", "gaps", None, (("missing", "plan"),))),
        ),
        Example("accepted without gaps", Case("city:1", window="hall@500103", authority="housing@500103"), ()),
    ),
)
