"""前置联办: other authorities have to agree before the lead may accept; it learns when all have answered."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, Step


def when(case: Case, context: Context) -> list[tuple[str, str, str]]:
    """Each assisting authority is asked from the application on; the lead hears when the last has answered."""
    if case.applied_at is None or not (context.preceding and context.assisting):
        return []
    asked = [("asked", part, authority) for part, authority in context.assisting]
    opinions = {step.authority: step.opinion for step in case.steps if step.completed_at is not None}
    if not all(authority in opinions for _, authority in context.assisting):
        return asked
    refusing = ", ".join(part for part, authority in context.assisting if opinions[authority] == "RETURN")
    return [*asked, ("answered", ", ".join(part for part, _ in context.assisting), refusing)]


def then(case: Case, subject: tuple[str, str, str]) -> Move:
    what, parts, last = subject
    if what == "asked":
        return Move("consent_asked", last, parts, None, (("lead", case.authority), ("part", parts)))
    return Move("consents_given", case.authority, parts, None, (("parts", parts), ("refusing", last)))


_ASSISTING = (("fire", "fire@500103"),)
_CONTEXT = Context(_ASSISTING, preceding=True)
_ASKED = Move("consent_asked", "fire@500103", "fire", None, (("lead", "housing@500103"), ("part", "fire")))

RULE = Rule(
    name="precede",
    title="A preceding joint approval: consents are asked at the application, the lead may accept when all are there",
    basis="Administrative Licensing Law, art. 26 (2); Chongqing joint handling rules: preceding consents (前置联办)",
    claims=frozenset({"consent_asked", "consents_given"}),
    triggers=frozenset({"Applied", "StepCompleted", "Accepted", "AcceptedWithGaps"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="at the application the fire brigade is asked, though nothing is accepted yet",
            case=Case("city:1", authority="housing@500103", applied_at=5),
            moves=(_ASKED,),
            context=_CONTEXT,
        ),
        Example(
            says="it refuses: the lead learns that all have answered, and who refuses",
            case=Case(
                "city:1", authority="housing@500103", applied_at=5, steps=[Step("c", "fire@500103", "", None, 8, "RETURN")]
            ),
            moves=(_ASKED, Move("consents_given", "housing@500103", "fire", None, (("parts", "fire"), ("refusing", "fire")))),
            context=_CONTEXT,
        ),
        Example(
            says="an ordinary joint approval asks at the acceptance, by its own rule",
            case=Case("city:1", authority="housing@500103", applied_at=5),
            moves=(),
            context=Context(_ASSISTING),
        ),
    ),
)
