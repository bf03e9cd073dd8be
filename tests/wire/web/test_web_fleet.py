"""How the connectors stand, on the page: who sees it, who may order them about, what is asked of the bus."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.requests import Request

from bus.errors import BusError, RetryError
from monitor.clockmode import wall
from monitor.web import frame
from monitor.web.access import Role, User
from monitor.web.fleet import Fleet, ago, may_order, watches
from monitor.web.gate import COOKIE
from monitor.web.orders import order
from monitor.web.pages.letters import Known, System, lines
from monitor.web.words import words

SECOND = 1_000_000


def standing(name="hall", state="RUNNING", **said):
    return {
        "name": name, "state": state, "kind": "sql", "about": "Service hall", "file": "hall.yaml", "worker": "a", "since": 1,
        "passed": 2, "position": "7", "rows": 3, "events": 3, "letters": 0, "error": "", "due": 0, "file_error": "",
    } | said  # fmt: skip


class Operators:
    """Notes what it was asked."""

    def __init__(self, *found):
        self.found, self.asked, self.fails, self.runs = list(found), [], None, True

    def reachable(self):
        return self.runs

    def standings(self):
        self.asked.append("standings")
        if self.fails:
            raise self.fails
        return self.found

    def order(self, name, word, by):
        self.asked.append((name, word, by))


@pytest.fixture
def see(site):
    def seen(operators, role=Role.OPERATOR, region="", query=b""):
        user = User("somebody", role, region)
        site.accounts.add(user, "correct horse", 0)
        cookie = f"{COOKIE}={site.accounts.sign_in('somebody', 'correct horse', wall())}".encode()
        request = Request({"type": "http", "path": "/letters", "query_string": query, "headers": [(b"cookie", cookie)]})
        request.state.user = user
        return frame.visit(replace(site, operators=operators), request)

    return seen


def drawn(seen, *found):
    known = Known(seen)
    known.drawn(systems=[System("hall", "Service hall", "sql", None, 0, 0)])
    return known.drawn(answer=Fleet(Operators(*found)).look())


def test_the_bus_is_asked_once_for_all_who_look():
    """Every two seconds, or at once after an order."""
    time, operators = [0.0], Operators(standing())
    fleet = Fleet(operators, lambda: time[0])
    assert fleet.look() is fleet.look()
    time[0] = 2.5
    fleet.look()
    fleet.look(again=True)
    assert operators.asked == ["standings"] * 3


def test_a_bus_that_does_not_answer_is_told_and_breaks_nothing(see):
    """The systems are shown as the view knows them, with the reason why nobody knows how they stand."""
    operators = Operators()
    operators.fails = RetryError("Kafka does not answer.")
    seen = see(operators)
    known = Known(seen)
    known.drawn(systems=[System("hall", "Service hall", "sql", None, 0, 0)])
    page = known.drawn(answer=Fleet(operators).look())
    assert "Kafka does not answer." in page
    assert "Service hall" in page


def test_a_bus_that_does_not_run_is_not_started_by_a_look(see):
    """Nothing is asked of it; the page says why nobody knows."""
    operators = Operators(standing())
    operators.runs = False
    page = Known(see(operators)).drawn(answer=Fleet(operators).look())
    assert operators.asked == []
    assert "The bus does not run" in page


def test_an_operator_has_buttons_that_fit_the_state(see):
    """Who is paused can only go on."""
    page = drawn(see(Operators()), standing())
    assert 'data-act="pause"' in page
    assert 'data-act="restart"' in page
    assert 'data-act="resume"' not in page
    page = drawn(see(Operators()), standing(state="PAUSED"))
    assert 'data-act="resume"' in page
    assert 'data-act="pause"' not in page


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.AUDITOR])
def test_others_see_how_they_stand_and_no_button(see, role):
    """State, worker and error are shown to whoever sees the whole deployment."""
    page = drawn(see(Operators(), role), standing(state="FAILED", error="<b>The column is gone.", due=5 * SECOND))
    assert "failed" in page
    assert "&lt;b&gt;The column is gone." in page
    assert "<button" not in page


@pytest.mark.parametrize(("region", "query"), [("12", b""), ("", b"at=2025-03-05T12:00")])
def test_neither_a_part_of_the_city_nor_a_past_day_has_connectors(see, region, query):
    """They belong to no region, and how they stand is a matter of now."""
    seen = see(Operators(), region=region, query=query)
    assert not watches(seen)
    assert not may_order(seen)
    assert "data-act" not in drawn(seen, standing())


def test_what_must_be_looked_at_comes_first_and_what_the_view_lacks_too():
    """Failed, tried again, not running, running; then systems that no worker tells of."""
    found = [standing(name, state) for name, state in (("a", "RUNNING"), ("b", "PAUSED"), ("c", "FAILED"), ("d", "RESTARTING"))]
    found.append(standing("e", file_error="hall.yaml:3: no such key."))
    shown = lines([System(name, "", "", None, 0, 0) for name in ("a", "b", "z")], Fleet(Operators(*found)).look())
    assert [(one.name, told.lamp if told else "") for one, told in shown] == [
        ("c", "red"), ("d", "yellow"), ("e", "yellow"), ("b", "none"), ("a", "green"), ("z", ""),
    ]  # fmt: skip


def test_an_order_reaches_the_bus_and_stands_with_the_looks(see, site):
    """With the name of whoever gave it."""
    operators = Operators()
    order(see(operators), "hall", "pause")
    assert operators.asked == [("hall", "pause", "somebody")]
    assert [(look.what, look.about) for look in site.accounts.looks(1)] == [("connector:pause", "hall")]


@pytest.mark.parametrize(("role", "region"), [(Role.SUPERVISOR, ""), (Role.AUDITOR, ""), (Role.OPERATOR, "12")])
def test_who_may_not_sends_nothing(see, role, region):
    """Though they forge the button."""
    operators = Operators()
    with pytest.raises(BusError):
        order(see(operators, role, region), "hall", "pause")
    assert operators.asked == []


def test_who_was_signed_out_orders_nothing_from_a_page_that_is_still_open(see, site):
    """Nor who was given another role meanwhile."""
    operators = Operators()
    open_page = see(operators)
    site.accounts.add(User("somebody", Role.AUDITOR), "correct horse", 0)
    with pytest.raises(BusError):
        order(open_page, "hall", "pause")
    assert operators.asked == []


def test_times_are_told_as_people_say_them():
    """In the largest unit that fits."""
    said = [ago(10 * 86_400 * SECOND, at * SECOND, words("en")) for at in (0, 863_990, 863_700, 860_000, 600_000)]
    assert said == ["", "just now", "5 min ago", "1 h ago", "3 d ago"]
