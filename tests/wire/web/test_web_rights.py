"""What somebody with a region, or whose rights have changed, must not get by a side door."""

from __future__ import annotations

import io

import monitor_world as world
import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from starlette.requests import Request
from web_world import GREEN, NOW, RED, applied

from bus.errors import BusError
from monitor.clockmode import wall
from monitor.web import exports, frame
from monitor.web.access import Role, User
from monitor.web.acts import publish
from monitor.web.app import build
from monitor.web.gate import COOKIE
from monitor.web.site import Act
from router.case import fold
from router.law import LawProfile


@pytest.fixture
def web(site):
    return TestClient(build(site), follow_redirects=False)


@pytest.fixture
def ask(web, site):
    """Whole paths, with somebody's token."""

    def asked(name, path, **body):
        headers = {"Authorization": f"Bearer {site.accounts.new_token(name, 0)}"}
        return web.post(path, json=body, headers=headers) if body else web.get(path, headers=headers)

    return asked


@pytest.fixture
def page(site):
    """A page that somebody has opened."""

    def opened(name):
        secret = site.accounts.sign_in(name, "correct horse", wall())
        cookie = [(b"cookie", f"{COOKIE}={secret}".encode())]
        request = Request({"type": "http", "path": "/desk", "query_string": b"", "headers": cookie})
        request.state.user = site.accounts.holder(secret)
        return frame.visit(site, request)

    return opened


def case_of(key):
    """A case of region 11."""
    events = [applied(9, key, "11")]
    return world.state_record(world.state(events, fold(events, LawProfile(), key)), 0, partition=1)


def act(case, user, kind="take"):
    return Act(case, kind, "SV-1", user, "why", NOW, wall())


def test_a_forged_button_reaches_no_case_of_another_region(page, published):
    """The browser names the case, and may name any."""
    county = page("county")
    for case in (RED, "city:none"):
        with pytest.raises(BusError, match="no such case in your regions"):
            publish(county, act(case, county.view.user))
    publish(county, act(GREEN, county.view.user))
    assert [one.case for one in published] == [GREEN]


@pytest.mark.parametrize("change", ["signed out", "another role", "another region"])
def test_a_page_that_still_stands_open_has_the_rights_of_now(page, site, published, change):
    """A tab can stay open for days."""
    open_page = page("chief")
    user = open_page.view.user
    if change == "signed out":
        site.accounts.sign_out(open_page.request.cookies[COOKIE])
    else:
        role, region = (Role.AUDITOR, "") if change == "another role" else (Role.SUPERVISOR, "12")
        site.accounts.add(User("chief", role, region), "correct horse", 0)
    assert frame.renewed(open_page) is None
    with pytest.raises(BusError):
        publish(open_page, act(RED, user))
    assert published == []


def test_figures_for_prometheus_are_for_who_sees_all_regions(ask):
    assert ask("machine", "/metrics").status_code == 200
    answer = ask("county", "/metrics")
    assert (answer.status_code, "casebus_open_cases" in answer.text) == (403, False)


def test_a_number_of_two_regions_names_only_the_cases_one_may_see(ask, view):
    """And is no reason to refuse one's own."""
    other = "town:0002"
    view.apply_batch([case_of(other)], {}, world.CODEC)
    assert ask("county", "/api/v1/cases/0002").json()["key"] == GREEN
    answer = ask("chief", "/api/v1/cases/0002")
    assert (answer.status_code, other in answer.text, GREEN in answer.text) == (409, True, True)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/api/v1/lights?at=3 March", "is no moment"),
        ("/api/v1/lights?at=1741000000", "is no moment"),
        ("/api/v1/lights?known=then", "together with at"),
        ("/api/v1/lights?at=2025-03-03&known=now", "known=then"),
        ("/api/v1/figures?first=2025-13-01&last=2025-12-31", "month must be in 1..12"),
        ("/api/v1/figures?first=2025-12-01", "Invalid isoformat"),
        ("/api/v1/figures?first=2025-12-02&last=2025-12-01", "first comes after last"),
        ("/api/v1/figures?period=week", "period is one of"),
    ],
)
def test_a_program_that_mistypes_a_day_is_not_told_of_another(ask, path, says):
    answer = ask("chief", path)
    assert (answer.status_code, says in answer.text) == (422, True), answer.text


def test_the_plus_of_an_offset_may_come_as_a_blank(ask):
    """So it comes where nobody has encoded it."""
    plain, encoded = (ask("chief", f"/api/v1/lights?at=2025-03-03T18:00:00{sign}08:00").json() for sign in ("+", "%2B"))
    assert plain == encoded
    assert plain["as_of"].startswith("2025-03-03")


def test_who_notes_urges_or_closes_names_the_supervision(ask, published):
    for kind in ("note", "urge", "shut"):
        answer = ask("chief", "/api/v1/supervisions", case=RED, act=kind, text="why")
        assert (answer.status_code, "name the one that is open" in answer.text) == (422, True)
    assert ask("chief", "/api/v1/supervisions", case=RED, act="note", text="why", supervision="SV-1").status_code == 202
    assert [one.supervision for one in published] == ["SV-1"]


def test_a_worksheet_holds_what_a_cell_cannot_and_is_never_cut(web, view, site, monkeypatch):
    """A control character in a number is shown as one that is none; of too many cases it says so."""
    odd = "city:99\x04"
    view.apply_batch([case_of(odd)], {}, world.CODEC)
    site.live.look()
    web.post("/login", data={"name": "chief", "password": "correct horse"})
    book = load_workbook(io.BytesIO(web.get("/export/cases.xlsx?state=all").content))
    assert "99\ufffd" in [row[0].value for row in book.active.iter_rows(min_row=2)]
    monkeypatch.setattr(exports, "XLSX_MOST", 1)
    answer = web.get("/export/cases.xlsx?state=all")
    assert (answer.status_code, "more than 1 cases" in answer.text) == (413, True)
