"""不予许可未说明理由: a refusal that gives no reason."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.samples import broken
from monitor.sight import Seen
from schemas.clock import Light

CODE = "refused_without_reason"


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    found = seen.found(CODE)
    if len(found) > threshold:
        yield Hit(Light.YELLOW, len(found), found[-1].event_id)


INDICATOR = Indicator(
    name="refusal_without_reason",
    title=Text("Refused without a reason", "不予许可未说明理由"),
    says=Text(
        "The refusal gives no reason. {who}: give it in writing, with the way to appeal.",
        "不予许可未说明理由。请{who}书面说明理由并告知救济途径。",
    ),
    unit="times",
    threshold=0,
    basis="Administrative Licensing Law, art. 38 (2), art. 55",
    of_case=read,
    examples=(
        Example("no reason was told", broken(CODE), (1,)),
        Example("another rule was broken", broken("accepted_twice"), ()),
    ),
)
