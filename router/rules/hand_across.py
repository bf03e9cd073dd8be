"""转办, 协办: a case, or one part of a joint approval, goes to another department."""

from router.decide import Context, Example, Move, Place, Rule, due_places, step_move
from schemas.case import Case, HandOver, Step


def when(case: Case, context: Context) -> list[HandOver | Place]:
    """What a department handed across, and the steps of the item due at another one that is not asked as an assistant."""
    handed = [one for one in case.hand_overs if one.kind == "across" or one.part]
    asked = {authority for _, authority in context.assisting}
    return [*handed, *(place for place in due_places(case, context, "across") if place.authority not in asked)]


def then(case: Case, one: HandOver | Place) -> Move:
    if isinstance(one, Place):
        return step_move(case, one)
    kind = "part_handed_over" if one.part else "handed_across"
    facts = (("from", one.sender), ("part", one.part)) if one.part else (("from", one.sender),)
    return Move(kind, one.receiver, f"{one.id} {one.part} to {one.receiver}", one.id, facts)


RULE = Rule(
    name="hand_across",
    title="A case or a part handed across goes to the other department",
    basis="Administrative Licensing Law, art. 26: one authority accepts and passes on to the others",
    claims=frozenset({"step_across", "handed_across", "part_handed_over"}),
    triggers=frozenset({"HandedAcross", "HandedUp", "HandedDown", "Applied", "Accepted", "AcceptedWithGaps", "StepCompleted"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the step before it is done: the item's next step is due next door",
            case=Case(
                "city:1", authority="quality@500103", accepted_at=5, steps=[Step("review", "quality@500103", completed_at=8)]
            ),
            moves=(Move("step_across", "fire@500103", "approve", None, (("step", "approve"), ("lead", "quality@500103"))),),
            context=Context(places=(Place("approve", "fire@500103", "across", ("review",)),)),
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
            context=Context(places=(Place("approve", "fire@500103", "across", ("review",)),)),
        ),
        Example(
            says="a case goes to the fire brigade as a whole",
            case=Case("city:1", hand_overs=[HandOver("H1", "across", "housing@500103", "fire@500103", 5)]),
            moves=(Move("handed_across", "fire@500103", "H1  to fire@500103", "H1", (("from", "housing@500103"),)),),
        ),
        Example(
            says="the fire brigade gets its part, the lead keeps the case",
            case=Case("city:1", hand_overs=[HandOver("H1", "across", "housing@500103", "fire@500103", 5, part="fire")]),
            moves=(
                Move(
                    "part_handed_over",
                    "fire@500103",
                    "H1 fire to fire@500103",
                    "H1",
                    (("from", "housing@500103"), ("part", "fire")),
                ),
            ),
        ),
        Example("a case handed up is another rule's", Case("city:1", hand_overs=[HandOver("H1", "up", "a@1", "a@2", 5)]), ()),
    ),
)
