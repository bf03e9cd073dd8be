"""逾期未答复: papers came, and nobody has said whether they are accepted, or what is missing."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, late
from monitor.samples import limit, waiting
from monitor.sight import Seen
from schemas.clock import Light
from schemas.rules import Subject


def read(seen: Seen, _: float) -> Iterator[Hit]:
    return late(seen, Subject.ANSWER)


INDICATOR = Indicator(
    name="answer_late",
    title=Text("No answer to the papers", "逾期未受理"),
    says=Text(
        "{who} has had the papers for {elapsed} and {limit} are allowed. Accept, refuse, or say what is missing.",
        "{who}收到材料已{elapsed}，规定{limit}内答复。请受理、不予受理或一次性告知补正。",
    ),
    unit="over the limit",
    threshold=None,
    basis="Administrative Licensing Law, art. 32; electronic supervision: not accepted in time",
    of_case=read,
    examples=(
        Example("six days where five are allowed", waiting(limit(Subject.ANSWER, 6, 5, Light.YELLOW, "1")), (1,)),
        Example("still in time", waiting(limit(Subject.ANSWER, 5, 5, Light.YELLOW, "1")), ()),
        Example("another limit is passed", waiting(limit(Subject.DELIVERY, 6, 5, Light.RED, "other")), ()),
    ),
)
