"""移交未接收: a case was handed over, and nobody has signed for it."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, late
from monitor.samples import limit, waiting
from monitor.sight import Seen
from schemas.clock import Light
from schemas.rules import Subject


def read(seen: Seen, _: float) -> Iterator[Hit]:
    return late(seen, Subject.HAND_OVER)


INDICATOR = Indicator(
    name="sent_not_received",
    title=Text("Handed over, not received", "移交未接收"),
    says=Text(
        "{who} has not signed for the case after {elapsed} ({limit} are allowed). Call the receiver.",
        "{who}已{elapsed}未签收（时限{limit}）。请联系接收单位。",
    ),
    unit="over the limit",
    threshold=None,
    basis="custody: whoever has a case answers for it",
    of_case=read,
    examples=(
        Example("six days on its way", waiting(limit(Subject.HAND_OVER, 6, 5, Light.YELLOW, "h1")), (1,)),
        Example("still in time", waiting(limit(Subject.HAND_OVER, 5, 5, Light.YELLOW, "h1")), ()),
        Example("another limit is passed", waiting(limit(Subject.DELIVERY, 6, 5, Light.RED, "other")), ()),
    ),
)
