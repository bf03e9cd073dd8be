"""最后一日暂停计时: a special procedure was begun on the last day of a limit, which stops the clock just in time."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.samples import START
from monitor.sight import Seen
from schemas.case import Case, Pause
from schemas.clock import Light


def read(seen: Seen, _: float) -> Iterator[Hit]:
    by = {pause.id: pause.by for pause in seen.case.pauses}
    return (Hit(Light.YELLOW, 1, pause, by.get(pause, ""), {"name": pause}) for pause in seen.last_day)


_CASE = Case("city:1", pauses=[Pause("p1", START, by="quality@500103")])

INDICATOR = Indicator(
    name="pause_on_the_last_day",
    title=Text("Clock paused on the last day", "最后一日暂停计时"),
    says=Text(
        "{who} began special procedure {name} on the last day of the limit. Look at its reason and who approved it.",
        "{who}在时限最后一日启动特别程序{name}。请核实理由与批准人。",
    ),
    unit="procedures",
    threshold=None,
    basis="electronic supervision: clock paused on the last day",
    of_case=read,
    examples=(
        Example("on the last day", Seen(_CASE, START, last_day=["p1"]), (1,)),
        Example("any other day", Seen(_CASE, START), ()),
    ),
)
