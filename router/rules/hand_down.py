"""下放: the higher authority gives a case to the lower one."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, HandOver


def when(case: Case, _: Context) -> list[HandOver]:
    return [one for one in case.hand_overs if one.kind == "down" and not one.part]


def then(_: Case, one: HandOver) -> Move:
    return Move("handed_down", one.receiver, f"{one.id} to {one.receiver}", one.id, (("from", one.sender),))


RULE = Rule(
    name="hand_down",
    title="A case handed down goes to the lower authority",
    basis="Administrative Licensing Law, art. 23, 24: powers given to the lower authority, in writing",
    claims=frozenset({"handed_down"}),
    triggers=frozenset({"HandedDown"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the municipal authority hands down to a county, which gets the case",
            case=Case("city:1", hand_overs=[HandOver("H1", "down", "quality@500000", "quality@500103", 5)]),
            moves=(Move("handed_down", "quality@500103", "H1 to quality@500103", "H1", (("from", "quality@500000"),)),),
        ),
        Example("a case that stays where it is moves nobody", Case("city:1"), ()),
    ),
)
