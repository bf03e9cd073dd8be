"""One case under other terms: what falls away, who decides, what is late."""

from datetime import date
from typing import Any

from router_lives import DAY, EVERY_DAY_WORKS, START

from router.decide import Context
from router.law import LawProfile
from router.simulate import Terms
from router.whatif import Side, compare
from schemas.case import Case, HandOver, Pause, Step
from schemas.catalogue import Item
from schemas.directory import Authority, Directory, Level, Region
from schemas.rules import Limit
from schemas.words import Form

COUNTY, CITY, FIRE = "housing@500103", "housing@50", "fire@500103"
REGIONS = {"50": Region("50", "city", Level.MUNICIPAL), "500103": Region("500103", "county", Level.COUNTY, "50")}
DIRECTORY = Directory(
    REGIONS,
    {
        name: Authority(name, name, name.partition("@")[0], region, REGIONS[region].level)
        for name, region in ((COUNTY, "500103"), (CITY, "50"), (FIRE, "500103"))
    },
)


def day(number: float) -> int:
    return START + int(number * DAY)


def item(decided: Level = Level.MUNICIPAL, promised: int = 10) -> Item:
    limits = (Limit(promised), Limit(20))
    return Item("1", "n", "housing", "1", date(2020, 1, 1), None, Form.PROMISED, *limits, Level.COUNTY, decided, (), ())


def side(found: Item | None, *assisting: tuple[str, str]) -> Side:
    return Side(Terms(LawProfile(), lambda _: Context(assisting)), EVERY_DAY_WORKS, lambda _: found, DIRECTORY)


def case(**fields: Any) -> Case:
    up = HandOver("H1", "up", COUNTY, CITY, day(2), day(5))
    common = {"region": "500103", "authority": COUNTY, "holder": CITY, "applied_at": day(0), "accepted_at": day(1), "item": "1"}
    return Case("city:1", **{**common, "stopped_at": day(9), "hand_overs": [up], **fields})


def compared(one: Case, then: Side, other: Side, now: float = 30):
    return compare(one, then, one, other, day(now))


def test_the_same_terms_change_nothing():
    """No difference, no change."""
    pair = compared(case(), side(item()), side(item()))
    assert (pair.changed, pair.sooner, pair.department) == (False, 0, "housing")


def test_the_way_up_falls_away_where_the_county_decides():
    """Three days between sending and signing; the county carries the decision."""
    pair = compared(case(), side(item()), side(item(Level.COUNTY)))
    assert (pair.sooner, pair.before.decider, pair.after.decider) == (3, CITY, COUNTY)
    assert pair.after.stopped_at == day(6)


def test_what_is_still_on_the_way_saves_nothing():
    """An open hand-over has no end to count to."""
    waiting = case(hand_overs=[HandOver("H1", "up", COUNTY, CITY, day(2))], stopped_at=None)
    assert compared(waiting, side(item()), side(item(Level.COUNTY))).sooner == 0


def test_a_department_that_assists_no_more_is_not_waited_for():
    """The lead was ready on day 3, the fire brigade on day 7: four days; not waited for where it still assists."""
    steps = [Step("review", COUNTY, "", None, day(3)), Step("opinion", FIRE, "fire", None, day(7))]
    one = case(steps=steps, hand_overs=[])
    assert compared(one, side(item(), ("fire", FIRE)), side(item())).sooner == 4
    assert compared(one, side(item(), ("fire", FIRE)), side(item(), ("fire", FIRE))).sooner == 0
    early = case(steps=[steps[0], Step("opinion", FIRE, "fire", None, day(2))], hand_overs=[])
    assert compared(early, side(item(), ("fire", FIRE)), side(item())).sooner == 0


def test_a_shorter_promise_is_counted_against_what_was_recorded():
    """The limit that the case itself named gives way where the item's limit is changed, and only there."""
    one = case(promised_days=12)
    assert compared(one, side(item()), side(item(promised=5))).after.late
    assert not compared(one, side(item()), side(item())).after.late


def test_the_nation_s_decision_is_not_waited_for_where_the_county_decides():
    """Six days at the ministry fall away, pause and all; another procedure stays. What is counted does not change."""
    pauses = [Pause("N", day(2), day(8), "NATIONAL_DECISION"), Pause("H", day(8), day(9), "HEARING")]
    one = case(pauses=pauses, hand_overs=[], stopped_at=day(12))
    pair = compared(one, side(item(Level.NATIONAL)), side(item(Level.COUNTY)))
    assert (pair.sooner, pair.after.stopped_at, pair.counted) == (6, day(6), 0)
    assert compared(one, side(item(Level.NATIONAL)), side(item(Level.NATIONAL, 5))).sooner == 0


def test_days_saved_twice_are_saved_once():
    """The way up and the nation's procedure overlap: five days together."""
    one = case(pauses=[Pause("N", day(3), day(7), "NATIONAL_DECISION")])
    assert compared(one, side(item(Level.NATIONAL)), side(item(Level.COUNTY))).sooner == 5


def test_where_the_department_is_missing_nobody_decides():
    """No fire brigade at the town's level: the answer names what is missing."""
    assert compared(case(), side(item()), side(item(Level.TOWN))).after.decider == "nobody (housing@town)"


def test_an_abolished_item_has_no_case():
    """It could not be applied for any more."""
    assert compared(case(), side(item()), side(None)).abolished
