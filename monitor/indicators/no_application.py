"""无申请办件: work on a case is told, its application never came. The router then gives its events back as dead letters."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.samples import START
from monitor.sight import Seen, Told
from monitor.times import DAY
from schemas.case import Case
from schemas.clock import Light
from schemas.language import Amount


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    """Counted from the last receipt: departments' systems come at their own pace. What comes later makes no past wait shorter."""
    case = seen.case
    received = [one.received_at for one in seen.told if one.received_at <= seen.now]
    if case.opened or case.visit or not case.events or not received:
        return
    days = (seen.now - max(received)) // DAY
    if days > threshold:
        yield Hit(Light.YELLOW, days, facts={"days": Amount(days, "natural")})


_TOLD = (Told("Accepted", "quality@500103", START, None, START),)

INDICATOR = Indicator(
    name="no_application",
    title=Text("Work without an application", "无申请办件"),
    says=Text(
        "Work on this case came {days} ago, its application did not. Ask the department that received it.",
        "该办件已有办理记录{days}，但无申请信息。请联系收件部门补报。",
    ),
    unit="days",
    threshold=30,
    basis="off-system handling (体外循环): no case without an application",
    of_case=read,
    examples=(
        Example("accepted, and nobody applied", Seen(Case("city:1", events=1), START + 40 * DAY, told=_TOLD), (40,)),
        Example("it may still come", Seen(Case("city:1", events=1), START + 4 * DAY, told=_TOLD), ()),
        Example("an appointment need not become a case", Seen(Case("city:1", visit=True), START + 40 * DAY, told=_TOLD), ()),
        Example("applied for", Seen(Case("city:1", events=1, applied_at=START), START + 40 * DAY, told=_TOLD), ()),
    ),
)
