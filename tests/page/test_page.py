"""The page in a real browser: what a supervisor sees, clicks, and is not shown."""

from __future__ import annotations

import subprocess
import sys

import httpx
import pytest

pytestmark = pytest.mark.tier2


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", ["/", "/cases", "/places", "/statistics", "/calendar", "/process", "/desk", "/letters"])
def test_every_page_fits_on_the_screen_in_both_languages_and_themes(visit, picture, path, language, theme):
    """At 1366 by 768: nothing sticks out, nothing is written to the console."""
    with visit(language=language, theme=theme) as page:
        page.goto(path)
        page.wait_for_selector("main.page .panel")
        page.wait_for_selector(".counting", state="detached")
        assert page.locator("html").get_attribute("lang") == language
        picture(page, f"{path.strip('/') or 'overview'}-{language}-{theme}")


def test_the_demo_opens_on_this_page_with_a_login_of_its_own(chromium, city):
    """What it prints lets somebody in."""
    words = city.welcome.split("sign in as ")[1].split()
    page = chromium.new_page(base_url=city.address)
    page.goto("/")
    page.fill("input[name=name]", words[0])
    page.fill("input[name=password]", words[2])
    page.click("button.primary")
    page.wait_for_selector(".lights")
    page.close()


def test_the_overview_leads_to_the_worst_case_and_that_says_why_it_is_red(visit, picture):
    """Two clicks from the city to the article of law."""
    with visit() as page:
        assert int(page.locator(".light.red b").inner_text()) > 0
        page.locator(".worst .main").first.click()
        page.wait_for_selector(".headline")
        assert page.locator(".headline b").inner_text().startswith("Red:")
        assert "Why red?" in page.locator("h3").all_inner_texts()
        assert page.locator(".account tr").count() > 3
        assert page.locator("svg.timeline rect.held").count() > 0
        picture(page, "case-en-light")


def test_a_filter_narrows_the_list_and_can_be_saved(visit):
    """The list says how many fit; a saved filter leads back to them."""
    with visit() as page:
        page.goto("/cases?state=all")
        everything = page.locator(".pager span").first.inner_text()
        with page.expect_navigation():
            page.select_option("select[name=light]", "red")
        assert page.locator(".pager span").first.inner_text() != everything
        assert page.locator(".list .lamp").count() == page.locator(".list .lamp.red").count() > 0
        page.fill(".saved input[name=title]", "burning")
        page.click(".saved form.row button")
        page.goto("/cases")
        page.click(".pill a")
        page.wait_for_url("**/cases?light=red")
        with page.expect_navigation():  # closing the browser's context in the middle of a navigation can hang for good
            page.click(".pill button")


def test_the_list_comes_out_as_a_file(visit):
    """What is filtered is what one gets."""
    with visit() as page:
        page.goto("/cases?light=red")
        shown = page.locator(".list tbody tr").count()
        with page.expect_download() as download:
            page.click("text=CSV")
        assert len(download.value.path().read_text(encoding="utf-8-sig").splitlines()) == shown + 1


def test_a_county_sees_nothing_of_its_neighbours(visit):
    """Not in the table, not in the list, and not by the number of a case."""
    with visit() as page:
        page.goto("/cases?state=all&region=991202")
        foreign = page.locator(".list .main").first.get_attribute("href")
    with visit("county", language="zh") as page:
        assert page.locator(".heats tbody th").all_inner_texts() == ["云溪区"]
        page.goto("/cases?state=all")
        assert set(page.locator(".list td:nth-child(4)").all_inner_texts()) == {"云溪区"}
        page.goto(foreign)
        page.wait_for_selector("text=此处没有该编号的办件可供查看")


def test_names_are_masked_for_supervisors_and_clear_for_auditors_who_are_written_down(visit):
    """And the auditor sees who looked."""
    with visit() as page:
        page.goto("/cases?state=all")
        case = page.locator(".list .main").first.get_attribute("href")
        page.goto(case)
        masked = page.locator(".facts.wide dd").last.inner_text()
    with visit("auditor") as page:
        page.goto(case)
        clear = page.locator(".facts.wide dd").last.inner_text()
        page.goto("/looks?name=chief")
        page.wait_for_selector(f"td:has-text('{case.removeprefix('/case/')}')")
    assert masked.endswith("**")
    assert clear.startswith(masked[0])
    assert "**" not in clear


def test_an_operator_has_no_tab_for_cases(visit):
    """And an address typed by hand says why."""
    with visit("machine") as page:
        assert "Cases" not in page.locator(".bar nav a").all_inner_texts()
        page.goto("/cases")
        page.wait_for_selector("text=Your role (Operator) does not include this page.")


def test_taking_a_case_up_is_seen_by_who_watches_without_a_reload(visit, city):
    """From one desk over the bus, the router and the view to another's open page, and closed again."""
    with visit("chief") as one, visit("chief") as other:
        before = int(other.locator(".facts dd").last.inner_text())
        one.goto("/desk")
        one.locator("[data-act=take]").first.click()
        one.locator(".ask textarea").fill("It burns.")
        one.locator(".ask .send").click()
        one.wait_for_selector(".desk [data-act=shut]", timeout=15_000)
        assert "It burns." in one.locator(".said-last").first.inner_text()
        other.wait_for_function(f"document.querySelector('.facts div:last-child dd').innerText == '{before + 1}'", timeout=15_000)
        one.locator("[data-act=shut]").first.click()
        one.locator(".ask textarea").fill("It was decided.")
        one.locator(".ask .send").click()
        other.wait_for_function(f"document.querySelector('.facts div:last-child dd').innerText == '{before}'", timeout=15_000)


def test_another_day_is_shown_as_it_was(visit, picture):
    """With a banner, and every link stays in that day."""
    with visit(language="zh") as page:
        now = page.locator(".light.yellow b").inner_text()
        page.keyboard.press("t")
        page.fill("input[name=at]", "2026-06-01T12:00")
        page.check("input[name=known][value=then]")
        page.click("#time button.primary")
        page.wait_for_selector(".banner")
        assert page.locator(".light.yellow b").inner_text() != now
        picture(page, "past-zh-light")
        page.click(".bar nav a >> nth=1")
        page.wait_for_selector(".list")
        assert "at=2026-06-01T12%3A00&known=then" in page.url


def test_the_keyboard_reaches_everything(visit):
    """Search, tabs, lines, language, theme, help."""
    with visit() as page:
        page.keyboard.press("g")
        page.keyboard.press("c")
        page.wait_for_url("**/cases")
        page.wait_for_selector(".list tbody tr")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/case/*")
        page.keyboard.press("/")
        page.keyboard.type("9912")
        page.keyboard.press("Enter")
        page.wait_for_url("**/cases?q=9912*")
        page.keyboard.press("?")
        page.wait_for_selector("dialog[open]")
        page.keyboard.press("Escape")
        page.keyboard.press("l")
        page.wait_for_selector("html[lang=zh]")
        page.keyboard.press("d")
        page.wait_for_selector("body.body--dark")


def test_the_api_answers_the_figures_of_the_page(visit, city, casebus):
    """One picture, two ways to it."""
    token = casebus("user", "token", "chief", city.folder).good().out.strip()
    with visit() as page:
        shown = int(page.locator(".light.red b").inner_text())
    answer = httpx.get(f"{city.address}/api/v1/lights", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["total"]["red"] == shown


def test_an_open_page_ends_when_its_user_is_removed(visit, city):
    """Within seconds: a tab may stand open for days."""
    command = (sys.executable, "-P", "-m", "casebus", "user")
    add = [*command, "add", "guest", city.folder, "--password-stdin"]
    subprocess.run(add, input="correct horse battery", text=True, check=True, capture_output=True)
    with visit("guest") as page:
        page.goto("/")
        page.wait_for_selector(".lights")
        subprocess.run([*command, "remove", "guest", city.folder], check=True, capture_output=True)
        page.wait_for_selector("input[name=password]", timeout=40_000)
