"""延长审批: the applicant is told that the limit was extended and why, by the window that took the papers."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, Extension


def when(case: Case, _: Context) -> list[Extension]:
    return [one for one in case.extensions if case.window and one.by != case.window]


def then(case: Case, one: Extension) -> Move:
    return Move(
        "limit_extended", case.window, str(one.at), None, (("days", str(one.days)), ("reason", one.reason), ("by", one.by))
    )


RULE = Rule(
    name="extend",
    title="An extension and its reason reach the window, which tells the applicant",
    basis="Administrative Licensing Law, art. 42 (1): the applicant is told the reason of the extension",
    claims=frozenset({"limit_extended"}),
    triggers=frozenset({"LimitExtended", "Applied"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the bureau extends by ten days, the hall tells the applicant",
            case=Case("city:1", window="hall@500103", extensions=[Extension(7, 10, "site visit", "", "housing@500103")]),
            moves=(
                Move(
                    "limit_extended",
                    "hall@500103",
                    "7",
                    None,
                    (("days", "10"), ("reason", "site visit"), ("by", "housing@500103")),
                ),
            ),
        ),
        Example(
            says="the window that extended by itself knows",
            case=Case("city:1", window="hall@500103", extensions=[Extension(7, 10, "", "", "hall@500103")]),
            moves=(),
        ),
    ),
)
