"""移交未接收: a case that was handed over, and nobody has signed for it."""

from monitor.indicator import Example, Hit, Indicator, Sent, Sight
from monitor.times import DAY
from schemas.clock import Light

DAYS = 2


def read(sight: Sight, now: int) -> list[Hit]:
    return [_hit(one, (now - one.sent_at) // DAY) for one in sight.sent if now - one.sent_at > DAYS * DAY]


def _hit(one: Sent, days: int) -> Hit:
    text = f"{one.sender} handed it over {days} days ago, {one.receiver} has not signed for it. Call the receiver."
    return Hit(one.case, Light.YELLOW, days, text, one.hand_over)


_OLD = Sent("city:1", "h1", "quality@500103", "quality@500100", 0)
_NEW = Sent("city:2", "h2", "quality@500103", "quality@500100", 4 * DAY)

INDICATOR = Indicator(
    name="sent_not_received",
    title="Handed over, not received",
    unit="days",
    threshold=DAYS,
    basis="custody: whoever has a case answers for it",
    read=read,
    examples=(Example("five days on the way, and one day", Sight(sent=[_OLD, _NEW]), 5 * DAY, ("city:1",)),),
)
