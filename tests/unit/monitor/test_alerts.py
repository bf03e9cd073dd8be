"""Alerts are judged in the transaction of the tables, sent once, and never raised while history is loaded."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import monitor_world as world
import pytest
from sqlalchemy import select

from bus import topics
from bus.errors import CorruptionError, RetryError
from bus.memory import Cluster
from bus.partition import partition_of
from bus.ports import Message
from monitor import tables
from monitor.alerts import Judge, Speaker, publish
from monitor.indicator import indicators
from monitor.lights import Clockwork
from monitor.rows import Rows
from monitor.service import Service
from monitor.view import View
from schemas.calendar import Calendar, CalendarSettings
from schemas.case import Case, Finding, HandOver
from schemas.clock import ClockRules

CLOCKWORK = Clockwork(ClockRules(), Calendar(CalendarSettings()), ZoneInfo("Asia/Shanghai"))
KEY = world.KEY


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
    return Judge(tuple(indicators().values()), CLOCKWORK, lambda: world.at(hour))


def state(offset=0, **fields):
    known = {"applied_at": world.at(0), "accepted_at": world.at(1), "promised_days": 3, "authority": "hall@500103"}
    return world.state_record(world.state([world.event("Applied", 0)], Case(KEY, **(known | fields))), offset)


def waiting(view):
    return [(row.indicator, row.light, row.judged_sequence, row.sent) for row in view.all(select(tables.outbox))]


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
    view.apply_batch([state(hand_overs=[HandOver("h1", "up", "hall@500103", "hall@500100", world.at(2))])], {}, world.CODEC)
    assert judge(20).sweep(view) == 0
    assert judge(24 * 3).sweep(view) == 1
    assert waiting(view)[0][0] == "sent_not_received"


def test_findings_of_history_are_not_brought_up_by_a_sweep(view):
    """They speak when they come; what was loaded is mute."""
    view.apply_batch([state(findings=[Finding("second_supplement_notice", world.at(1), "e")])], {}, world.CODEC)
    assert judge(5).sweep(view) == 0


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
