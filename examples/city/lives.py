"""Who the city's 74 nodes are, and what happens to their cases: the truth, before any system writes it down.

38 districts and counties, 2 development zones, 34 departments of the city. Region 500103 with its offices, quality and
housing have files of their own, which tell the moves one by one; the others are told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import cycle
from typing import NamedTuple

CITY = "500000"
#: Region 500103, quality and housing have files of their own, which tell the moves one by one.
TOLD = "500103"

COUNTIES = (
    "临江",
    "南山",
    "北碚坪",
    "东渡",
    "西塘",
    "青石",
    "白沙",
    "云台",
    "石桥",
    "长岭",
    "双溪",
    "大足坝",
    "永安",
    "合阳",
    "江口",
    "綦水",
    "万寿",
    "涪陵滩",
    "黔山",
    "梁平坝",
    "丰盛",
    "垫石",
    "武陵",
    "忠义",
    "开阳",
    "云峰",
    "奉仪",
    "巫溪口",
    "城口坪",
    "酉水",
    "秀峰",
    "彭泽",
    "铜锣",
    "荣兴",
    "潼川",
    "璧山口",
    "渝东",
)
ZONES = ("两江开发区", "高新开发区")
DEPARTMENTS = {
    "education": "教育委员会",
    "science": "科学技术局",
    "industry": "经济信息委员会",
    "ethnic": "民族宗教委员会",
    "police": "公安局",
    "civil-affairs": "民政局",
    "justice": "司法局",
    "finance": "财政局",
    "labour": "人力社保局",
    "natural-resources": "自然资源局",
    "ecology": "生态环境局",
    "urban": "城市管理局",
    "transport": "交通局",
    "water": "水利局",
    "agriculture": "农业农村委员会",
    "commerce": "商务委员会",
    "culture": "文化旅游委员会",
    "health": "卫生健康委员会",
    "emergency": "应急管理局",
    "sports": "体育局",
    "statistics": "统计局",
    "medical-insurance": "医疗保障局",
    "forestry": "林业局",
    "drugs": "药品监督管理局",
    "patents": "知识产权局",
    "weather": "气象局",
    "seismology": "地震局",
    "air-defence": "人民防空办公室",
    "archives": "档案局",
    "press": "新闻出版局",
    "broadcasting": "广播电视局",
    "grain": "粮食和物资储备局",
}


class Row(NamedTuple):
    """One step of a case, as the flow's columns have it."""

    serial: str
    number: str
    what: str
    at: datetime
    who: str
    item: str = ""
    a: str = ""
    b: str = ""


class Node(NamedTuple):
    """One system: its name, the authority that runs it, its name for people, its shape."""

    name: str
    authority: str
    title: str
    shape: str

    @property
    def region(self) -> str:
        return self.authority.rpartition("@")[2]


def regions() -> list[tuple[str, str]]:
    """Codes and names of the districts, counties and zones besides the one that is told by hand."""
    codes = (str(code) for code in range(500101, 500150) if str(code) != TOLD)
    names = [*(f"{name}{'区' if index < 20 else '县'}" for index, name in enumerate(COUNTIES)), *ZONES]
    return list(zip(codes, names, strict=False))


def nodes() -> list[Node]:
    county = cycle(("gb-csv", "xlsx", "five-tables", "xml", "json-lines", "chinese-table", "ten-tables", "zip", "push", "topic"))
    city = cycle(("chinese-table", "gb-csv", "xml", "push", "xlsx", "topic", "json-lines", "zip", "five-tables", "ten-tables"))
    counties = [Node(f"county-{code}", f"service-hall@{code}", f"{name}政务服务平台", next(county)) for code, name in regions()]
    return counties + [Node(name, f"{name}@{CITY}", f"市{title}", next(city)) for name, title in DEPARTMENTS.items()]


# ---------------------------------------------------------------- lives

MONDAY = datetime(2026, 3, 2)  # noqa: DTZ001  local time, as departments write it


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Working day `day` from the first Monday of March; every week of that month has five."""
    return MONDAY + timedelta(days=day // 5 * 7 + day % 5, hours=hour, minutes=minute)


class Step(NamedTuple):
    what: str
    at: datetime
    who: str
    item: str = ""
    a: str = ""
    b: str = ""
    #: A number of the step's own: of a ticket, an appointment, a department that does not know the case's.
    number: str = ""


def granted(who: str, item: str, day: int) -> list[Step]:
    return [
        Step("申请", at(day, 9, 10), who, item, "PROMISED", "NATURAL_PERSON"),
        Step("受理", at(day, 14), who),
        Step("环节完成", at(day + 2, 10, 30), who, "", "审核", "PASS"),
        Step("办结", at(day + 4, 16), who, "", "GRANTED"),
        Step("领证", at(day + 5, 9, 30), who, "", f"证{day:03d}"),
        Step("评价", at(day + 5, 9, 35), who, "", "1"),
    ]


def supplemented(who: str, item: str, day: int) -> list[Step]:
    return [
        Step("申请", at(day, 10, 5), who, item, "PROMISED", "COMPANY"),
        Step("补正告知", at(day + 1, 11), who, "", "营业执照、委托书"),
        Step("补正收件", at(day + 3, 9), who),
        Step("受理", at(day + 3, 9, 20), who),
        Step("中止", at(day + 5, 9), who, "", "评审-1", "EXPERT_REVIEW"),
        Step("恢复", at(day + 8, 17), who, "", "评审-1"),
        Step("办结", at(day + 10, 11), who, "", "GRANTED"),
    ]


def refused(who: str, item: str, day: int) -> list[Step]:
    return [
        Step("申请", at(day, 15, 40), who, item, "PROMISED", "COMPANY"),
        Step("受理", at(day + 1, 9), who),
        Step("环节完成", at(day + 3, 10), who, "", "审核", "RETURN"),
        Step("办结", at(day + 5, 17), who, "", "REFUSED", "材料与实际不符"),
    ]


def handed_up(county: str, city: str, item: str, number: str, day: int) -> list[Step]:
    """The county accepts and hands up; the city signs and decides. One case, two systems."""
    return [
        Step("申请", at(day, 9, 30), county, item, "HANDED_UP", "COMPANY"),
        Step("受理", at(day, 15), county),
        Step("环节完成", at(day + 2, 9), county, "", "初审", "PASS"),
        Step("上报", at(day + 3, 16), county, "", f"U-{number[-6:]}", city),
        Step("签收", at(day + 4, 9), city, "", f"U-{number[-6:]}"),
        Step("办结", at(day + 9, 15), city, "", "GRANTED"),
    ]


#: Shapes that can tell a hand-over; the exchange tables cannot.
FLOWS = frozenset({"gb-csv", "xlsx", "xml", "json-lines", "zip", "chinese-table", "push", "topic"})


class Life(NamedTuple):
    number: str
    steps: list[Step]
    #: Empty, and no end, while it is open.
    outcome: str
    ended: datetime | None
    key: str = ""
    #: Which move it is here for.
    shows: str = ""


def lives() -> list[Life]:
    found = []
    deciders = cycle([node for node in nodes() if node.region == CITY and node.shape in FLOWS])
    for index, node in enumerate(nodes()):
        item = f"{node.name.upper()}-01" if node.region == CITY else "SHOP-01"
        for kind, (tell, outcome) in enumerate(((granted, "granted"), (supplemented, "granted"), (refused, "refused")), 1):
            steps = tell(node.authority, item, (index + kind * 3) % 9)
            found.append(Life(_number(node, kind), steps, outcome, _ended(steps)))
        if node.region != CITY and node.shape in FLOWS:
            decider, number = next(deciders), _number(node, 4)
            steps = handed_up(f"{decider.name}@{node.region}", decider.authority, f"{decider.name.upper()}-02", number, index % 8)
            found.append(Life(number, steps, "granted", _ended(steps)))
    return found


def _number(node: Node, kind: int) -> str:
    inside = list(DEPARTMENTS).index(node.name) + 1 if node.region == CITY else 0
    return f"{node.region}2026{inside:02d}{kind:04d}"


def _ended(steps: Sequence[Step]) -> datetime:
    return next(step.at for step in steps if step.what == "办结")


def rows(node: Node, told: Iterable[Life]) -> list[Row]:
    """What this node's system holds, in the order in which it happened."""
    mine = [(step.number or life.number, step) for life in told for step in life.steps if system_of(step.who) == node.name]
    mine.sort(key=lambda pair: (pair[1].at, pair[0]))
    made = [Row(f"{number:05d}", case, *step[:-1]) for number, (case, step) in enumerate(mine, 1)]
    return [row._replace(a=_wrong(row, made)) if row.what == "更正" else row for row in made]


def _wrong(correction: Row, made: Sequence[Row]) -> str:
    """The serial number of the row that a correction takes back: it is told by the step's name."""
    return next(row.serial for row in made if (row.number, row.what) == (correction.number, correction.a))


def system_of(authority: str) -> str:
    """A county's authorities all write into the county's one platform."""
    department, _, region = authority.partition("@")
    return department if region == CITY else f"county-{region}"
