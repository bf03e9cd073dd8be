"""The API and the gate, over the whole application without a browser."""

from __future__ import annotations

import csv
import io
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from openpyxl import load_workbook
from web_world import ENDED, GREEN, NOW, RED, ZONE

from monitor.statistics.source import Window
from monitor.times import iso
from monitor.web.app import build
from monitor.web.gate import local_path


@pytest.fixture
def web(site):
    return TestClient(build(site), follow_redirects=False)


@pytest.fixture
def ask(web, site):
    """`ask("chief", "/cases")`: the answer to somebody's token."""

    def asked(name, path, **body):
        headers = {"Authorization": f"Bearer {site.accounts.new_token(name, 0)}"}
        return web.post(f"/api/v1{path}", json=body, headers=headers) if body else web.get(f"/api/v1{path}", headers=headers)

    return asked


def signed_in(web, name):
    web.cookies.clear()
    answer = web.post("/login", data={"name": name, "password": "correct horse", "to": "/cases"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    return web


def test_nobody_passes_without_a_session_or_a_token(web):
    """Pages lead to the form, programs are told what to send."""
    assert web.get("/export/cases.csv?state=all").headers["location"] == "/login?to=/export/cases.csv%3Fstate%3Dall"
    assert web.get("/api/v1/lights").status_code == 401
    assert web.get("/metrics").status_code == 401


def test_a_wrong_password_is_told_and_too_many_of_them_have_to_wait(web, site):
    """The right one does not help then either."""
    wrong = {"name": "chief", "password": "guess"}
    assert "Name or password is wrong" in web.post("/login", data=wrong).text
    for _ in range(8):
        answer = web.post("/login", data=wrong)
    assert answer.status_code == 401
    assert "Wait ten minutes" in web.post("/login", data=wrong | {"password": "correct horse"}).text


def test_signing_in_leads_to_no_other_site():
    """An address in a link must be a path of our own."""
    assert [local_path(path) for path in ("/cases?a=1", "//evil.org", "https://evil.org", "/\\evil.org", "x")] == [
        "/cases?a=1", "/", "/", "/", "/",
    ]  # fmt: skip


def test_a_cookie_is_kept_from_scripts_and_from_other_sites(web):
    """So that a session cannot be stolen or ridden by another page."""
    cookie = web.post("/login", data={"name": "chief", "password": "correct horse"}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_signing_out_ends_the_session(web):
    """The same cookie opens nothing any more."""
    signed_in(web, "chief")
    web.post("/logout")
    assert web.get("/export/cases.csv").status_code == 303


def test_lights_are_counted_by_region_and_department(ask):
    """One case burns in county 11, one is in time in county 12; the ended one is not counted."""
    found = ask("chief", "/lights").json()
    assert (found["total"]["red"], found["total"]["green"]) == (1, 1)
    assert {(cell["region"], cell["lights"]["red"]) for cell in found["cells"]} == {("11", 1), ("12", 0)}


def test_a_county_sees_its_own_cases_only(ask):
    """In lists, counts and single cases alike."""
    assert [one["key"] for one in ask("county", "/cases").json()["cases"]] == [GREEN]
    assert ask("county", "/lights").json()["total"]["red"] == 0
    assert ask("county", f"/cases/{RED}").status_code == 404
    assert ask("county", "/dead-letters").status_code == 403


def test_an_operator_sees_refused_records_and_no_case(ask):
    """The role has what its work needs."""
    assert ask("machine", "/cases").status_code == 403
    assert [one["reason"] for one in ask("machine", "/dead-letters").json()] == ["missing_time"]


def test_a_case_says_why_it_is_red_in_both_languages(ask):
    """With every event, and who holds it."""
    found = ask("chief", f"/cases/{RED}").json()
    assert found["light"] == "red"
    assert found["headline"].startswith("Red:")
    assert "红灯" in ask("chief", f"/cases/{RED}?language=zh").json()["headline"]
    assert [one["type"] for one in found["events"]] == ["Applied", "Accepted", "HandedAcross", "Received"]
    assert found["holder"] == "fire@11"
    assert found["account"]


def test_names_are_masked_for_supervisors_and_clear_for_auditors(ask):
    """Applicants and clerks alike, in the head and in what the events say."""
    masked, clear = (ask(name, f"/cases/{RED}").json() for name in ("chief", "auditor"))
    assert (masked["applicant"], clear["applicant"]) == ("王**", "王小明")
    assert (masked["events"][0]["actor"], clear["events"][0]["actor"]) == ("张**", "张三")
    assert "王小明" not in str(masked)
    assert "王小明" in clear["events"][0]["says"]["applicant"]


def test_the_list_filters_sorts_and_pages(ask):
    """As the page does."""
    wanted = ("light=red", "state=ended", "state=all&sort=number", "state=all&sort=number&down=1", "q=0002", "state=all&q=电梯")
    numbers = {path: [one["key"] for one in ask("chief", f"/cases?{path}").json()["cases"]] for path in wanted}
    assert numbers == {
        "light=red": [RED],
        "state=ended": [ENDED],
        "state=all&sort=number": [RED, GREEN, ENDED],
        "state=all&sort=number&down=1": [ENDED, GREEN, RED],
        "q=0002": [GREEN],
        "state=all&q=电梯": [GREEN, ENDED, RED],
    }


def test_another_day_shows_what_stood_then(ask):
    """On the day of its acceptance case 1 was green, and case 3 was not there."""
    then = "at=2025-03-03T18:00"
    for known in ("", "&known=then"):
        total = ask("chief", f"/lights?{then}{known}").json()["total"]
        assert (total["red"], total["green"]) == (0, 1)
    assert ask("chief", f"/cases/{RED}?{then}").json()["light"] == "green"
    assert [one["key"] for one in ask("chief", f"/cases?state=all&{then}").json()["cases"]] == [RED]
    assert ask("chief", f"/cases/{ENDED}?{then}").status_code == 404


def test_taking_a_case_up_is_published_under_the_name_of_who_does(ask, published):
    """Only by supervisors, and only where they see the case."""
    said = {"case": RED, "act": "take", "text": "forty days"}
    assert ask("auditor", "/supervisions", **said).status_code == 403
    assert ask("county", "/supervisions", **said).status_code == 404
    answer = ask("chief", "/supervisions", **said)
    assert answer.status_code == 202
    (act,) = published
    assert (act.case, act.kind, act.by.name, act.text, act.supervision) == (
        RED,
        "take",
        "chief",
        "forty days",
        answer.json()["supervision"],
    )


def test_hits_of_the_indicators_come_with_their_sentence(ask):
    """A case forty days old has passed the law's limit."""
    found = {one["indicator"]: one for one in ask("chief", "/hits").json()}
    assert found["statute_passed"]["case"] == RED
    assert found["statute_passed"]["text"]
    assert not any(one["case"] == RED for one in ask("county", "/hits").json())


def test_hits_as_of_the_present_moment_are_those_of_now_and_of_an_earlier_one_fewer(ask, site):
    """Judged as known now and as known then; before anything happened there are none."""
    now = ask("chief", "/hits").json()
    assert site.hits.at(site.inputs, Window(NOW)) == site.hits.spotted
    then = iso(NOW, ZONE)
    assert ask("chief", f"/hits?at={quote(then)}").json() == now
    assert ask("chief", f"/hits?at={quote(then)}&known=then").json() == [one for one in now if one["case"]]
    assert ask("chief", "/hits?at=2020-01-01").json() == []


def test_the_process_map_counts_what_follows_what(ask):
    """Over all three cases."""
    found = ask("chief", "/items/I-1/process").json()
    assert found["cases"] == 3
    assert {(one["source"], one["target"]): one["times"] for one in found["edges"]}[("Applied", "Accepted")] == 3


def test_the_figures_of_a_period_are_those_of_the_regions_somebody_sees(ask):
    """All three cases were applied for in the year up to now; a county's supervisor is told of their own."""
    found = ask("chief", "/figures?period=year").json()
    assert found["service"]["now"]["total"]["applied"] + found["service"]["then"]["total"]["applied"] == 3
    county = ask("county", "/figures?period=year&region=11").json()
    assert county["service"]["now"]["total"]["applied"] == 0
    assert ask("chief", "/figures?period=year&region=11").json()["service"]["now"]["total"]["applied"] > 0


def test_the_list_is_taken_out_as_csv_and_xlsx_and_both_are_written_down(web, site):
    """With Chinese that Excel reads, and no formula."""
    signed_in(web, "chief")
    text = web.get("/export/cases.csv?state=all").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["number"] for row in rows} == {"0001", "0002", "0003"}
    assert rows[0]["item_name"] == "电梯检验"
    book = load_workbook(io.BytesIO(web.get("/export/cases.xlsx?light=red").content))
    assert [row[0].value for row in book.active.iter_rows(min_row=2)] == ["0001"]
    assert [look.what for look in site.accounts.looks(name="chief")][:2] == ["/export/cases.xlsx", "/export/cases.csv"]


def test_what_programs_look_at_is_written_down_too(ask, site):
    """By the name their token stands for."""
    ask("chief", f"/cases/{RED}")
    assert site.accounts.looks(name="chief")[0].what == f"/api/v1/cases/{RED}"


def test_a_filter_is_saved_by_its_name_and_forgotten(web, site):
    """Each user has filters of their own."""
    signed_in(web, "chief")
    web.post("/filters", data={"title": "burning", "query": "light=red"})
    assert site.accounts.saved_filters("chief") == {"burning": "light=red"}
    assert site.accounts.saved_filters("county") == {}
    web.post("/filters/drop", data={"title": "burning"})
    assert site.accounts.saved_filters("chief") == {}


def test_metrics_tell_lights_refusals_and_times(web, site):
    """In Prometheus' text format; a case's number is no label."""
    headers = {"Authorization": f"Bearer {site.accounts.new_token('machine', 0)}"}
    web.get(f"/api/v1/cases/{RED}", headers={"Authorization": f"Bearer {site.accounts.new_token('chief', 0)}"})
    text = web.get("/metrics", headers=headers).text
    assert 'casebus_open_cases{department="hall",light="red",region="11"} 1.0' in text
    assert "casebus_refused_records 1.0" in text
    assert 'casebus_page_seconds_count{path="/api/v1/cases"} 1.0' in text
    assert "/api/v1/cases/" not in text


def test_openapi_names_every_path(web):
    """The contract for programs is public; what it describes is not."""
    paths = web.get("/api/v1/openapi.json").json()["paths"]
    assert set(paths) == {
        "/lights", "/trend", "/figures", "/items/{item}/process", "/cases", "/cases/{number}", "/alerts", "/hits",
        "/supervisions", "/dead-letters", "/connectors", "/connectors/{name}/{word}", "/connectors/{name}/rewind",
    }  # fmt: skip
