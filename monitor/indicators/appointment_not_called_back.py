"""预约未回访: somebody asked for a visit, and nobody has called back in the promised office hours."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, late
from monitor.samples import limit, waiting
from monitor.sight import Seen
from schemas.clock import Light
from schemas.rules import Subject


def read(seen: Seen, _: float) -> Iterator[Hit]:
    return late(seen, Subject.CALL_BACK)


INDICATOR = Indicator(
    name="appointment_not_called_back",
    title=Text("Appointment not called back", "预约未回访"),
    says=Text(
        "{who} has not called back for {elapsed}; {limit} were promised. Call the applicant and fix the date.",
        "{who}已{elapsed}未回访（承诺{limit}）。请立即联系申请人确定时间。",
    ),
    unit="over the limit",
    threshold=None,
    basis="the platform's promise: a call back within two office hours",
    of_case=read,
    examples=(
        Example("six office hours", waiting(limit(Subject.CALL_BACK, 6, 5, Light.YELLOW, "appointment:7")), (1,)),
        Example("still in time", waiting(limit(Subject.CALL_BACK, 5, 5, Light.YELLOW, "appointment:7")), ()),
        Example("another limit is passed", waiting(limit(Subject.DELIVERY, 6, 5, Light.RED, "other")), ()),
    ),
)
