"""超过承诺时限: a case whose promised limit has passed, while its statutory limit has not."""

from monitor.indicator import Example, Hit, Indicator, Sight
from monitor.lights import Lit
from schemas.case import Case
from schemas.clock import Light, Reading


def read(sight: Sight, _: int) -> list[Hit]:
    return [_hit(one) for one in sight.open if one.reading.overdue_promise and not one.reading.overdue_legal]


def _hit(one: Lit) -> Hit:
    over = one.reading.elapsed_days - (one.reading.promised_limit or 0)
    limit = one.reading.promised_limit
    text = f"The promise of {limit} days has passed by {over}. Decide, or tell the applicant why not."
    return Hit(one.case.key, Light.YELLOW, over, text, f"promise {limit}")


_LATE = Lit(Case("city:1"), Reading(elapsed_days=9, promised_limit=7, overdue_promise=True, light=Light.YELLOW, running=True))
_LOST = Lit(Case("city:2"), Reading(elapsed_days=30, promised_limit=7, overdue_promise=True, overdue_legal=True, light=Light.RED))
_GOOD = Lit(Case("city:3"), Reading(elapsed_days=2, promised_limit=7, light=Light.GREEN, running=True))

INDICATOR = Indicator(
    name="promise_passed",
    title="Promised limit passed",
    unit="days over",
    threshold=0,
    basis="electronic supervision: yellow card (黄牌)",
    read=read,
    examples=(
        Example("nine days where seven were promised", Sight(open=[_LATE, _GOOD]), 0, ("city:1",)),
        Example("past the statutory limit another indicator speaks", Sight(open=[_LOST]), 0, ()),
    ),
)
