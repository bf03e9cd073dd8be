"""转办, 协办: a case, or one part of a joint approval, goes to another department."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, HandOver


def when(case: Case, _: Context) -> list[HandOver]:
    return [one for one in case.hand_overs if one.kind == "across" or one.part]


def then(_: Case, one: HandOver) -> Move:
    kind = "part_handed_over" if one.part else "handed_across"
    facts = (("from", one.sender), ("part", one.part)) if one.part else (("from", one.sender),)
    return Move(kind, one.receiver, f"{one.id} {one.part} to {one.receiver}", one.id, facts)


RULE = Rule(
    name="hand_across",
    title="A case or a part handed across goes to the other department",
    basis="Administrative Licensing Law, art. 26: one authority accepts and passes on to the others",
    claims=frozenset({"handed_across", "part_handed_over"}),
    triggers=frozenset({"HandedAcross", "HandedUp", "HandedDown"}),
    when=when,
    then=then,
    examples=(
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
