"""承诺时限临近: the promised limit ends soon."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, of_limit
from monitor.samples import limit, waiting
from monitor.sight import Seen
from schemas.clock import Light
from schemas.deadlines import Own


def read(seen: Seen, _: float) -> Iterator[Hit]:
    """How near is near stands in the clock rules: `thresholds.yellow_days`."""
    return (of_limit(one) for one in seen.running(Own.PROMISED) if one.light is Light.YELLOW and not one.passed)


INDICATOR = Indicator(
    name="promise_near",
    title=Text("Promised limit near", "承诺时限临近"),
    says=Text(
        "{left} of the promised {limit} are left. {who}: decide, or extend before it ends.",
        "承诺{limit}，还剩{left}。请{who}尽快办结或依法延期。",
    ),
    unit="over the limit",
    threshold=None,
    basis="electronic supervision: warning (预警)",
    of_case=read,
    examples=(
        Example("two days of seven are left", waiting(limit(Own.PROMISED, 5, 7, Light.YELLOW)), (-2,)),
        Example("no hurry yet", waiting(limit(Own.PROMISED, 1, 7, Light.GREEN)), ()),
        Example("passed: another indicator speaks", waiting(limit(Own.PROMISED, 8, 7, Light.YELLOW)), ()),
    ),
)
