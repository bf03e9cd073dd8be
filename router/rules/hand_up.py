"""上报: the lower authority accepted, the higher one decides."""

from router.decide import Context, Example, Move, Place, Rule, due_places, step_move
from schemas.case import Case, HandOver, Step


def when(case: Case, context: Context) -> list[HandOver | Place]:
    """What a department handed up, and the steps of the item that are due at an authority above."""
    handed = [one for one in case.hand_overs if one.kind == "up" and not one.part]
    return [*handed, *due_places(case, context, "up")]


def then(case: Case, one: HandOver | Place) -> Move:
    if isinstance(one, Place):
        return step_move(case, one)
    return Move("handed_up", one.receiver, f"{one.id} to {one.receiver}", one.id, (("from", one.sender),))


RULE = Rule(
    name="hand_up",
    title="A case handed up goes to the higher authority",
    basis="Administrative Licensing Law, art. 43: examined below first, then reported to the authority above",
    claims=frozenset({"step_up", "handed_up"}),
    triggers=frozenset({"HandedUp", "Applied", "Accepted", "AcceptedWithGaps", "StepCompleted"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the step before it is done: the item's next step is due above",
            case=Case(
                "city:1", authority="quality@500103", accepted_at=5, steps=[Step("review", "quality@500103", completed_at=8)]
            ),
            moves=(Move("step_up", "quality@500000", "approve", None, (("step", "approve"), ("lead", "quality@500103"))),),
            context=Context(places=(Place("approve", "quality@500000", "up", ("review",)),)),
        ),
        Example(
            says="a step sent back is not done: nothing is due",
            case=Case(
                "city:1",
                authority="quality@500103",
                accepted_at=5,
                steps=[Step("review", "quality@500103", "", None, 8, "RETURN")],
            ),
            moves=(),
            context=Context(places=(Place("approve", "quality@500000", "up", ("review",)),)),
        ),
        Example(
            says="a county hands up to the municipal authority, which gets the case",
            case=Case("city:1", hand_overs=[HandOver("H1", "up", "quality@500103", "quality@500000", 5)]),
            moves=(Move("handed_up", "quality@500000", "H1 to quality@500000", "H1", (("from", "quality@500103"),)),),
        ),
        Example("a case that stays where it is moves nobody", Case("city:1"), ()),
    ),
)
