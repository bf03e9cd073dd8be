"""重新办理: a case that had ended is taken up again; everyone who had it learns it, and later how it ended anew.

The clock: the limits run anew from the day of the reopening, the day itself not counted; pauses and extensions of the
former life count no more. Custody: the case lies with who held it at the end; who else shall decide gets it by a hand-over.
Findings stay; `reopened_before_end` and `reopened_decision_stands` are found. What the end had caused to be told (papers
given back, work stopped, a part of a visit done) is contradicted and compensated by the rules that told it.
"""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, HandOver, Outcome, Reopening


def when(case: Case, _: Context) -> list[tuple[str, Reopening, str]]:
    """The window, the receivers of the case and its holder, but not who reopened it; of a new end not who took it."""
    found = [("case_reopened", one, to) for one in case.reopenings for to in _told(case, one) if to != one.by]
    if case.reopenings and case.outcome is not None and case.revoked_at is None:
        last = case.reopenings[-1]
        found += [("ended_anew", last, to) for to in _told(case, last) if to != case.holder]
    return found


def _told(case: Case, one: Reopening) -> list[str]:
    receivers = (move.receiver for move in case.hand_overs if not move.part and move.sent_at < one.at)
    return sorted({case.window, case.holder, *receivers} - {""})


def then(case: Case, subject: tuple[str, Reopening, str]) -> Move:
    kind, one, to = subject
    about = f"{one.at} to {to}"
    if kind == "ended_anew":
        return Move(kind, to, about, None, (("outcome", str(case.outcome)), ("was", str(one.outcome or ""))))
    facts = (("ground", one.ground), ("reason", one.reason), ("was", str(one.outcome or "")), ("by", one.by))
    return Move(kind, to, about, None, facts)


_AGAIN = Reopening(9, "COURT", "judgment 12", "housing@500103", Outcome.REVOKED, 5, 5, 5, 5)
_FACTS = (("ground", "COURT"), ("reason", "judgment 12"), ("was", "revoked"), ("by", "housing@500103"))
_MISTAKE = Reopening(9, "OWN_CORRECTION", "withdrawn by mistake", "hall@500103", Outcome.WITHDRAWN, 5, 5, 5, 5)
_WHY = (("ground", "OWN_CORRECTION"), ("reason", "withdrawn by mistake"), ("was", "withdrawn"), ("by", "hall@500103"))

RULE = Rule(
    name="reopen",
    title="A case taken up again reaches everyone who had it; its limits run anew",
    basis="Administrative Reconsideration Law, art. 64; its Implementing Regulations, art. 49: decided anew within the limits"
    " of the law; Administrative Litigation Law, art. 70",
    claims=frozenset({"case_reopened", "ended_anew"}),
    triggers=frozenset(
        {"Reopened", "Revoked", "Decided", "Withdrawn", "Returned", "NotAccepted", "StepCompleted", "Applied", "Accepted"}
        | {"AcceptedWithGaps", "HandedUp", "HandedDown", "HandedAcross", "Received"}
    ),
    when=when,
    then=then,
    examples=(
        Example(
            says="a court orders the bureau to decide anew: the hall and the municipal authority, which had the case, learn it",
            case=Case(
                "city:1",
                window="hall@500103",
                holder="housing@500103",
                revoked_at=6,
                reopenings=[_AGAIN],
                hand_overs=[HandOver("H1", "up", "housing@500103", "housing@500000", 3)],
            ),
            moves=(
                Move("case_reopened", "hall@500103", "9 to hall@500103", None, _FACTS),
                Move("case_reopened", "housing@500000", "9 to housing@500000", None, _FACTS),
            ),
        ),
        Example(
            says="withdrawn by mistake and reopened by the hall: the bureau works on it again, and the hall learns its decision",
            case=Case("city:1", window="hall@500103", holder="housing@500103", outcome=Outcome.GRANTED, reopenings=[_MISTAKE]),
            moves=(
                Move("case_reopened", "housing@500103", "9 to housing@500103", None, _WHY),
                Move("ended_anew", "hall@500103", "9 to hall@500103", None, (("outcome", "granted"), ("was", "withdrawn"))),
            ),
        ),
        Example("an end that stands", Case("city:1", window="hall@500103", outcome=Outcome.GRANTED), ()),
    ),
)
