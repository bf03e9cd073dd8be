"""二次补正: missing papers were asked for a second time, though the law says once and completely."""

from monitor.indicator import Broken, Example, Hit, Indicator, Sight
from schemas.clock import Light

CODE = "second_supplement_notice"


def read(sight: Sight, _: int) -> list[Hit]:
    text = "Missing papers were asked for again. Ask once, and completely."
    return [Hit(one.case, Light.YELLOW, one.times, text, f"notice {one.times}") for one in sight.broken if one.code == CODE]


INDICATOR = Indicator(
    name="second_supplement_notice",
    title="Asked for papers a second time",
    unit="notices",
    threshold=0,
    basis="Administrative Licensing Law, art. 32 (4)",
    read=read,
    examples=(
        Example(
            "one case was asked twice, the other broke another rule",
            Sight(broken=[Broken("city:1", CODE, 1), Broken("city:2", "accepted_twice", 1)]),
            0,
            ("city:1",),
        ),
    ),
)
