"""No alert more or less than the truth: lives with planted irregularities and near misses, told by an independent truth."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import alert_life
import alert_lives as lives
import alert_offices
import monitor_world as world
import pytest
import router_lives
from alert_life import DAY, FIRST, HOUR, LAST, MINUTE, PART, Fact, Life, opens
from sqlalchemy import select

from bus.ports import Partition
from bus.topics import JOURNAL, STATE
from monitor import tables
from monitor.alerts import Judge
from monitor.gather import lines
from monitor.indicator import Panel, indicators
from monitor.lights import Clockwork
from monitor.sight import Told, seen
from monitor.times import micros
from monitor.view import View
from router.case import fold
from router.hindsight import counted
from router.law import LawProfile
from schemas.calendar import Calendar, CalendarSettings
from schemas.case import CaseState
from schemas.clock import ClockRules
from schemas.envelope import Event, event_id
from schemas.limits import Terms

ZONE = ZoneInfo("Asia/Shanghai")
CLOCKWORK = Clockwork(ClockRules.model_validate({"limits": {"part": {"days": PART}}}), Calendar(CalendarSettings()), ZONE)
LAW = LawProfile(terms=Terms(CLOCKWORK.rules, CLOCKWORK.calendar, ZONE))
SECOND = timedelta(seconds=1)


def at(moment: datetime) -> int:
    return micros(moment.replace(tzinfo=ZONE))


def event_of(life: Life, fact: Fact) -> Event:
    said = dict(fact.said)
    row = said.pop("row", f"{life.key}-{fact.kind}-{fact.at.isoformat()}")
    if "corrects" in said:
        said["corrects"] = event_id("hall", "t", said["corrects"], "Decided", 1)
    moments = {"occurred_at": router_lives.moment(at(fact.at)), "reported_at": router_lives.moment(at(fact.keyed))}
    header = {
        "event_id": event_id("hall", "t", row, fact.kind, 1),
        "body_hash": "",
        "case": life.key,
        "authority": said.pop("authority", "quality@991201"),
        "sequence": 1,
        "received_at": at(fact.came),
        "source": {"system": "hall", "table": "t", "key": row, "position": "1"},
        **moments,
    }
    return router_lives.finished(fact.kind, header, said)


def speaking(key: str, events: list[Event], when: int) -> set[str]:
    """Indicators that speak about the case as of then, by all that is known."""
    known = [one for one in counted(events, key) if one.order.occurred_at <= when]
    if not known:
        return set()
    told = [Told(one.type, one.header["authority"], one.order.occurred_at, one.reported_at, one.received_at) for one in known]
    return {one.indicator.name for one in Panel.of().of_case(seen(fold(known, LAW, key), told, CLOCKWORK, when))}


def moments(life: Life) -> list[datetime]:
    """Around each edge of the truth, and a day apart throughout."""
    edges = [edge for one in life.says for edge in (one.begins, one.ends) if edge < LAST]
    first = min(fact.at for fact in life.facts)
    return sorted({*(edge + part for edge in edges for part in (-SECOND, SECOND)), *(first + n * DAY for n in range(0, 90, 3))})


@pytest.mark.parametrize("seed", [1])
@pytest.mark.parametrize("name", lives.PLANTS)
def test_what_speaks_is_the_truth_at_every_moment(name, seed):
    """Which indicators speak of a case, just before and after each edge and throughout, in the order of time and shuffled."""
    for life in lives.lives(seed):
        if life.name != name:
            continue
        events = [event_of(life, fact) for fact in lives.shuffled(life, seed)]
        for now in moments(life):
            right = {one.indicator for one in life.says if one.begins <= now < one.ends}
            assert speaking(life.key, events, at(now)) == right, (life.key, now, life.facts)


LOOKS = 6 * HOUR
NO_ALERT = {"findings_of_law"}  # for the desk, no light of its own


class Desk:
    """The view of a monitor that lives through these lives: each row as it comes, a look at everything every six hours."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._offset = 0
        self._read: dict[Partition, int] = {}
        self._known: dict[str, list[Event]] = {}
        self._now = 0
        self._judge = Judge(Panel.of(), CLOCKWORK, lambda: self._now)

    def live(self, city: list[Life]) -> None:
        coming = sorted((fact.came, life.key, number) for life in city for number, fact in enumerate(life.facts))
        facts = {(life.key, number): event_of(life, fact) for life in city for number, fact in enumerate(life.facts)}
        look = coming[0][0]
        for came, key, number in coming:
            while look <= came:
                self.look(look)
                look += LOOKS
            self._take(key, facts[key, number], came)
        while look < coming[-1][0] + 30 * DAY:
            self.look(look)
            look += LOOKS

    def look(self, now: datetime) -> None:
        self._now = at(now)
        self._judge.sweep(self._view)

    def _take(self, key: str, event: Event, now: datetime) -> None:
        self._now = at(now)
        events = self._known.setdefault(key, [])
        events.append(event)
        entries = world.chain(events)
        effective = {one.id for one in counted(events, key)}
        aside = {one.id: "cancelled" for one in events if one.id not in effective}
        state = CaseState(fold(events, LAW, key), world.ledger(events, aside), len(events), entries[-1]["hash"])
        records = [world.journal_record(entries[-1], self._offset), world.state_record(state, self._offset)]
        self._offset += 1
        self._view.apply_batch(records, self._read, world.CODEC, self._judge.after_batch)
        self._read = {Partition(topic, 0): self._offset for topic in (JOURNAL.name, STATE.name)}

    def said(self, kind: str) -> Counter[tuple[str, str]]:
        table = tables.alerts.c
        rows = self._view.all(select(table.case_key, table.indicator).where(table.type == kind, table.case_key != ""))
        return Counter((row.case_key, row.indicator) for row in rows)


@pytest.fixture(scope="module")
def city() -> list[Life]:
    return lives.lives(2, 1)


@pytest.fixture(scope="module")
def desk(city: list[Life], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    view = View.at(tmp_path_factory.mktemp("alerts") / "view.db")
    desk = Desk(view)
    desk.live(city)
    yield desk
    view.close()


def test_each_alert_is_raised_once_and_no_other(desk: Desk, city: list[Life]) -> None:
    """What was true, and what looked true until somebody keyed in the rest."""
    right = {(life.key, one.indicator) for life in city for one in (*life.says, *life.lies) if one.indicator not in NO_ALERT}
    raised = desk.said("AlertRaised")
    assert raised.keys() == right
    assert set(raised.values()) == {1}


def test_what_proves_wrong_is_withdrawn_and_nothing_else(desk: Desk, city: list[Life]) -> None:
    """That a case went on takes nothing back; a row keyed in late, or a correction, does."""
    assert desk.said("AlertWithdrawn").keys() == {(life.key, one.indicator) for life in city for one in life.lies}


def test_the_truth_speaks_of_every_indicator_that_asks_cases() -> None:
    """A new indicator without a life that it must find, and one it must pass by, is not held to anything."""
    assert set(lives.kinds()) >= {name for name, one in indicators().items() if one.of_case is not None}


def test_the_truth_is_a_second_opinion() -> None:
    """It imports nothing of ours: what says what is right shares no code with what is judged."""
    named = set()
    for module in (alert_life, lives, alert_offices):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        named |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        named |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert named - {"alert_life"} <= sys.stdlib_module_names | {"collections.abc"}


@pytest.fixture(scope="module")
def offices(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Life], View]]:
    """The view of five departments' short lives, all in one batch, shuffled."""
    city = alert_offices.offices(3)
    records = []
    for life in sorted(city, key=lambda one: one.key[::-1]):
        events = [event_of(life, fact) for fact in lives.shuffled(life, 3)]
        entries = world.chain(events)
        records += [world.journal_record(entry, len(records) + number) for number, entry in enumerate(entries)]
        state = CaseState(fold(events, LAW, life.key), world.ledger(events), len(events), entries[-1]["hash"])
        records.append(world.state_record(state, len(records)))
    view = View.at(tmp_path_factory.mktemp("offices") / "view.db")
    view.apply_batch(records, {}, world.CODEC)
    yield city, view
    view.close()


def test_what_is_said_of_departments_is_the_truth_at_every_time(offices: tuple[list[Life], View]) -> None:
    """Silence against their own habits, a backlog that grows; twice a week, and something of both is there to be found."""
    city, view = offices
    said: set[str] = set()
    for number in range(30):
        now = opens(FIRST) + number * 84 * HOUR + 7 * MINUTE
        right = alert_offices.about_offices(city, now)
        with view.snapshot() as snapshot:
            found = [one for line in lines(snapshot, CLOCKWORK, at(now)) for one in Panel.of().of_department(line)]
        assert {(one.who, one.indicator.name) for one in found} == right, now
        said |= {indicator for _, indicator in right}
    assert said == {name for name, one in indicators().items() if one.of_department is not None}
