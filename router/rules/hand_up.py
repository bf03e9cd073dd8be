"""上报: the lower authority accepted, the higher one decides."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, HandOver


def when(case: Case, _: Context) -> list[HandOver]:
    return [one for one in case.hand_overs if one.kind == "up" and not one.part]


def then(_: Case, one: HandOver) -> Move:
    return Move("handed_up", one.receiver, f"{one.id} to {one.receiver}", one.id, (("from", one.sender),))


RULE = Rule(
    name="hand_up",
    title="A case handed up goes to the higher authority",
    basis="Administrative Licensing Law, art. 43: examined below first, then reported to the authority above",
    claims=frozenset({"handed_up"}),
    triggers=frozenset({"HandedUp"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="a county hands up to the municipal authority, which gets the case",
            case=Case("city:1", hand_overs=[HandOver("H1", "up", "quality@500103", "quality@500000", 5)]),
            moves=(Move("handed_up", "quality@500000", "H1 to quality@500000", "H1", (("from", "quality@500103"),)),),
        ),
        Example("a case that stays where it is moves nobody", Case("city:1"), ()),
    ),
)
