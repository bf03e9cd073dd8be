"""超过法定时限: a case whose statutory limit has passed."""

from monitor.indicator import Example, Hit, Indicator, Sight
from monitor.lights import Lit
from schemas.case import Case
from schemas.clock import Light, Reading


def read(sight: Sight, _: int) -> list[Hit]:
    return [_hit(one) for one in sight.open if one.reading.overdue_legal]


def _hit(one: Lit) -> Hit:
    limit = one.reading.statutory_limit
    text = f"The statutory limit of {limit} days has passed. Decide now; the applicant may go to court."
    return Hit(one.case.key, Light.RED, max(0, one.reading.elapsed_days - (limit or 0)), text, f"statute {limit}")


_LOST = Lit(
    Case("city:2"), Reading(elapsed_days=30, statutory_limit=20, overdue_promise=True, overdue_legal=True, light=Light.RED)
)
_LATE = Lit(
    Case("city:1"), Reading(elapsed_days=9, promised_limit=7, statutory_limit=20, overdue_promise=True, light=Light.YELLOW)
)

INDICATOR = Indicator(
    name="statute_passed",
    title="Statutory limit passed",
    unit="days over",
    threshold=0,
    basis="Administrative Licensing Law, art. 42; electronic supervision: red card (红牌)",
    read=read,
    examples=(Example("thirty days where the law gives twenty", Sight(open=[_LATE, _LOST]), 0, ("city:2",)),),
)
