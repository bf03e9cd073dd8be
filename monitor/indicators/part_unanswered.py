"""协办未反馈: an assisting authority has not answered on its part of a joint approval."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, late
from monitor.samples import limit, waiting
from monitor.sight import Seen
from schemas.clock import Light
from schemas.rules import Subject


def read(seen: Seen, _: float) -> Iterator[Hit]:
    return late(seen, Subject.PART)


INDICATOR = Indicator(
    name="part_unanswered",
    title=Text("Part of a joint approval unanswered", "协办逾期未反馈"),
    says=Text(
        "{who} has not answered on part {name} after {elapsed} ({limit} are allowed). The lead waits for it.",
        "{who}对协办事项{name}已{elapsed}未反馈（时限{limit}），牵头单位在等待。",
    ),
    unit="over the limit",
    threshold=None,
    basis="Administrative Licensing Law, art. 26: joint handling (并联审批)",
    of_case=read,
    examples=(
        Example("six days where the region gives five", waiting(limit(Subject.PART, 6, 5, Light.YELLOW, "fire")), (1,)),
        Example("still in time", waiting(limit(Subject.PART, 5, 5, Light.YELLOW, "fire")), ()),
        Example("another limit is passed", waiting(limit(Subject.DELIVERY, 6, 5, Light.RED, "other")), ()),
    ),
)
