"""The shared picture: it follows the view, case by case."""

from __future__ import annotations

import monitor_world as world
from web_world import ENDED, GREEN, NOW, RED, applied, lives, records

from bus.ports import Partition
from bus.topics import JOURNAL, STATE
from monitor.times import HOUR
from monitor.web.access import Role, User
from monitor.web.accounts import Accounts, Look
from monitor.web.asked import When
from router.case import fold
from router.law import LawProfile


def test_a_picture_holds_open_cases_worst_first(site):
    """The red one comes first, the ended one is not there."""
    assert [one.key for one in site.live.picture.glances] == [RED, GREEN]
    assert site.live.picture.refused == 1


def test_a_view_that_has_not_moved_makes_no_new_picture(site):
    """Watchers are told nothing when there is nothing to tell."""
    before = site.live.picture
    assert not site.live.look()
    assert site.live.picture is before


def test_only_what_changed_is_read_and_an_ended_case_leaves(site, view):
    """A decision on the red case arrives."""
    decided = world.event("Decided", 39 * 24, RED, authority="fire@11", result="GRANTED")
    before = next(record for record in records() if record.topic == STATE.name)
    state = world.state([applied(9, RED, "11"), decided], fold([applied(9, RED, "11"), decided], LawProfile(), RED))
    record = world.state_record(state, 9)
    assert before.offset < record.offset
    view.apply_batch([record], {Partition(STATE.name, 0): 3}, world.CODEC)
    version = site.live.picture.version
    assert site.live.look()
    assert [one.key for one in site.live.picture.glances] == [GREEN]
    assert site.live.picture.version == version + 1


def test_of_many_cases_the_indicators_look_at_a_few_at_a_time(site, monkeypatch):
    """Turn by turn they find what one look over all open cases finds, and nothing twice."""
    site.hits.look()
    whole = site.hits.spotted
    assert len(whole) > 0
    for name, value in (("MANY", 0), ("TURN", 0.0), ("_FEW", 1)):
        monkeypatch.setattr(f"monitor.web.hits.{name}", value)
    for _ in range(6):
        site.hits.look()
    assert {(one.found.indicator.name, one.found.case) for one in site.hits.spotted if one.found.case != ENDED} == {
        (one.found.indicator.name, one.found.case) for one in whole if one.found.case != ENDED
    }
    assert len(site.hits.spotted) <= len(whole)


def test_a_picture_of_the_past_is_kept_and_made_anew_when_the_view_moves(site):
    """What is known now of a past day may change."""
    from monitor.statistics.source import Window

    when = world.at(20)
    first = site.past.picture(Window(when), when, 1)
    assert [one.key for one in first.glances] == [RED]
    assert site.past.picture(Window(when), when, 1) is first
    assert site.past.picture(Window(when), when, 2) is not first
    assert first.open() == list(first.glances)


def test_what_is_known_at_a_moment_to_come_is_not_kept_for_ever(site, view):
    """Who asks in the morning for the end of the day must not leave the morning's picture to who asks in the evening."""
    tonight, long_ago = When(NOW + HOUR, then=True), When(NOW - 2 * HOUR, then=True)
    assert [one.key for one in site.picture(tonight).open()] == [RED, GREEN]
    kept = site.picture(long_ago)
    decided = world.event("Decided", 40 * 24, RED, authority="fire@11", result="GRANTED")
    events = [*next(events for key, events in lives() if key == RED), decided]
    state = world.state_record(world.state(events, fold(events, LawProfile(), RED)), 900)
    read_from = {Partition(JOURNAL.name, 0): 9, Partition(STATE.name, 0): 3}
    view.apply_batch([world.journal_record(world.chain(events)[-1], 900), state], read_from, world.CODEC)
    assert [one.key for one in site.picture(tonight).open()] == [GREEN]
    assert site.picture(long_ago) is kept


def test_the_trend_counts_what_came_on_local_days(site):
    """One application in the last thirty days, in county 12."""
    days = site.live.picture.days(site.zone, frozenset({"12"}))
    assert sum(day.applied for day in days) == 1
    assert sum(day.applied for day in site.live.picture.days(site.zone, frozenset({"11"}))) == 0


def test_a_session_ends_when_it_is_not_used(accounts: Accounts):
    """And lives on while it is."""
    hour = 3_600_000_000
    secret = accounts.sign_in("chief", "correct horse", NOW)
    assert accounts.session(secret, NOW + 11 * hour) == User("chief", Role.SUPERVISOR)
    assert accounts.session(secret, NOW + 22 * hour) is not None
    assert accounts.session(secret, NOW + 35 * hour) is None


def test_a_new_password_signs_out_and_removing_somebody_takes_their_tokens(accounts: Accounts):
    """At once."""
    secret, token = accounts.sign_in("chief", "correct horse", NOW), accounts.new_token("chief", NOW)
    accounts.add(User("chief", Role.AUDITOR), "another horse", NOW)
    assert accounts.session(secret, NOW) is None
    assert accounts.bearer(token) == User("chief", Role.AUDITOR)
    accounts.remove("chief")
    assert accounts.bearer(token) is None
    assert accounts.sign_in("chief", "another horse", NOW) is None


def test_looks_are_kept_newest_first(accounts: Accounts):
    """And can be asked for by name and by what was looked at."""
    for number, name in enumerate(("chief", "county", "chief")):
        accounts.looked(Look(number, name, "/cases", f"000{number}"))
    assert [look.at for look in accounts.looks()] == [2, 1, 0]
    assert [look.about for look in accounts.looks(name="chief")] == ["0002", "0000"]
    assert [look.name for look in accounts.looks(about="0001")] == ["county"]
