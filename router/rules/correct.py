"""更正: whoever was handed the case before a correction, and may have relied on what it corrects, is told."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, Correction, HandOver


def when(case: Case, _: Context) -> list[tuple[Correction, str]]:
    return [
        (done, receiver)
        for done in case.corrections
        for receiver in sorted({one.receiver for one in case.hand_overs if one.sent_at < done.at} - {done.by})
    ]


def then(_: Case, subject: tuple[Correction, str]) -> Move:
    done, receiver = subject
    return Move("corrected", receiver, f"{done.id} to {receiver}", None, (("corrects", done.corrects), ("reason", done.reason)))


_SENT = HandOver("H1", "up", "quality@500103", "quality@500000", 5)

RULE = Rule(
    name="correct",
    title="A correction reaches everyone who was handed the case before",
    basis="Administrative Licensing Law, art. 69, 70; data exchange rules: a correction goes where the fact went",
    claims=frozenset({"corrected"}),
    triggers=frozenset({"Corrected", "HandedUp", "HandedDown", "HandedAcross"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the municipal authority has the case and learns of the county's correction",
            case=Case("city:1", hand_overs=[_SENT], corrections=[Correction("e9", 7, "e1", "quality@500103", "typo")]),
            moves=(Move("corrected", "quality@500000", "e9 to quality@500000", None, (("corrects", "e1"), ("reason", "typo"))),),
        ),
        Example(
            says="what was corrected before it was sent is known from the case itself",
            case=Case("city:1", hand_overs=[_SENT], corrections=[Correction("e9", 3, "e1", "quality@500103")]),
            moves=(),
        ),
    ),
)
