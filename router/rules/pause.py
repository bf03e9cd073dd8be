"""特别程序: whoever leads the case learns that another authority's procedure stops and starts its clock."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, Pause


def when(case: Case, _: Context) -> list[tuple[str, Pause]]:
    of_others = [one for one in case.pauses if one.by and case.authority and one.by != case.authority]
    return [("clock_paused", one) for one in of_others] + [("clock_resumed", one) for one in of_others if one.end is not None]


def then(case: Case, subject: tuple[str, Pause]) -> Move:
    kind, one = subject
    return Move(
        kind, case.authority, f"{one.id} {one.start}", None, (("pause", one.id), ("procedure", one.procedure), ("by", one.by))
    )


_OPEN = Pause("P1", 5, procedure="HEARING", by="fire@500103")
_FACTS = (("pause", "P1"), ("procedure", "HEARING"), ("by", "fire@500103"))

RULE = Rule(
    name="pause",
    title="The lead learns of the special procedures of other authorities",
    basis="Administrative Licensing Law, art. 45: hearings, inspections, expert reviews are not counted, and are announced",
    claims=frozenset({"clock_paused", "clock_resumed"}),
    triggers=frozenset({"ClockPaused", "ClockResumed", "Accepted", "AcceptedWithGaps", "Applied"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the fire brigade holds a hearing: the lead's clock stands",
            case=Case("city:1", authority="housing@500103", pauses=[_OPEN]),
            moves=(Move("clock_paused", "housing@500103", "P1 5", None, _FACTS),),
        ),
        Example(
            says="the hearing is over",
            case=Case("city:1", authority="housing@500103", pauses=[Pause("P1", 5, 9, "HEARING", by="fire@500103")]),
            moves=(
                Move("clock_paused", "housing@500103", "P1 5", None, _FACTS),
                Move("clock_resumed", "housing@500103", "P1 5", None, _FACTS),
            ),
        ),
        Example("the lead's own procedure is known to it", Case("city:1", authority="fire@500103", pauses=[_OPEN]), ()),
    ),
)
