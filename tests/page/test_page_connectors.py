"""Connectors in a real browser: how they stand, and an operator who pauses one and lets it go on."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.tier2


def stands(page):
    page.goto("/letters")
    page.wait_for_selector(".fleet .lamp")


def test_an_operator_pauses_a_connector_and_lets_it_go_on(visit, picture):
    """Asked whether it is meant, told the result; the page shows what its worker says."""
    with visit("machine") as page:
        stands(page)
        page.click("button[data-act=pause][data-connector=fire]")
        page.wait_for_selector(".ask")
        assert "Nothing is lost" in page.inner_text(".ask")
        page.click(".ask .send")
        page.wait_for_selector(".q-notification")
        page.wait_for_selector("button[data-act=resume][data-connector=fire]", timeout=20_000)
        assert "paused" in page.inner_text("tr[data-connector=fire]")
        picture(page, "connectors-en-light")
        page.click("button[data-act=resume][data-connector=fire]")
        page.click(".ask .send")
        page.wait_for_selector("button[data-act=pause][data-connector=fire]", timeout=20_000)


def test_an_order_that_is_not_meant_is_none(visit):
    """Cancelled, nothing is sent."""
    with visit("machine") as page:
        stands(page)
        page.click("button[data-act=restart][data-connector=hall]")
        page.click(".ask button >> nth=0")
        page.wait_for_selector(".ask", state="detached")
        assert page.locator(".q-notification").count() == 0


@pytest.mark.parametrize(("name", "language", "running"), [("chief", "zh", "运行中"), ("auditor", "en", "running")])
def test_others_see_how_connectors_stand_and_have_no_buttons(visit, picture, name, language, running):
    """State, worker, rows; nothing to press."""
    with visit(name, language=language, theme="dark") as page:
        stands(page)
        assert page.locator(f".fleet td:has-text('{running}')").count() == 7
        assert page.locator("[data-connector] button, button[data-connector]").count() == 0
        picture(page, f"connectors-{language}-dark")


def test_a_county_sees_no_connectors_stand(visit):
    """They belong to no region: only what came from each system is shown."""
    with visit("county") as page:
        page.goto("/letters")
        page.wait_for_selector(".fleet")
        assert page.locator(".fleet .lamp").count() == 0
