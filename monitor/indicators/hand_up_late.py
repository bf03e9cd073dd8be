"""逾期未上报: the lower authority accepted the case, and has not handed it up."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, late
from monitor.samples import limit, waiting
from monitor.sight import Seen
from schemas.clock import Light
from schemas.rules import Subject


def read(seen: Seen, _: float) -> Iterator[Hit]:
    return late(seen, Subject.HAND_UP)


INDICATOR = Indicator(
    name="hand_up_late",
    title=Text("Not handed up in time", "逾期未上报"),
    says=Text(
        "{who} has had the case for {elapsed} and must hand it up within {limit}. Hand it up.",
        "{who}受理已{elapsed}，应在{limit}内上报。请立即上报。",
    ),
    unit="over the limit",
    threshold=None,
    basis="Administrative Licensing Law, art. 43; electronic supervision: late hand-up",
    of_case=read,
    examples=(
        Example("six days where five are allowed", waiting(limit(Subject.HAND_UP, 6, 5, Light.YELLOW, "")), (1,)),
        Example("still in time", waiting(limit(Subject.HAND_UP, 5, 5, Light.YELLOW, "")), ()),
        Example("another limit is passed", waiting(limit(Subject.DELIVERY, 6, 5, Light.RED, "other")), ()),
    ),
)
