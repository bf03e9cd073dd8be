"""突击办结: a case that was promised days went from its first event to its decision within minutes: it was handled elsewhere."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.samples import HOUR, MINUTE, START, told
from monitor.sight import Seen, Told
from monitor.times import DAY
from schemas.case import Case, Outcome
from schemas.clock import Light, Reading

#: So many events at least, and so many days promised or given: what is done on the spot is done in minutes.
EVENTS, DAYS = 4, 3
_DECIDED = frozenset({Outcome.GRANTED, Outcome.GRANTED_WITH_GAPS, Outcome.REFUSED})


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    """What comes after the decision (the licence is collected) makes nothing slower."""
    decided = seen.now if seen.case.stopped_at is None else seen.case.stopped_at
    times = [one.occurred_at for one in seen.work if one.occurred_at <= decided]
    if len(times) < EVENTS or seen.case.outcome not in _DECIDED or seen.case.form == "ON_THE_SPOT":
        return
    span = max(times) - min(times)
    limit = seen.reading.promised_limit or seen.reading.statutory_limit or 0
    if 0 < span <= threshold * MINUTE and limit >= DAYS:
        facts = {"events": len(times), "minutes": f"{span / MINUTE:.0f}", "limit": limit}
        yield Hit(Light.YELLOW, len(times), facts=facts)


def _seen(events: tuple[Told, ...], form: str = "", decided: float = 30 * 24) -> Seen:
    case = Case("city:1", form=form, outcome=Outcome.GRANTED, stopped_at=START + int(decided * HOUR))
    return Seen(case, START + 30 * DAY, Reading(promised_limit=7), told=events)


INDICATOR = Indicator(
    name="done_within_minutes",
    title=Text("All steps within minutes", "突击办结"),
    says=Text(
        "All {events} events lie within {minutes} minutes, {limit} days were allowed. Ask where the case was handled.",
        "全部{events}个环节在{minutes}分钟内完成（时限{limit}天），疑似体外循环，请核实。",
    ),
    unit="minutes",
    threshold=10,
    basis="off-system handling (体外循环), electronic supervision",
    of_case=read,
    examples=(
        Example("applied for and granted in six minutes", _seen(told(9, 9.03, 9.05, 9.1)), (4,)),
        Example("collected two days later", _seen(told(9, 9.03, 9.05, 9.1, 57), decided=9.1), (4,)),
        Example("an item that is done on the spot", _seen(told(9, 9.03, 9.05, 9.1), "ON_THE_SPOT"), ()),
        Example("two days", _seen(told(9, 20, 40, 57)), ()),
        Example("told as dates: nobody can say", _seen(told(0, 0, 0, 0)), ()),
    ),
)
