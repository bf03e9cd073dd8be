"""A small made-up city: two counties, three cases; as records of the topics."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import monitor_world as world

from monitor.statistics.source import Folding
from router.case import fold
from router.hindsight import counted
from router.law import UNCOUNTED, LawProfile
from schemas.directory import Authority, Level, Region

ZONE = ZoneInfo("Asia/Shanghai")
DAY = 24
#: Forty days after the first application.
NOW = world.at(40 * DAY)
RED, GREEN, ENDED = "city:0001", "city:0002", "city:0003"
REGIONS = {
    "10": Region("10", "霁川市", Level.MUNICIPAL),
    "11": Region("11", "云溪区", Level.COUNTY, "10"),
    "12": Region("12", "石桥区", Level.COUNTY, "10"),
}
AUTHORITIES = {
    f"{department}@{region.code}": Authority(
        f"{department}@{region.code}", f"{region.name}{name}", department, region.code, region.level
    )
    for region in REGIONS.values()
    for department, name in (("hall", "政务服务中心"), ("fire", "消防救援支队"))
}


class Items:
    """A catalogue without limits of its own: the cases name theirs."""

    def item(self, *_: object) -> None:
        return None

    def __iter__(self):
        return iter(["I-1"])


def applied(hour: int, key: str, region: str):
    name = {"value": "王小明"}
    return world.event(
        "Applied", hour, key, region=region, item="I-1", authority=f"hall@{region}", level=4, actor={"value": "张三"},
        applicant={"name": name, "kind": "NATURAL_PERSON"}, materials=[{"name": "申请表"}], promised_days=5, statutory_days=20,
    )  # fmt: skip


def lives():
    """Case 1 burns: accepted and forgotten. Case 2 has just been accepted. Case 3 is granted."""
    fire = "fire@11"
    yield (
        RED,
        [
            applied(9, RED, "11"),
            world.event("Accepted", 10, RED, authority="hall@11", promised_days=5, statutory_days=20),
            world.event("HandedAcross", 11, RED, authority="hall@11", hand_over="H1", to=fire, reason="=1+1"),
            world.event("Received", 12, RED, authority=fire, hand_over="H1"),
        ],
    )
    late = 39 * DAY
    yield GREEN, [applied(late + 9, GREEN, "12"), world.event("Accepted", late + 10, GREEN, authority="hall@12", promised_days=5)]
    yield (
        ENDED,
        [
            applied(33, ENDED, "11"),
            world.event("Accepted", 34, ENDED, authority="hall@11", promised_days=5),
            world.event("Decided", 3 * DAY, ENDED, authority="hall@11", result="GRANTED", document="<b>准予</b>"),
        ],
    )


def records():
    found, law = [], LawProfile()
    offsets = iter(range(1000))
    for number, (key, events) in enumerate(lives()):
        found += [world.journal_record(entry, next(offsets)) for entry in world.chain(events)]
        found.append(world.state_record(world.state(events, fold(events, law, key)), number))
    return [*found, world.letter_record(0)]


def folding():
    law = LawProfile()
    return Folding(
        lambda events, key: fold(events, law, key),
        counted,
        UNCOUNTED,
    )
