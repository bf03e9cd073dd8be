"""特别程序逾期未结束: a special procedure is open for longer than planned, or for very long where nobody planned."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, late
from monitor.samples import START, limit, waiting
from monitor.sight import Seen
from monitor.times import DAY
from schemas.case import Case, Pause
from schemas.clock import Light
from schemas.language import Amount
from schemas.rules import Subject


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    yield from late(seen, Subject.PAUSE)
    for pause in seen.case.pauses if seen.open else ():
        days = (seen.now - pause.start) // DAY
        if pause.end is None and pause.planned_days is None and days > threshold:
            facts = {"name": pause.id, "elapsed": Amount(days, "natural"), "limit": Amount(threshold, "natural")}
            yield Hit(Light.YELLOW, days - threshold, f"{pause.id} {pause.start}", pause.by, facts)


def _case(pause: Pause) -> Case:
    return Case("city:1", applied_at=START, pauses=[pause])


INDICATOR = Indicator(
    name="pause_without_end",
    title=Text("Special procedure without end", "特别程序逾期未结束"),
    says=Text(
        "Special procedure {name} at {who} has been open for {elapsed}; {limit} are allowed. End it, or say until when.",
        "{who}的特别程序{name}已持续{elapsed}（时限{limit}）。请结束或说明期限。",
    ),
    unit="days over",
    threshold=15,
    basis="Administrative Licensing Law, art. 45: the applicant is told how long it takes",
    of_case=read,
    examples=(
        Example("six days where five were planned", waiting(limit(Subject.PAUSE, 6, 5, Light.YELLOW, "p1")), (1,)),
        Example("twenty days, and nobody planned how long", waiting(case=_case(Pause("p1", START))), (5,)),
        Example("ended", waiting(case=_case(Pause("p1", START, START + DAY))), ()),
    ),
)
