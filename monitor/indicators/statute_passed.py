"""超过法定时限: the statutory limit has passed."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, of_limit
from monitor.samples import limit, waiting
from monitor.sight import Seen
from schemas.clock import Light
from schemas.deadlines import Own


def read(seen: Seen, _: float) -> Iterator[Hit]:
    return (of_limit(one) for one in seen.running(Own.STATUTORY) if one.passed)


INDICATOR = Indicator(
    name="statute_passed",
    title=Text("Statutory limit passed", "超过法定时限"),
    says=Text(
        "The {limit} that the law gives are over by {over}. {who}: decide now; the applicant may go to court.",
        "超过法定时限{limit}已{over}。请{who}立即办结，申请人可依法复议或诉讼。",
    ),
    unit="over the limit",
    threshold=None,
    basis="Administrative Licensing Law, art. 42; electronic supervision: red card (红牌)",
    of_case=read,
    examples=(
        Example("thirty days where the law gives twenty", waiting(limit(Own.STATUTORY, 30, 20, Light.RED)), (10,)),
        Example("the last day is in time", waiting(limit(Own.STATUTORY, 20, 20, Light.YELLOW)), ()),
    ),
)
