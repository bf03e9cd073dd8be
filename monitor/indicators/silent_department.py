"""部门静默: nothing has come from a department for longer than ever before in its own history."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.sight import Line
from schemas.clock import Light
from schemas.language import Amount


def read(line: Line, threshold: float) -> Iterator[Hit]:
    """Working days, by the calendar: nobody works on a holiday. Who has no history is not judged."""
    if line.usual is not None and line.quiet > max(threshold, line.usual):
        facts = {"days": Amount(line.quiet, "working"), "usual": Amount(line.usual, "working")}
        yield Hit(Light.YELLOW, line.quiet, facts=facts)


INDICATOR = Indicator(
    name="silent_department",
    title=Text("Silent department", "部门静默"),
    says=Text(
        "Nothing has come from {who} for {days}; its longest silence was {usual}. Look at its system, then call.",
        "{who}已{days}无任何数据（以往最长{usual}）。请检查其系统并联系。",
    ),
    unit="working days",
    threshold=2,
    basis="off-system handling (体外循环): who is silent works elsewhere, or its system has stopped",
    of_department=read,
    examples=(
        Example("five days, and never before more than one", Line("quality", 5, 1), (5,)),
        Example("used to it", Line("archives", 5, 9), ()),
        Example("a Monday", Line("quality", 1, 0), ()),
        Example("new here", Line("quality", 5, None), ()),
    ),
)
