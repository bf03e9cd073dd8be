"""超过承诺时限: the promised limit has passed, the statutory limit has not."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, of_limit
from monitor.samples import limit, waiting
from monitor.sight import Seen
from schemas.clock import Light
from schemas.deadlines import Own


def read(seen: Seen, _: float) -> Iterator[Hit]:
    if any(one.passed for one in seen.running(Own.STATUTORY)):
        return iter(())
    return (of_limit(one) for one in seen.running(Own.PROMISED) if one.passed)


_LATE = limit(Own.PROMISED, 9, 7, Light.YELLOW)

INDICATOR = Indicator(
    name="promise_passed",
    title=Text("Promised limit passed", "超过承诺时限"),
    says=Text(
        "The promised {limit} are over by {over}. {who}: decide, or tell the applicant why not.",
        "超过承诺时限{limit}已{over}。请{who}办结或向申请人说明原因。",
    ),
    unit="over the limit",
    threshold=None,
    basis="electronic supervision: yellow card (黄牌)",
    of_case=read,
    examples=(
        Example("nine days where seven were promised", waiting(_LATE), (2,)),
        Example("past the statutory limit another indicator speaks", waiting(_LATE, limit(Own.STATUTORY, 30, 20, Light.RED)), ()),
        Example("two days of seven", waiting(limit(Own.PROMISED, 2, 7, Light.GREEN)), ()),
    ),
)
