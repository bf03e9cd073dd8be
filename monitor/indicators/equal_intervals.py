"""等间隔办理: the times between events are equal to the second, as a machine makes them up and people do not work."""

from collections.abc import Iterator
from itertools import groupby, pairwise

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.samples import START, told
from monitor.sight import Seen, Told
from monitor.times import DAY
from schemas.case import Case
from schemas.clock import Light


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    """Whole days do not count: who tells only dates has equal intervals by nature; nor do equal times."""
    gaps = [after.occurred_at - before.occurred_at for before, after in pairwise(seen.work)]
    runs = [(gap, len(list(same))) for gap, same in groupby(gaps)]
    gap, times = max((run for run in runs if run[0] % DAY), key=lambda run: run[1], default=(0, 0))
    if times >= threshold:
        yield Hit(Light.YELLOW, times, facts={"times": times, "minutes": f"{gap / 60_000_000:g}"})


def _seen(*events: Told) -> Seen:
    return Seen(Case("city:1"), START + 30 * DAY, told=events)


INDICATOR = Indicator(
    name="equal_intervals",
    title=Text("Equal intervals", "等间隔办理"),
    says=Text(
        "{times} times in a row exactly {minutes} minutes passed between two events. Ask who made these times up.",
        "连续{times}次间隔均为{minutes}分钟，疑似编造办理时间，请核实。",
    ),
    unit="intervals",
    threshold=4,
    basis="off-system handling (体外循环), electronic supervision",
    of_case=read,
    examples=(
        Example("five events, each half an hour after the last", _seen(*told(9, 9.5, 10, 10.5, 11)), (4,)),
        Example("as people work", _seen(*told(9, 9.4, 10, 10.7, 11)), ()),
        Example("told as dates only", _seen(*told(0, 24, 48, 72, 96)), ()),
    ),
)
