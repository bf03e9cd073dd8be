"""关联: two numbers prove to be one case; the window learns which other number it now carries."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case


def when(case: Case, _: Context) -> list[str]:
    return case.merged if case.window else []


def then(case: Case, other: str) -> Move:
    return Move("number_joined", case.window, other, None, (("number", other), ("kept", case.key)))


RULE = Rule(
    name="link",
    title="The window learns that another number is the same case",
    basis="one case, one number (GB/T 39046): the canonical namespace keeps the case, whichever number was heard of first",
    claims=frozenset({"number_joined"}),
    triggers=frozenset({"Linked", "Applied"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="a second number of the case turns up",
            case=Case("city:1", window="hall@500103", merged=["city:2"]),
            moves=(Move("number_joined", "hall@500103", "city:2", None, (("number", "city:2"), ("kept", "city:1"))),),
        ),
        Example(
            says="an appointment or a ticket that belongs to the case needs no message",
            case=Case("city:1", window="hall@500103", links=["ticket:7"]),
            moves=(),
        ),
    ),
)
