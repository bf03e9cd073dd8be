"""并联审批: at the acceptance every assisting authority gets its part; when all have answered, the lead decides."""

from typing import NamedTuple

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, HandOver, Step


class Part(NamedTuple):
    """One authority's part, its opinion (empty while there is none), and when that came."""

    name: str
    authority: str
    opinion: str = ""
    at: int | None = None


def when(case: Case, context: Context) -> list[tuple[str, list[Part]]]:
    """What to tell, about which parts: each asked part and each refusal alone, all parts when answered, each late answer."""
    if case.accepted_at is None or context.preceding or not (context.assisting or any(one.part for one in case.hand_overs)):
        return []
    found = [("asked", [Part(name, authority)]) for name, authority in context.assisting]
    parts = _parts(case, context)
    if parts and all(part.at is not None for part in parts):
        found.append(("answered", parts))
    refused = [("refused", [part]) for part in parts if part.opinion == "RETURN"]
    return found + refused + [("late", [part]) for part in parts if _late(case, part)]


def then(case: Case, subject: tuple[str, list[Part]]) -> Move:
    what, parts = subject
    names = ", ".join(part.name for part in parts)
    if what == "asked":
        return Move("part_asked", parts[0].authority, names, None, (("lead", case.authority), ("part", names)))
    if what == "refused":
        return Move("part_refused", case.authority, names, None, (("part", names), ("by", parts[0].authority)))
    refusing = ", ".join(part.name for part in parts if part.opinion == "RETURN")
    facts = (("parts", names), ("refusing", refusing)) if refusing else (("parts", names),)
    return Move("answer_after_decision" if what == "late" else "all_answered", case.authority, names, None, facts)


def _late(case: Case, part: Part) -> bool:
    """After the decision, and before the case was taken up again."""
    if part.at is None:
        return False
    life = case.life(part.at)
    return life.stopped_at is not None and part.at > (life.stopped_until or life.stopped_at)


def _parts(case: Case, context: Context) -> list[Part]:
    """The parts that a department handed across, and the assisting authorities of the catalogue that got none of those."""
    handed = {one.part: one.receiver for one in case.hand_overs if one.part}
    rest = {name: authority for name, authority in context.assisting if authority not in handed.values()}
    return [_part(case, name, authority) for name, authority in sorted((rest | handed).items())]


def _part(case: Case, name: str, authority: str) -> Part:
    """The last opinion on a part: of a step of that part, or of its authority where that is not the lead itself."""
    for step in reversed(case.steps):
        if step.completed_at is not None and (step.part == name or step.authority == authority != case.authority):
            return Part(name, authority, step.opinion, step.completed_at)
    return Part(name, authority)


_ASSISTING = (("fire", "fire@500103"), ("planning", "planning@500103"))
_ACCEPTED = Case("city:1", authority="housing@500103", accepted_at=5)
_ASKED = tuple(Move("part_asked", who, name, None, (("lead", "housing@500103"), ("part", name))) for name, who in _ASSISTING)
_OPINIONS = [
    Step("opinion", "fire@500103", "fire", None, 8, "PASS"),
    Step("opinion", "planning@500103", "planning", None, 9, "RETURN"),
]

RULE = Rule(
    name="join",
    title="A joint approval: parts go out at the acceptance, the lead decides when all have answered",
    basis="Administrative Licensing Law, art. 26 (2), 42 (2): joint handling, the lead decides after the others",
    claims=frozenset({"part_asked", "part_refused", "all_answered", "answer_after_decision"}),
    triggers=frozenset(
        {"Accepted", "AcceptedWithGaps", "StepCompleted", "Decided", "HandedAcross", "HandedUp", "HandedDown", "Applied"}
    ),
    when=when,
    then=then,
    examples=(
        Example("at the acceptance each assisting authority gets its part", _ACCEPTED, _ASKED, Context(_ASSISTING)),
        Example("before the acceptance nobody is asked", Case("city:1", authority="housing@500103"), (), Context(_ASSISTING)),
        Example(
            says="one has not answered: the lead waits",
            case=Case("city:1", authority="housing@500103", accepted_at=5, steps=_OPINIONS[:1]),
            moves=_ASKED,
            context=Context(_ASSISTING),
        ),
        Example(
            says="all have answered, one refuses: the lead learns both, the refusal as soon as it is there",
            case=Case("city:1", authority="housing@500103", accepted_at=5, steps=_OPINIONS),
            moves=(
                *_ASKED,
                Move(
                    "all_answered",
                    "housing@500103",
                    "fire, planning",
                    None,
                    (("parts", "fire, planning"), ("refusing", "planning")),
                ),
                Move("part_refused", "housing@500103", "planning", None, (("part", "planning"), ("by", "planning@500103"))),
            ),
            context=Context(_ASSISTING),
        ),
        Example(
            says="a part handed across by the lead itself, answered after the decision",
            case=Case(
                "city:1",
                authority="housing@500103",
                accepted_at=5,
                stopped_at=7,
                steps=_OPINIONS[:1],
                hand_overs=[HandOver("H1", "across", "housing@500103", "fire@500103", 6, None, 8, "fire")],
            ),
            moves=(
                Move("all_answered", "housing@500103", "fire", None, (("parts", "fire"),)),
                Move("answer_after_decision", "housing@500103", "fire", None, (("parts", "fire"),)),
            ),
        ),
    ),
)
