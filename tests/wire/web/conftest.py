"""The page of the small made-up city, and everybody who may look at it."""

from __future__ import annotations

import monitor_world as world
import pytest
from web_world import AUTHORITIES, NOW, REGIONS, ZONE, Items, folding, records

from monitor.caseview import Sentence
from monitor.indicator import Panel
from monitor.lights import Clockwork
from monitor.statistics.compute import Inputs
from monitor.view import View
from monitor.web import passwords
from monitor.web.access import Role, User
from monitor.web.accounts import Accounts
from monitor.web.hits import Hits
from monitor.web.live import Live
from monitor.web.names import Names
from monitor.web.past import Past
from monitor.web.settings import PageSettings
from monitor.web.site import Site
from schemas.calendar import Calendar, CalendarSettings
from schemas.clock import ClockRules


@pytest.fixture(scope="session")
def _cheap_passwords():
    """scrypt as weak as it goes: its work is not what is tested."""
    before, passwords.N = passwords.N, 2
    yield
    passwords.N = before


@pytest.fixture
def view(tmp_path):
    made = View.at(tmp_path / "view.db")
    made.apply_batch(records(), {}, world.CODEC)
    yield made
    made.close()


@pytest.fixture
def accounts(tmp_path, _cheap_passwords):
    made = Accounts.at(tmp_path / "page.db")
    for user in (User("chief", Role.SUPERVISOR), User("county", Role.SUPERVISOR, "12"), User("auditor", Role.AUDITOR)):
        made.add(user, "correct horse", 0)
    made.add(User("machine", Role.OPERATOR), "correct horse", 0)
    yield made
    made.close()


@pytest.fixture
def published():
    """What supervisors have done."""
    return []


@pytest.fixture
def site(view, accounts, published) -> Site:
    calendar = Calendar.from_settings(CalendarSettings(country="CN"), None)
    clockwork = Clockwork(ClockRules.model_validate({}), calendar, ZONE)
    made = Site(
        name="jichuan",
        settings=PageSettings(language="en"),
        view=view,
        inputs=Inputs(world.CODEC, folding(), clockwork),
        now=lambda: NOW,
        live=Live(view, clockwork, lambda: NOW),
        past=Past(view, Inputs(world.CODEC, folding(), clockwork)),
        hits=Hits(view, clockwork, lambda: NOW, Panel.of()),
        accounts=accounts,
        names=Names(REGIONS, AUTHORITIES, lambda code: "电梯检验" if code == "I-1" else ""),
        items=Items(),
        sentences={"x": Sentence("x", "y")},
        connectors=[("hall", "Service hall", "sql")],
        publish=published.append,
    )
    made.live.look()
    made.hits.look()
    return made
