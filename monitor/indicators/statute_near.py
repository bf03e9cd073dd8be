"""法定时限临近: the statutory limit ends soon."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, of_limit
from monitor.samples import limit, waiting
from monitor.sight import Seen
from schemas.clock import Light
from schemas.deadlines import Own


def read(seen: Seen, _: float) -> Iterator[Hit]:
    """How near is near stands in the clock rules: `thresholds.yellow_days`."""
    return (of_limit(one) for one in seen.running(Own.STATUTORY) if one.light is Light.YELLOW and not one.passed)


INDICATOR = Indicator(
    name="statute_near",
    title=Text("Statutory limit near", "法定时限临近"),
    says=Text(
        "{left} of the {limit} that the law gives are left. {who}: decide now.", "法定{limit}，还剩{left}。请{who}立即办结。"
    ),
    unit="over the limit",
    threshold=None,
    basis="electronic supervision: warning (预警)",
    of_case=read,
    examples=(
        Example("one day of twenty is left", waiting(limit(Own.STATUTORY, 19, 20, Light.YELLOW)), (-1,)),
        Example("passed: another indicator speaks", waiting(limit(Own.STATUTORY, 21, 20, Light.RED)), ()),
    ),
)
