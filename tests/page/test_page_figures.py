"""Figures, process map, reasons, past days and empty places in a real browser."""

from __future__ import annotations

import httpx
import pytest

pytestmark = pytest.mark.tier2

PAGES = ["/", "/cases", "/places", "/statistics", "/calendar", "/process", "/desk", "/letters", "/looks"]


def shown(page):
    """Wait until what takes a pass over the cases is counted."""
    page.wait_for_selector("main.page .panel")
    page.wait_for_selector(".counting", state="detached")


def tile(page, name):
    return page.locator(f".tiles div:has(span:text-is('{name}')) b").inner_text()


def test_the_statistics_are_those_of_the_command_for_any_period(visit, picture, city, casebus):
    """June beside May, then the quarter; a region's figures one click away."""
    june = ("--from", "2026-06-01", "--to", "2026-06-30")
    told = casebus("figures", "service", city.folder, *june, "--json").good().json
    with visit() as page:
        page.goto("/statistics")
        shown(page)
        total = told["now"]["total"]
        assert tile(page, "Ended") == str(total["ended"])
        assert tile(page, "On time") == f"{total['rates']['on_time']:.1%}"
        assert tile(page, "One visit") == f"{total['rates']['one_visit']:.1%}"
        assert page.locator(".bars tr").count() == 3
        assert page.locator(".holders dt").count() == len(total["held"])
        assert "handed down" in page.inner_text("main")
        picture(page, "statistics-whole-en-light", whole=True)
        page.click(".pills a:text-is('This quarter')")
        page.wait_for_url("**period=quarter*")
        shown(page)
        assert int(tile(page, "Ended")) > total["ended"]
        page.locator(".scores >> nth=0").locator("tbody a").first.click()
        page.wait_for_url("**region=9912*")
        shown(page)
        assert 0 < int(tile(page, "Ended")) < total["ended"]


def test_the_process_map_is_of_all_cases_of_the_item_and_has_its_ways_beside_it(visit, city, casebus):
    """As many cases as the API counts; each way with its share."""
    token = casebus("user", "token", "chief", city.folder).good().out.strip()
    answer = httpx.get(f"{city.address}/api/v1/items/9912-MS-001/process", headers={"Authorization": f"Bearer {token}"}).json()
    with visit() as page:
        page.goto("/process?item=9912-MS-001&share=1")
        shown(page)
        assert page.locator(".process .box").count() == len(answer["activities"])
        lines = {one["source"] != one["target"] for one in answer["edges"]}
        assert page.locator(".process path.way").count() == sum(one["source"] != one["target"] for one in answer["edges"])
        assert lines
        assert f"{answer['variants']} in all" in page.inner_text("main")
        assert page.locator(".ways tr").first.locator("b").inner_text() == str(answer["ways"][0]["cases"])


@pytest.mark.parametrize(("language", "rule", "order"), [("en", "art. 26", "in order"), ("zh", "第二十六条", "合规做法")])
def test_a_case_says_why_it_moved_and_what_would_have_been_in_order(visit, language, rule, order):
    """The rule, the item's version; of a finding the law and its remedy, in either language."""
    with visit(language=language) as page:
        page.goto("/cases?state=all&item=9912-CO-001")
        page.locator(".list .main").first.click()
        page.wait_for_selector(".decisions")
        page.locator(".decisions .why summary").first.click()
        assert rule in page.locator(".decisions details[open]").first.inner_text()
        assert "2026" in page.locator(".decisions").inner_text()
        page.goto("/desk?indicator=refusal_without_reason")
        page.locator("tr[data-href] td a").first.click()
        page.wait_for_selector(".order")
        assert order in page.locator(".order").first.inner_text()


def test_refused_records_say_what_to_do_in_both_languages(visit):
    """In Chinese the sentence that came with it is one click away."""
    with visit(language="zh") as page:
        page.goto("/letters?reason=missing_time")
        page.wait_for_selector(".letters tbody tr")
        assert "请补上发生时间后重发" in page.locator(".letters tbody tr").first.inner_text()
    with visit() as page:
        page.goto("/letters?reason=missing_time")
        assert "no time" in page.locator(".letters tbody tr").first.inner_text()


def test_every_page_shows_a_past_day_as_known_then_and_as_known_now(visit):
    """The alert desk what the indicators would have found, the figures those of that day's month."""
    day = "at=2026-05-20T12%3A00"
    counts = {}
    with visit() as page:
        for known in ("", "&known=then"):
            for path in PAGES[:-2]:
                page.goto(f"{path}?{day}{known}")
                page.wait_for_selector(".banner")
                shown(page)
            page.goto(f"/desk?{day}{known}")
            shown(page)
            counts[known] = page.locator(".aside-first table").first.inner_text()
            page.goto(f"/statistics?{day}{known}")
            shown(page)
            assert "2026-05-01 – 2026-05-20" in page.inner_text(".beside")
            assert page.locator("[data-act]").count() == 0
    assert counts[""] != counts["&known=then"]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_deployment_without_a_case_and_without_a_calendar_has_no_empty_page(visit, picture, empty, path, language):
    """Each says that there is nothing, and what to do where something can be done."""
    with visit("auditor", language=language, address=empty) as page:
        page.goto(path)
        shown(page)
        assert page.locator(".panel").first.inner_text().strip()
        picture(page, f"empty-{path.strip('/') or 'overview'}-{language}")


@pytest.mark.parametrize("path", ["/", "/cases", "/places", "/statistics", "/desk", "/case"])
def test_long_names_cut_nothing_off(visit, picture, wordy, path):
    """Names of sixty characters: no page scrolls sideways, no panel runs over."""
    with visit(language="zh", address=wordy) as page:
        if path == "/case":
            page.goto("/cases?item=9912-CO-001&state=all")
            page.locator(".list .main").first.click()
            page.wait_for_selector(".headline")
        else:
            page.goto(path)
        shown(page)
        picture(page, f"wordy-{path.strip('/') or 'overview'}", whole=True)


def test_the_new_pages_are_reached_by_the_keyboard_and_have_names_for_who_cannot_see(visit):
    """Tabs by two keys; each picture, field and button has a name."""
    nameless = """() => [...document.querySelectorAll('select, input:not([type=hidden]), button, [role=img], a')]
        .filter(e => e.offsetParent && !(e.getAttribute('aria-label') || e.title || e.textContent.trim() || e.labels?.length
            || e.placeholder || e.querySelector('title')))
        .map(e => e.outerHTML.slice(0, 120))"""
    with visit() as page:
        page.wait_for_selector(".lights")
        page.keyboard.press("g")
        page.keyboard.press("s")
        page.wait_for_url("**/statistics")
        shown(page)
        assert page.evaluate(nameless) == []
        page.keyboard.press("g")
        page.keyboard.press("p")
        page.wait_for_url("**/process")
        shown(page)
        assert page.evaluate(nameless) == []
        for path in ("/", "/cases", "/places", "/desk", "/letters"):
            page.goto(path)
            shown(page)
            assert page.evaluate(nameless) == [], path
