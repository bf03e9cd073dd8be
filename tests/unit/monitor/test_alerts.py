"""Alerts are judged in the transaction of the tables, sent once, and never raised while history is loaded."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import monitor_world as world
import pytest
from sqlalchemy import delete, select

from bus import topics
from bus.errors import CorruptionError, RetryError
from bus.memory import Cluster
from bus.partition import partition_of
from bus.ports import Message, Partition
from bus.topics import ALERTS, JOURNAL, STATE
from monitor import tables
from monitor.afterwards import Afterwards
from monitor.alerts import Judge
from monitor.indicator import Panel
from monitor.lights import Clockwork
from monitor.outbox import identity, message, publish, standing
from monitor.rows import Rows
from monitor.service import Service
from monitor.speaker import Speaker
from monitor.view import View
from schemas.calendar import Calendar, CalendarSettings
from schemas.case import Case, CaseState, Finding, HandOver
from schemas.clock import ClockRules

CLOCKWORK = Clockwork(ClockRules(), Calendar(CalendarSettings()), ZoneInfo("Asia/Shanghai"))
KEY = world.KEY
JOURNAL_0 = Partition(JOURNAL.name, 0)


@pytest.fixture
def cluster():
    made = Cluster()
    made.create(topics.standard(4))
    return made


@pytest.fixture
def view(tmp_path):
    opened = View.at(tmp_path / "view.db")
    yield opened
    opened.close()


def judge(hour):
    return Judge(Panel.of(), CLOCKWORK, lambda: world.at(hour))


def state(offset=0, **fields):
    known = {"applied_at": world.at(0), "accepted_at": world.at(1), "promised_days": 3, "authority": "hall@500103"}
    return world.state_record(world.state([world.event("Applied", 0)], Case(KEY, **(known | fields))), offset)


def waiting(view):
    return [(row.indicator, row.light, row.judged_sequence, row.sent) for row in view.all(select(tables.alerts))]


def test_an_alert_stands_in_the_outbox_with_the_tables_it_was_judged_from(view):
    """One transaction: case and alert are there together, with the journal sequence that was judged."""
    view.apply_batch([state()], {}, world.CODEC, judge(24 * 8).after_batch)
    assert waiting(view) == [("promise_passed", "YELLOW", 1, False)]


def test_a_batch_that_falls_takes_its_alerts_along(view):
    """No alert remains of what was not written."""

    def fail(connection, rows):
        judge(24 * 8).after_batch(connection, rows)
        connection.execute(tables.cases.insert(), rows.of(tables.cases))

    with pytest.raises(CorruptionError):
        view.apply_batch([state()], {}, world.CODEC, fail)
    assert waiting(view) == []


def test_the_same_judgement_is_one_alert(view):
    """The second sweep finds what the first one said; another light is another alert."""
    view.apply_batch([state()], {}, world.CODEC)
    assert judge(24 * 8).sweep(view) == 1
    assert judge(24 * 9).sweep(view) == 0
    assert judge(24 * 60).sweep(view) == 1
    assert sorted(light for _, light, *_ in waiting(view)) == ["RED", "YELLOW"]


def test_time_alone_lets_a_hand_over_speak(view):
    """Nothing came for three days: that is the news."""
    move = HandOver("h1", "up", "hall@500103", "hall@500100", world.at(2))
    view.apply_batch([state(hand_overs=[move], promised_days=30)], {}, world.CODEC)
    assert judge(20).sweep(view) == 0
    assert judge(24 * 3).sweep(view) == 1
    assert waiting(view)[0][0] == "sent_not_received"


def test_findings_of_history_are_not_brought_up(view):
    """A sweep speaks of what is open; a batch of nothing that ended long ago."""
    finding = Finding("second_supplement_notice", world.at(1), "e")
    ended = {"findings": [finding], "stopped_at": world.at(2), "ended_at": world.at(2)}
    view.apply_batch([state(**ended)], {}, world.CODEC)
    assert judge(5).sweep(view) == 0
    view.apply_batch([state(1, **ended)], {Partition(STATE.name, 0): 1}, world.CODEC, judge(24 * 60).after_batch)
    assert waiting(view) == []


def test_loading_history_raises_nothing_and_going_live_does(cluster, view):
    """The batch behind the load is judged, the load itself is not."""
    finding = Finding("second_supplement_notice", world.at(1), "e")
    record = state(findings=[finding])
    cluster.publish([Message(record.topic, 0, record.key, record.value, 0)])
    service = Service(view, cluster, world.CODEC, also=judge(5).after_batch)
    service.load()
    assert waiting(view) == []
    looks = []

    def stop():
        if not looks:
            cluster.publish([Message(record.topic, 0, record.key, record.value, 0)])
        looks.append(1)
        return bool(waiting(view))

    service.follow(stop)
    assert [one[0] for one in waiting(view)] == ["second_supplement_notice"]


def test_an_alert_is_published_once_on_the_partition_of_its_case(cluster, view):
    """As an event of the case, with the sequence that was judged; then nothing waits any more."""
    view.apply_batch([state()], {}, world.CODEC, judge(24 * 8).after_batch)
    assert publish(view, cluster, world.CODEC) == 1
    assert publish(view, cluster, world.CODEC) == 0
    (record,) = cluster.records(topics.ALERTS.name)
    event = world.CODEC.decode(record.value)
    assert record.partition == partition_of(KEY.encode(), 4)
    assert (event.type, event.case, event.body["light"], event.body["judged_sequence"]) == ("AlertRaised", KEY, "YELLOW", 1)


def test_an_alert_sent_twice_after_a_crash_is_the_same_event(cluster, view):
    """The answer to the commit was lost: sent again, it has the same id and the same body."""
    view.apply_batch([state()], {}, world.CODEC, judge(24 * 8).after_batch)
    cluster.fail_after_commit()
    with pytest.raises(RetryError):
        publish(view, cluster, world.CODEC)
    assert publish(view, cluster, world.CODEC) == 1
    first, second = (world.CODEC.decode(record.value) for record in cluster.records(topics.ALERTS.name))
    assert (first.id, first.header["body_hash"]) == (second.id, second.header["body_hash"])


def test_the_speaker_looks_over_all_cases_now_and_then_and_publishes_at_once(cluster, view):
    """A limit passes while nothing comes; between two looks what a batch brought is sent all the same."""
    seconds = [0.0]
    speaker = Speaker(view, cluster, world.CODEC, judge(24 * 8), lambda: seconds[0])
    speaker(Rows({}, []))
    view.apply_batch([state()], {}, world.CODEC)
    speaker(Rows({}, []))
    assert cluster.records(topics.ALERTS.name) == []
    seconds[0] = 61.0
    speaker(Rows({}, []))
    assert len(cluster.records(topics.ALERTS.name)) == 1


def test_a_look_over_many_cases_lets_what_comes_have_its_turn(cluster, view, monkeypatch):
    """A batch between two turns does not wait for the whole look, which goes on where it stopped and misses nobody."""
    monkeypatch.setattr("monitor.alerts._FEW", 1)
    cases = [Case(f"city:{n}", applied_at=world.at(0), accepted_at=world.at(1), promised_days=3) for n in range(3)]
    records = [world.state_record(world.state([world.event("Applied", 0, one.key)], one), n) for n, one in enumerate(cases)]
    view.apply_batch(records, {}, world.CODEC)
    ticks = iter(range(1000))
    speaker = Speaker(view, cluster, world.CODEC, judge(24 * 8), lambda: float(next(ticks)))
    for told in (1, 2, 3, 3):
        speaker(Rows({}, []))
        assert len(cluster.records(topics.ALERTS.name)) == told


LATE = {"accepted_at": world.at(1), "promised_days": 3}
RAISED, LATER = 24 * 8, 24 * 9


def batch(view, offset, case, events=(), *, hour=LATER, standings=None):
    """The next state of the case, with its events, judged at that hour."""
    entries = world.chain(list(events) or [world.event("Applied", 0)])
    records = [world.journal_record(entry, n) for n, entry in enumerate(entries)] if events else []
    fields = {"applied_at": world.at(0), "authority": "hall@500103"} | case
    one = CaseState(Case(KEY, **fields), world.ledger(list(events), standings), len(entries), entries[-1]["hash"])
    read_from = {Partition(STATE.name, 0): offset}
    view.apply_batch([*records, world.state_record(one, offset)], read_from, world.CODEC, judge(hour).after_batch)


def said(view):
    query = select(tables.alerts).order_by(tables.alerts.c.raised_at, tables.alerts.c.type)
    return [(row.indicator, row.type, row.attempt) for row in view.all(query)]


def test_a_decision_that_came_too_late_leaves_the_yellow_card(view):
    """It was right when it was raised: the promise had passed."""
    batch(view, 0, LATE, hour=RAISED)
    batch(view, 1, LATE | {"stopped_at": world.at(RAISED + 2), "ended_at": world.at(RAISED + 2)})
    assert said(view) == [("promise_passed", "AlertRaised", 1)]


def test_what_is_learnt_later_withdraws_an_alert_that_was_wrong(view, cluster):
    """The decision had been taken in time, and was keyed in late."""
    batch(view, 0, LATE, hour=RAISED)
    publish(view, cluster, world.CODEC)
    batch(view, 1, LATE | {"stopped_at": world.at(30), "ended_at": world.at(30)})
    assert said(view) == [("promise_passed", "AlertRaised", 1), ("promise_passed", "AlertWithdrawn", 1)]
    assert publish(view, cluster, world.CODEC) == 1
    raised, withdrawn = (world.CODEC.decode(record.value) for record in cluster.records(topics.ALERTS.name))
    assert (withdrawn.type, withdrawn.body["alert"]) == ("AlertWithdrawn", raised.body["alert"])
    assert withdrawn.origin != raised.origin
    counted = [len(view.all(select(tables.alerts).where(standing(at)))) for at in (world.at(1), world.at(RAISED), None)]
    assert counted == [0, 1, 0]


def test_what_comes_back_after_its_withdrawal_is_another_alert(view):
    """The withdrawing correction was itself wrong."""
    batch(view, 0, LATE, hour=RAISED)
    batch(view, 1, LATE | {"stopped_at": world.at(30), "ended_at": world.at(30)})
    batch(view, 2, LATE, hour=LATER + 1)
    assert [kind for _, kind, _ in said(view)] == ["AlertRaised", "AlertWithdrawn", "AlertRaised"]
    assert len({row.alert for row in view.all(select(tables.alerts))}) == 2


def refused(view, kind="AlertRaised"):
    """The router's entry of an alert of ours that it found stale."""
    row = next(row for row in view.all(select(tables.alerts)) if row.type == kind)
    return world.CODEC.decode(message(row, world.CODEC, 4).value)


def test_an_alert_that_the_router_refused_is_judged_again(view, cluster):
    """It knew more of the case than we had seen; what still holds is said again, as another event of the same alert."""
    batch(view, 0, LATE, hour=RAISED)
    publish(view, cluster, world.CODEC)
    stale = refused(view)
    batch(view, 1, LATE, [stale], standings={stale.id: "stale"})
    assert said(view) == [("promise_passed", "AlertRaised", 2)]
    assert publish(view, cluster, world.CODEC) == 1
    first, second = (world.CODEC.decode(record.value) for record in cluster.records(topics.ALERTS.name))
    assert first.body["alert"] == second.body["alert"]
    assert first.id != second.id


def test_an_alert_that_was_refused_and_no_longer_holds_was_never_said(view, cluster):
    """What the router knew better makes it moot."""
    batch(view, 0, LATE, hour=RAISED)
    publish(view, cluster, world.CODEC)
    stale = refused(view)
    case = LATE | {"stopped_at": world.at(30), "ended_at": world.at(30)}
    batch(view, 1, case, [stale], standings={stale.id: "stale"})
    assert said(view) == []


def test_a_view_built_anew_knows_what_has_been_said(view, cluster):
    """The journal brings the alerts back: the same judgement is not said twice."""
    batch(view, 0, LATE, hour=RAISED)
    event = refused(view)
    with view.writing() as connection:
        connection.execute(delete(tables.alerts))
    batch(view, 1, LATE, [event])
    assert said(view) == [("promise_passed", "AlertRaised", 1)]
    assert publish(view, cluster, world.CODEC) == 0
    assert identity(event.body["alert"], "AlertRaised", 1) == event.id


def test_a_view_built_anew_knows_whom_an_alert_was_about(view):
    """Who has to act and what about stand in the alert's event; its withdrawal is about the same."""
    batch(view, 0, LATE, hour=RAISED)
    batch(view, 1, LATE | {"stopped_at": world.at(30), "ended_at": world.at(30)})
    before = view.all(select(tables.alerts).order_by(tables.alerts.c.type))
    assert [(row.who, row.about != "") for row in before] == [("hall@500103", True)] * 2
    events = [refused(view, kind) for kind in ("AlertRaised", "AlertWithdrawn")]
    with view.writing() as connection:
        connection.execute(delete(tables.alerts))
    entries = [world.journal_record(entry, n) for n, entry in enumerate(world.chain(events))]
    view.apply_batch(entries, {}, world.CODEC)
    again = view.all(select(tables.alerts).order_by(tables.alerts.c.type))
    columns = ("alert", "type", "case_key", "indicator", "light", "who", "about")
    assert [[getattr(row, name) for name in columns] for row in again] == [
        [getattr(row, name) for name in columns] for row in before
    ]


def test_a_department_that_falls_silent_is_told_once_and_its_return_too(view):
    """It is about no case, so it goes to people and not on the bus."""
    days = [world.event("Applied", 24 * day, f"city:{day}", authority="quality@500103") for day in range(60) if day % 7 < 5]
    records = [world.journal_record(world.chain([one])[0], n) for n, one in enumerate(days)]
    view.apply_batch(records, {}, world.CODEC)
    assert judge(24 * 61).sweep(view) == 0
    assert judge(24 * 72).sweep(view) == 1
    assert judge(24 * 73).sweep(view) == 0
    back = world.event("Applied", 24 * 74, "city:new", authority="quality@500103")
    view.apply_batch([world.journal_record(world.chain([back])[0], 99)], {JOURNAL_0: len(days)}, world.CODEC)
    assert judge(24 * 74 + 1).sweep(view) == 0
    assert said(view) == [("silent_department", "AlertRaised", 1), ("silent_department", "AlertWithdrawn", 1)]


def test_a_replay_speaks_once_it_is_quiet_and_takes_back_what_then_proves_wrong(cluster, view):
    """Nothing is said of half a life; of a whole one as always; and what comes later is judged when it is quiet again."""
    seconds = [0.0]
    judging = judge(24 * 8)
    speaker = Speaker(view, cluster, world.CODEC, judging, lambda: seconds[0])
    told = Afterwards(view, judging, speaker, lambda: seconds[0])
    said = []
    for pause, record in (
        (0, state()),
        (4, None),
        (2, None),
        (0, state(1, stopped_at=world.at(9), ended_at=world.at(9))),
        (6, None),
    ):
        seconds[0] += pause
        place = {Partition(STATE.name, 0): record.offset} if record else {}
        told(view.apply_batch([record], place, world.CODEC) if record else Rows({}, []))
        said.append([(row.indicator, row.type) for row in view.all(select(tables.alerts).order_by(tables.alerts.c.type))])
    late = ("promise_passed", "AlertRaised")
    assert said == [[], [], [late], [late], [late, ("promise_passed", "AlertWithdrawn")]]
    assert len(cluster.records(ALERTS.name)) == 2
