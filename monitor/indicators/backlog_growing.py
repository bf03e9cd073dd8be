"""积压增长: week after week more cases come to a department than it ends."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.sight import Line
from schemas.clock import Light

#: The backlog must have grown by a tenth, and by so many cases.
SHARE, CASES = 0.1, 5


def read(line: Line, threshold: float) -> Iterator[Hit]:
    weeks = int(threshold)
    balances = [came - went for came, went in zip(line.came[-weeks:], line.went[-weeks:], strict=True)]
    grown = sum(balances)
    if len(balances) == weeks and min(balances, default=0) > 0 and grown >= max(CASES, SHARE * (line.open - grown)):
        yield Hit(Light.YELLOW, grown, facts={"cases": grown, "weeks": weeks, "open": line.open})


INDICATOR = Indicator(
    name="backlog_growing",
    title=Text("Backlog growing", "积压增长"),
    says=Text(
        "The backlog of {who} grew by {cases} cases in {weeks} weeks, to {open}. Ask what it lacks.",
        "{who}积压在{weeks}周内增加{cases}件，现有{open}件未办结。请了解原因。",
    ),
    unit="weeks in a row",
    threshold=3,
    basis="supervision: what grows today is late tomorrow",
    of_department=read,
    examples=(
        Example("three weeks in a row", Line("quality", came=(9, 9, 9), went=(2, 3, 4), open=40), (18,)),
        Example("one good week", Line("quality", came=(9, 9, 3), went=(2, 3, 4), open=40), ()),
        Example("growing, but not worth a call", Line("quality", came=(3, 3, 3), went=(2, 2, 2), open=9), ()),
        Example("a history too short to say", Line("quality", came=(9,), went=(2,), open=9), ()),
    ),
)
