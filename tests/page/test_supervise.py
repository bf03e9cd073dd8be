"""`docs/supervise.md`: a bad day, walked as it is written, with its pictures taken on the way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.tier2

DOCUMENT = (Path(__file__).parents[2] / "docs" / "supervise.md").read_text(encoding="utf-8")


def shown(page):
    page.wait_for_selector("main.page .panel")
    page.wait_for_selector(".counting", state="detached")


def act(page, kind, text):
    page.locator(f"[data-act={kind}]").first.click()
    page.locator(".ask textarea").fill(text)
    page.locator(".ask .send").click()


@pytest.fixture
def take(picture):
    """Pictures by the names that the document knows, in the order in which they were taken."""

    def taken(page, name):
        picture(page, name)
        taken.names.append(f"{name}.png")

    taken.names = []
    return taken


def ask_why(page, take):
    """Steps 3 and 4: why is it red, why did it move."""
    page.locator(".worst .main").first.click()
    page.wait_for_selector(".headline")
    assert page.locator(".headline b").inner_text().startswith("Red:")
    take(page, "case-en-light")
    page.goto("/cases?state=all&item=9912-CO-001")
    page.locator(".list .main").first.click()
    page.wait_for_selector(".decisions")
    page.locator(".decisions .why summary").first.click()
    page.locator(".decisions").evaluate("one => one.closest('.two').scrollIntoView()")
    take(page, "why-en-light")


def supervise(page, take):
    """Steps 5 and 6: a case is taken up, noted, urged and closed."""
    page.locator(".worst .main").first.click()
    page.wait_for_selector("[data-act=take]")
    number = page.locator(".sub .copy").inner_text()
    act(page, "take", "超过法定时限，请说明原因。")
    page.wait_for_selector("[data-act=note]", timeout=15_000)
    act(page, "note", "已电话联系经办人。")
    page.wait_for_selector(".events td:has-text('已电话联系经办人')", timeout=15_000)
    page.goto("/desk")
    page.wait_for_selector(f".desk td:has-text('{number}')")
    act(page, "urge", "请于今日下班前答复。")
    page.wait_for_selector(".said-last:has-text('请于今日下班前答复')", timeout=15_000)
    page.wait_for_selector(".q-notification", state="detached", timeout=15_000)
    take(page, "desk-zh-light")
    act(page, "shut", "已办结。")
    page.wait_for_selector("[data-act=shut]", state="detached", timeout=15_000)


def look_around(page, take):
    """Steps 7 to 9: figures, process, another day."""
    page.goto("/statistics")
    shown(page)
    take(page, "statistics-zh-light")
    page.goto("/process?item=9912-EN-001")
    shown(page)
    take(page, "process-zh-light")
    page.goto("/")
    page.wait_for_selector(".lights")
    page.keyboard.press("t")
    page.fill("input[name=at]", "2026-06-01T12:00")
    page.check("input[name=known][value=then]")
    page.click("#time button.primary")
    page.wait_for_selector(".banner")
    take(page, "past-zh-light")
    page.click(".banner a")
    page.wait_for_selector(".banner", state="detached")


def order_about(page, take):
    """Step 10, by an operator: a connector pauses and goes on."""
    page.goto("/letters")
    page.wait_for_selector(".letters")
    for word, then in (("pause", "resume"), ("resume", "pause")):
        page.click(f"button[data-act={word}][data-connector=market]")
        page.click(".ask .send")
        page.wait_for_selector(f"button[data-act={then}][data-connector=market]", timeout=20_000)
        page.wait_for_selector(".q-notification", state="detached", timeout=15_000)
        if word == "pause":
            take(page, "letters-zh-light")


def test_a_bad_day_goes_as_it_is_told(visit, take):
    """Each step of the document, in its order; its pictures are those taken here, and no others."""
    with visit(language="zh") as page:
        page.wait_for_selector(".lights")
        take(page, "overview-zh-light")
    with visit() as page:
        ask_why(page, take)
    with visit(language="zh") as page:
        supervise(page, take)
        look_around(page, take)
    with visit("machine", language="zh") as page:
        order_about(page, take)
    assert take.names == re.findall(r"\(pictures/([\w.-]+)\)", DOCUMENT)
