"""How well people were served: whose days they were, how often they had to come, what was promised and what was used."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import monitor_city
import monitor_world as world
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.lights import Clockwork
from monitor.statistics import ask
from monitor.statistics.ask import Asked
from monitor.statistics.compute import Inputs
from monitor.statistics.holding import held, passages
from monitor.statistics.period import Period, month_of
from monitor.statistics.row import Trace
from monitor.statistics.service import Score, Yardstick, compared
from monitor.statistics.source import Known
from monitor.statistics.standard import Listing
from monitor.statistics.visits import visits
from monitor.times import DAY
from schemas.calendar import Calendar, CalendarSettings
from schemas.case import Case, Finding, HandOver, Outcome, Pause, Reopening, Supplement, Ticket
from schemas.catalogue import Catalogue
from schemas.clock import ClockRules, Limit, Unit

ZONE = ZoneInfo("Asia/Shanghai")
CLOCKWORK = Clockwork(ClockRules(), Calendar(CalendarSettings()), ZONE)
MARCH = Period(date(2025, 3, 1), date(2025, 3, 31))
DAYS = 24


def level(authority):
    return {"500103": "county", "500100": "municipal"}.get(authority.partition("@")[2], "")


def case(**fields):
    known = {"authority": "quality@500103", "region": "500103", "item": "0123", "applied_at": world.at(0)}
    return Case(world.KEY, **(known | fields))


def test_each_day_is_somebodys():
    """Ten days: asked for papers, on the way up, an expert's review, the rest with county and municipality."""
    one = case(
        stopped_at=world.at(10 * DAYS),
        supplements=[Supplement(1, world.at(1 * DAYS), world.at(3 * DAYS))],
        hand_overs=[HandOver("h", "up", "quality@500103", "quality@500100", world.at(4 * DAYS), world.at(5 * DAYS))],
        pauses=[Pause("p", world.at(6 * DAYS), world.at(8 * DAYS), "EXPERT_REVIEW")],
    )
    assert held(one, level, world.at(99 * DAYS)) == {"county": 2, "applicant": 2, "on the way": 1, "municipal": 3, "expert": 2}


def test_while_several_could_hold_it_the_applicant_counts_first():
    """Papers are missing during a procedure: nobody else can go on."""
    one = case(
        stopped_at=world.at(2 * DAYS),
        supplements=[Supplement(1, world.at(0), world.at(1 * DAYS))],
        pauses=[Pause("p", world.at(0), None, "NATIONAL_DECISION")],
    )
    assert held(one, level, world.at(9 * DAYS)) == {"applicant": 1, "national": 1}


def test_a_case_that_goes_on_counts_up_to_now_and_an_unknown_authority_is_nobody():
    """What is not in the directory is not guessed."""
    assert held(case(authority="x@y"), level, world.at(3 * DAYS)) == {"unknown": 3}
    assert held(case(applied_at=None), level, world.at(3 * DAYS)) == {}


moments = st.integers(0, 20)


def test_nobody_has_a_case_between_its_end_and_its_reopening():
    """Decided after two days, taken up again on day ten, open on day thirteen: five days, the county's."""
    former = Reopening(10 * DAY, outcome=Outcome.REVOKED, stopped_at=2 * DAY, ended_at=2 * DAY)
    case = Case("city:1", authority="a@500103", applied_at=0, accepted_at=0, reopenings=[former])
    assert held(case, level, 13 * DAY) == {"county": 5.0}


@given(st.lists(st.tuples(moments, moments), max_size=4), st.lists(st.tuples(moments, moments), max_size=4), moments)
def test_the_days_of_all_holders_are_the_days_of_the_case(asked, paused, length):
    """No day is lost, none counted twice, however the parts overlap or contradict each other."""
    one = case(
        stopped_at=world.at(length),
        supplements=[Supplement(n, world.at(a), world.at(b)) for n, (a, b) in enumerate(asked)],
        pauses=[Pause(str(n), world.at(a), world.at(b), "HEARING") for n, (a, b) in enumerate(paused)],
    )
    spans = passages(one, level, world.at(99))
    assert sum(span.end - span.start for span in spans) == world.at(length) - world.at(0)
    assert all(before.end == after.start for before, after in pairwise(spans))


@pytest.mark.parametrize(
    ("fields", "tickets", "count"),
    [
        ({"channel": "COMPUTER"}, [], 0),
        ({"channel": "WINDOW"}, [], 1),
        ({"channel": "WINDOW"}, [world.at(0) - 1], 2),
        ({"channel": "WINDOW"}, [world.at(1)], 1),
        ({"channel": "WINDOW", "collected_at": world.at(5 * DAYS)}, [], 2),
        ({"channel": "WINDOW", "supplements": [Supplement(1, world.at(1), world.at(9 * DAYS))]}, [], 2),
        ({"channel": "COMPUTER", "supplements": [Supplement(1, world.at(1), world.at(9 * DAYS))]}, [], 0),
    ],
    ids=["online", "once", "yesterday's ticket", "ticket of the day", "collected", "brought papers", "sent papers"],
)
def test_how_often_the_applicant_had_to_come(fields, tickets, count):
    """Days at a window; what goes online is no visit."""
    numbers = [Ticket(str(at), at) for at in tickets]
    assert visits(case(**fields, tickets=numbers), ZONE) == count


def test_a_month_is_held_against_the_month_before():
    """And any other span against as many days."""
    assert MARCH.before() == Period(date(2025, 2, 1), date(2025, 2, 28))
    assert Period(date(2025, 1, 1), date(2025, 3, 31)).before() == Period(date(2024, 10, 1), date(2024, 12, 31))
    assert Period(date(2025, 3, 3), date(2025, 3, 9)).before() == Period(date(2025, 2, 24), date(2025, 3, 2))
    assert month_of(world.at(30), ZONE) == Period(date(2025, 3, 1), date(2025, 3, 4))


def test_a_month_is_held_against_the_same_month_of_the_year_before():
    """A February of a leap year goes back to the end of the other."""
    assert MARCH.year_before() == Period(date(2024, 3, 1), date(2024, 3, 31))
    assert Period(date(2025, 2, 1), date(2025, 2, 28)).year_before() == Period(date(2024, 2, 1), date(2024, 2, 29))
    assert Period(date(2024, 2, 29), date(2024, 3, 1)).year_before() == Period(date(2023, 2, 28), date(2023, 3, 1))
    assert Period(date(2025, 2, 28), date(2025, 3, 31)).year_before() == Period(date(2024, 2, 28), date(2024, 3, 31))
    assert Period(date(2025, 2, 3), date(2025, 2, 28)).year_before() == Period(date(2024, 2, 3), date(2024, 2, 28))


def test_a_period_ends_with_its_last_day():
    """Both days counted, local midnight to local midnight."""
    start, end = Period(date(2025, 3, 3), date(2025, 3, 3)).bounds(ZONE)
    assert (start, end) == (world.at(0), world.at(24))


def decided(hour, **fields):
    """A case accepted at once and decided at that hour; seven days promised, twenty by law."""
    known = {"accepted_at": world.at(0), "stopped_at": world.at(hour), "ended_at": world.at(hour), "outcome": Outcome.GRANTED}
    return case(**(known | {"promised_days": 7, "statutory_days": 20} | fields))


def scored(*cases, period=MARCH):
    known = [Known(one, Trace(one.key, ())) for one in cases]
    return compared(known, period, Yardstick(CLOCKWORK, level, world.at(300 * DAYS)))


def test_compression_is_what_the_law_gave_and_was_not_used():
    """Two cases: four and eight working days used of twenty; one broke its promise."""
    total = scored(decided(4 * DAYS), decided(10 * DAYS)).now.total
    assert (total.statutory_days, total.promised_days, total.actual_days) == (40, 14, 4 + 8)
    rates = total.rates()
    assert rates["promise_of_law"] == 0.35
    assert rates["compression"] == 0.7
    assert (rates["on_time"], rates["within_law"]) == (0.5, 1.0)


def test_days_in_two_units_are_not_compared():
    """Working days promised, natural ones by law: the case is decided and on time, and no share of days is made of it."""

    class Items:
        def item(self, *_):
            return Mixed()

    class Mixed:
        promised, statutory, joint, hands_up = Limit(7), Limit(20, Unit.NATURAL), False, False

    one = decided(4 * DAYS, promised_days=None, statutory_days=None)
    yardstick = Yardstick(CLOCKWORK._replace(items=Items()), level, world.at(300 * DAYS))
    total = compared([Known(one, Trace(one.key, ()))], MARCH, yardstick).now.total
    assert (total.decided, total.limited, total.on_time, total.compared) == (1, 1, 1, 0)
    assert total.rates()["compression"] is None


def test_what_was_not_decided_has_no_compression():
    """A withdrawn case ended, and was not decided."""
    total = scored(decided(4 * DAYS, outcome=Outcome.WITHDRAWN)).now.total
    assert (total.ended, total.decided, total.compared) == (1, 0, 0)
    assert total.rates()["compression"] is None


def test_a_case_counts_when_it_is_applied_for_and_when_it_ends():
    """February's application, March's decision."""
    one = decided(4 * DAYS, applied_at=world.at(-10 * DAYS))
    found = scored(one)
    assert (found.now.total.applied, found.now.total.ended) == (0, 1)
    assert (found.then.total.applied, found.then.total.ended) == (1, 0)


def test_every_rate_stands_beside_the_earlier_one():
    """March was slower than February."""
    february = decided(-20 * DAYS, applied_at=world.at(-26 * DAYS), accepted_at=world.at(-26 * DAYS))
    change = scored(decided(10 * DAYS), february).changes()["on_time"]
    assert change == {"now": 0.0, "then": 1.0, "change": -1.0}


def test_detours_findings_and_ratings_are_counted():
    """What a case went through."""
    moves = [HandOver("h", "up", "a", "b", world.at(1), world.at(2))]
    one = decided(4 * DAYS, hand_overs=moves, findings=[Finding("accepted_twice", world.at(1), "e")], rating=5)
    rates = scored(one).now.total.rates()
    assert (rates["hand_overs_each"], rates["findings"], rates["bad_ratings"]) == (1.0, 1.0, 1.0)


def test_an_empty_score_divides_by_nothing():
    """Before anything came."""
    assert set(Score().rates().values()) == {None}


@pytest.fixture(scope="module")
def city(shared, tmp_path_factory):
    return monitor_city.City(shared, tmp_path_factory.mktemp("city"), 6, 120)


@pytest.fixture(scope="module")
def view(city, tmp_path_factory):
    with monitor_city.fed(city, tmp_path_factory.mktemp("view")) as view:
        yield view


def served(city, view, period, asked, level=lambda _: "county"):
    inputs = Inputs(world.CODEC, monitor_city.FOLDING, city.clockwork)
    listing = Listing(Catalogue([]), (), period.last)
    return ask.figures(view, inputs, level, ask.Span(period, period.before()), listing, asked)


def test_over_the_whole_time_the_city_is_served_as_its_truth_says(city, view):
    """Cases applied for and ended, and those decided too late."""
    truth = city.summary()
    at = max(truth["at"], key=lambda one: one["as_of"])
    moment = monitor_city.moment(at["as_of"])
    first, last = date(2024, 1, 1), date.fromisoformat(at["as_of"][:10])
    asked = Asked(window=ask.Window(at=moment))
    figures = served(city, view, Period(first, last), asked)
    found = figures.service
    total = found.now.total
    assert total.applied == at["total"]["cases"]
    assert sum(one.applied for one in found.now.by_item.values()) == total.applied
    assert total.ended >= at["total"]["closed"]
    assert total.held["county"] > 0
    region = next(iter(found.now.by_region))
    one = served(city, view, Period(first, last), asked._replace(regions=frozenset({region})))
    assert one.service.now.total == found.now.by_region[region]
    assert figures.ways.cases == at["total"]["closed"]
    assert (figures.ways_before.cases, figures.hall_before.total.tickets) == (0, 0)
    assert served(city, view, Period(first, last), asked._replace(regions=frozenset())).service.now.total.applied == 0


def test_the_days_used_and_those_late_are_those_of_the_truth(city, view):
    """Summed over all decided cases of the city, and over all that ended."""
    end = monitor_city.moment(city.summary()["span"][1])
    period = Period(date(2024, 1, 1), month_of(end, city.clockwork.zone).last)
    total = served(city, view, period, Asked(), lambda _: "").service.now.total
    decided = [one for one in city.truth() if one["clock_stop"] and one["state"] in {"closed_approved", "closed_denied"}]
    assert total.decided == total.compared == len(decided) > 50
    assert total.actual_days == sum(one["elapsed_workdays"] for one in decided)
    assert total.promised_days == sum(one["promise_days"] + one["extension_days"] for one in decided)
    assert total.limited - total.on_time == sum(one["overdue_promise"] for one in decided)
    assert total.limited - total.within_law == sum(one["overdue_legal"] for one in decided)
    spans = [one.stopped_at - one.applied_at for one in _ended(city)]
    assert sum(total.held.values()) == pytest.approx(sum(spans) / DAY, rel=1e-3)


def _ended(city):
    cases = (monitor_city.FOLDING.fold(events, f"city:{key}") for key, events in city.cases.items())
    return [one for one in cases if one.opened and one.stopped_at is not None and one.stopped_at > one.applied_at]
