"""下放: the higher authority gives a case to the lower one."""

from router.decide import Context, Example, Move, Place, Rule, due_places, step_move
from schemas.case import Case, HandOver, Step


def when(case: Case, context: Context) -> list[HandOver | Place]:
    """What a department handed down, and the steps of the item that are due at an authority below."""
    handed = [one for one in case.hand_overs if one.kind == "down" and not one.part]
    return [*handed, *due_places(case, context, "down")]


def then(case: Case, one: HandOver | Place) -> Move:
    if isinstance(one, Place):
        return step_move(case, one)
    return Move("handed_down", one.receiver, f"{one.id} to {one.receiver}", one.id, (("from", one.sender),))


RULE = Rule(
    name="hand_down",
    title="A case handed down goes to the lower authority",
    basis="Administrative Licensing Law, art. 23, 24: powers given to the lower authority, in writing",
    claims=frozenset({"step_down", "handed_down"}),
    triggers=frozenset({"HandedDown", "Applied", "Accepted", "AcceptedWithGaps", "StepCompleted"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the step before it is done: the item's next step is due below",
            case=Case(
                "city:1", authority="quality@500000", accepted_at=5, steps=[Step("review", "quality@500000", completed_at=8)]
            ),
            moves=(Move("step_down", "quality@500103", "approve", None, (("step", "approve"), ("lead", "quality@500000"))),),
            context=Context(places=(Place("approve", "quality@500103", "down", ("review",)),)),
        ),
        Example(
            says="a step sent back is not done: nothing is due",
            case=Case(
                "city:1",
                authority="quality@500000",
                accepted_at=5,
                steps=[Step("review", "quality@500000", "", None, 8, "RETURN")],
            ),
            moves=(),
            context=Context(places=(Place("approve", "quality@500103", "down", ("review",)),)),
        ),
        Example(
            says="the municipal authority hands down to a county, which gets the case",
            case=Case("city:1", hand_overs=[HandOver("H1", "down", "quality@500000", "quality@500103", 5)]),
            moves=(Move("handed_down", "quality@500103", "H1 to quality@500103", "H1", (("from", "quality@500000"),)),),
        ),
        Example("a case that stays where it is moves nobody", Case("city:1"), ()),
    ),
)
