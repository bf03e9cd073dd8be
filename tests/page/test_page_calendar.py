"""Whose due dates another calendar moves, in a real browser: as the command tells it."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.tier2


@pytest.fixture
def told(city, casebus, tmp_path):
    """What the command says of three days off in July."""
    file = tmp_path / "notice.yaml"
    file.write_text("holidays: [2026-07-06, 2026-07-07, 2026-07-08]\n", encoding="utf-8")
    return json.loads(casebus("figures", "calendar", city.folder, "--calendar", file, "--json").good().out)["moved"]


@pytest.mark.parametrize(("language", "theme"), [("en", "light"), ("zh", "dark")])
def test_days_off_move_the_cases_that_the_command_names(visit, picture, told, language, theme):
    """From the figures to the form, typed; each department with its cases, and each case one click away."""
    with visit(language=language, theme=theme) as page:
        page.goto("/statistics")
        page.click(".to-calendar")
        page.wait_for_url("**/calendar")
        page.fill("input[name=off]", "2026-07-06 – 2026-07-08")
        with page.expect_navigation():
            page.click(".calendar button")
        page.wait_for_selector(".moved")
        assert page.locator(".moved").count() == len({one["department"] for one in told})
        assert page.locator(".moved tbody tr").count() == len(told) > 0
        shown = page.inner_text("main")
        assert all(one["number"] in shown and one["after"] in shown for one in told)
        picture(page, f"calendar-{language}-{theme}", whole=True)
        page.locator(".moved .main").first.click()
        page.wait_for_selector(".headline")


def test_an_operator_is_shown_no_cases(visit):
    """The role does not include them."""
    with visit("machine") as page:
        page.goto("/calendar?off=2026-07-06")
        page.wait_for_selector(".page")
        assert page.locator(".moved").count() == 0
