"""二次补正: missing papers were asked for a second time, though the law says once and completely."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.samples import broken
from monitor.sight import Seen
from schemas.clock import Light

CODE = "second_supplement_notice"


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    found = seen.found(CODE)
    if len(found) > threshold:
        yield Hit(Light.YELLOW, len(found), found[-1].event_id)


INDICATOR = Indicator(
    name="second_supplement_notice",
    title=Text("Asked for papers a second time", "二次补正告知"),
    says=Text(
        "Missing papers were asked for again. {who}: ask once, and completely.",
        "再次要求补正材料。请{who}一次性告知全部补正内容。",
    ),
    unit="times",
    threshold=0,
    basis="Administrative Licensing Law, art. 32 (4)",
    of_case=read,
    examples=(
        Example("the second notice", broken(CODE), (1,)),
        Example("another rule was broken", broken("accepted_twice"), ()),
    ),
)
