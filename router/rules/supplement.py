"""补正: the window tells the applicant what is missing; who asked learns that it came, and whether too late.

A round that is never answered tells nothing: the alert on its limit goes to the holder (`escalate`), a case that lapsed for
it stops the work of others (`withdraw`). A second round is asked like the first and is a finding (`second_supplement_notice`).
"""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, Outcome, Supplement


def when(case: Case, _: Context) -> list[tuple[str, Supplement]]:
    asked = [("asked", one) for one in case.supplements if one.asked_at is not None and one.asked_by != case.window]
    came = [
        ("came", one) for one in case.supplements if one.received_at is not None and one.asked_by not in {"", one.received_by}
    ]
    return asked + came


def then(case: Case, subject: tuple[str, Supplement]) -> Move | None:
    what, one = subject
    if what == "came":
        late = one.due_at is not None and one.received_at is not None and one.received_at > one.due_at
        facts = (("from", one.received_by), ("late", "true")) if late else (("from", one.received_by),)
        return Move("supplement_received", one.asked_by, f"round {one.round}", None, facts)
    if not case.window:
        return None
    return Move("supplement_requested", case.window, f"round {one.round}", None, (("missing", ", ".join(one.missing)),))


RULE = Rule(
    name="supplement",
    title="A supplement notice goes to the window, the papers' arrival to who asked for them",
    basis="Administrative Licensing Law, art. 32 (4): told once and completely, within five days",
    claims=frozenset({"supplement_requested", "supplement_received"}),
    triggers=frozenset({"SupplementRequested", "SupplementReceived", "Applied"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the department asks, the hall's window tells the applicant",
            case=Case("city:1", window="hall@500103", supplements=[Supplement(1, 5, None, ["plan"], "housing@500103")]),
            moves=(Move("supplement_requested", "hall@500103", "round 1", None, (("missing", "plan"),)),),
        ),
        Example(
            says="the papers came to the window, the department learns it",
            case=Case("city:1", window="hall@500103", supplements=[Supplement(1, 5, 6, [], "housing@500103", "hall@500103")]),
            moves=(
                Move("supplement_requested", "hall@500103", "round 1", None, (("missing", ""),)),
                Move("supplement_received", "housing@500103", "round 1", None, (("from", "hall@500103"),)),
            ),
        ),
        Example(
            says="two rounds: each is told, and of the second the papers come after the day that was named",
            case=Case(
                "city:1",
                window="hall@500103",
                supplements=[
                    Supplement(1, 5, 6, ["plan"], "housing@500103", "hall@500103", 8),
                    Supplement(2, 7, 12, ["deed"], "housing@500103", "hall@500103", 11),
                ],
            ),
            moves=(
                Move("supplement_requested", "hall@500103", "round 1", None, (("missing", "plan"),)),
                Move("supplement_requested", "hall@500103", "round 2", None, (("missing", "deed"),)),
                Move("supplement_received", "housing@500103", "round 1", None, (("from", "hall@500103"),)),
                Move("supplement_received", "housing@500103", "round 2", None, (("from", "hall@500103"), ("late", "true"))),
            ),
        ),
        Example(
            says="the papers never came and the case lapsed: nothing has arrived that could be told",
            case=Case(
                "city:1",
                window="hall@500103",
                outcome=Outcome.LAPSED,
                supplements=[Supplement(1, 5, None, ["plan"], "housing@500103", "", 8)],
            ),
            moves=(Move("supplement_requested", "hall@500103", "round 1", None, (("missing", "plan"),)),),
        ),
        Example(
            says="the window that asks for itself needs no message",
            case=Case("city:1", window="hall@500103", supplements=[Supplement(1, 5, 6, [], "hall@500103", "hall@500103")]),
            moves=(),
        ),
    ),
)
