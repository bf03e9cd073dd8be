"""逾期视为受理: papers that nobody answered in time count as accepted from their receipt; who has them learns it."""

from router.decide import Context, Example, Move, Rule
from router.law import DEEMED
from schemas.case import Case


def when(case: Case, _: Context) -> list[tuple[str, str]]:
    """The monitor's alert says it, for the router has no clock. An acceptance that came after all answers it."""
    alerts = [alert for alert, indicator in case.indicators.items() if indicator == DEEMED]
    return [(alert, case.holder) for alert in alerts if case.accepted_at is None and case.holder]


def then(case: Case, subject: tuple[str, str]) -> Move:
    alert, holder = subject
    return Move("deemed_accepted", holder, alert, None, (("alert", alert), ("window", case.window)))


RULE = Rule(
    name="deem",
    title="Papers not answered in time count as accepted; the authority that has them learns that its clock runs",
    basis="Administrative Licensing Law, art. 32 (4): not told in time, accepted from the day of receipt",
    claims=frozenset({"deemed_accepted"}),
    triggers=frozenset({"AlertRaised", "AlertWithdrawn", "Accepted", "AcceptedWithGaps", "Received", "Applied"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="five days without a word",
            case=Case("city:1", holder="housing@500103", alerts={"W1": "red"}, indicators={"W1": DEEMED}),
            moves=(Move("deemed_accepted", "housing@500103", "W1", None, (("alert", "W1"), ("window", ""))),),
        ),
        Example(
            says="accepted after all",
            case=Case("city:1", holder="housing@500103", accepted_at=9, alerts={"W1": "red"}, indicators={"W1": DEEMED}),
            moves=(),
        ),
    ),
)
