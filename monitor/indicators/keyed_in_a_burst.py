"""集中补录: the events of many days were keyed in within minutes; the case was handled outside the system."""

from collections.abc import Iterator, Sequence

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.samples import MINUTE, START, told
from monitor.sight import Seen, Told
from monitor.times import DAY
from schemas.case import Case
from schemas.clock import Light
from schemas.language import Amount

#: So many events at once, that happened over more than a day.
EVENTS, SPREAD = 4, DAY


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    stamped = sorted((one.reported_at, one) for one in seen.work if one.reported_at is not None)
    largest = max(_bursts(stamped, int(threshold * MINUTE)), key=len, default=[])
    if largest:
        days = _spread(largest) // DAY
        facts = {"events": len(largest), "days": Amount(days, "natural"), "threshold": f"{threshold:g}"}
        yield Hit(Light.YELLOW, len(largest), who=largest[0].authority, facts=facts)


def _bursts(stamped: Sequence[tuple[int, Told]], span: int) -> Iterator[list[Told]]:
    """From each event on, those keyed in within the span after it."""
    for start, (first, _) in enumerate(stamped):
        burst = [one for at, one in stamped[start:] if at - first <= span]
        if len(burst) >= EVENTS and _spread(burst) > SPREAD:
            yield burst


def _spread(burst: Sequence[Told]) -> int:
    times = [one.occurred_at for one in burst]
    return max(times) - min(times)


def _seen(*events: Told) -> Seen:
    return Seen(Case("city:1"), START + 30 * DAY, told=events)


INDICATOR = Indicator(
    name="keyed_in_a_burst",
    title=Text("Keyed in all at once", "集中补录"),
    says=Text(
        "{who} keyed in {events} events of {days} within {threshold} minutes. The case was handled off the system.",
        "{who}在{threshold}分钟内集中录入了{days}内的{events}条记录，疑似体外循环。",
    ),
    unit="minutes",
    threshold=10,
    basis="off-system handling (体外循环), electronic supervision",
    of_case=read,
    examples=(
        Example("four events of three days, keyed in together", _seen(*told(0, 24, 48, 72, reported=80)), (4,)),
        Example("keyed in as they happened", _seen(*told(0, 24, 48, 72)), ()),
        Example("three are no burst", _seen(*told(0, 24, 48, reported=80)), ()),
        Example("all of one morning, sent at noon", _seen(*told(9, 10, 11, 12, reported=12)), ()),
    ),
)
