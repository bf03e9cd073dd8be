"""补录: an event was keyed in days after it happened, which falsifies every on-time rate."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.samples import START, told
from monitor.sight import Seen, Told
from monitor.times import DAY
from schemas.case import Case
from schemas.clock import Light
from schemas.language import Amount


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    late = [one for one in seen.work if _delay(one) > threshold * DAY]
    if late:
        worst = max(late, key=_delay)
        days = _delay(worst) // DAY
        yield Hit(Light.YELLOW, days, who=worst.authority, facts={"days": Amount(days, "natural"), "events": len(late)})


def _delay(one: Told) -> int:
    """By the source's own stamp: what a connector or the bus delays is nobody's late entry."""
    return one.reported_at - one.occurred_at if one.reported_at is not None else 0


def _seen(*events: Told) -> Seen:
    return Seen(Case("city:1"), START + 30 * DAY, told=events)


INDICATOR = Indicator(
    name="late_entry",
    title=Text("Keyed in late", "补录"),
    says=Text(
        "{who} keyed an event in {days} after it happened ({events} late in all). Ask why not at once.",
        "{who}在事后{days}才录入（共{events}条）。请核实为何未即时录入。",
    ),
    unit="days",
    threshold=3,
    basis="off-system handling (体外循环), electronic supervision",
    of_case=read,
    examples=(
        Example("ten days late", _seen(*told(0, reported=240)), (10,)),
        Example("two days late", _seen(*told(0, reported=48)), ()),
        Example("no stamp of its own, so nobody can say", _seen(Told("Applied", "", START, None, START + 99 * DAY)), ()),
    ),
)
