"""违规事项: cases in which something did not go as the law says; each kind of finding is one hit."""

from monitor.indicator import Broken, Example, Hit, Indicator, Sight
from schemas.clock import Light


def read(sight: Sight, _: int) -> list[Hit]:
    return [_hit(one) for one in sight.broken]


def _hit(one: Broken) -> Hit:
    times = "once" if one.times == 1 else f"{one.times} times"
    return Hit(one.case, Light.NONE, one.times, f"Found {times}: {one.code.replace('_', ' ')}. Look at the case.", one.code)


INDICATOR = Indicator(
    name="findings_of_law",
    title="Findings of law",
    unit="findings",
    threshold=0,
    basis="facts are never refused because they break the law; they are flagged",
    read=read,
    examples=(Example("accepted a second time", Sight(broken=[Broken("city:1", "accepted_twice", 1)]), 0, ("city:1",)),),
)
