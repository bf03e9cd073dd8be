"""补录: events that were keyed in days after they happened; they falsify every on-time rate."""

from monitor.indicator import Example, Hit, Indicator, Late, Sight
from monitor.times import DAY
from schemas.clock import Light

DAYS = 3


def read(sight: Sight, _: int) -> list[Hit]:
    return [_hit(one) for one in sight.late if one.most > DAYS * DAY]


def _hit(one: Late) -> Hit:
    days = one.most // DAY
    text = f"An event was told {days} days after it happened ({one.events} late in all). Ask why it was not keyed in at once."
    return Hit(one.case, Light.YELLOW, days, text, f"{days} days")


INDICATOR = Indicator(
    name="late_entry",
    title="Keyed in late",
    unit="days",
    threshold=DAYS,
    basis="off-system handling (体外循环), electronic supervision",
    read=read,
    examples=(
        Example(
            "ten days late, and two",
            Sight(late=[Late("city:1", 3, 10 * DAY), Late("city:2", 1, 2 * DAY)]),
            0,
            ("city:1",),
        ),
    ),
)
