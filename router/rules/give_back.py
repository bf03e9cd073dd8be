"""退件: the authority returned the papers; the window gives them back to the applicant."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, Outcome


def when(case: Case, _: Context) -> list[str]:
    away = case.window and case.window != case.authority
    return [case.window] if case.outcome is Outcome.RETURNED and away else []


def then(case: Case, window: str) -> Move:
    return Move("papers_returned", window, "return", None, (("from", case.authority),))


RULE = Rule(
    name="give_back",
    title="Papers that an authority returns go back through the window that took them",
    basis="Administrative Licensing Law, art. 32 (2): the applicant is told to whom to turn",
    claims=frozenset({"papers_returned"}),
    triggers=frozenset({"Returned", "Reopened", "Applied", "Accepted", "AcceptedWithGaps"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the bureau returns what the hall took in",
            case=Case("city:1", window="hall@500103", authority="housing@500103", outcome=Outcome.RETURNED),
            moves=(Move("papers_returned", "hall@500103", "return", None, (("from", "housing@500103"),)),),
        ),
        Example(
            says="the bureau took the papers in itself",
            case=Case("city:1", window="housing@500103", authority="housing@500103", outcome=Outcome.RETURNED),
            moves=(),
        ),
    ),
)
