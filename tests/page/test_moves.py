"""Moves of the example city in a real browser: a hand-over that nobody signed, a joint approval with its parts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from city_story import EXAMPLE, City

pytestmark = pytest.mark.tier2
WAITS, SIGNED, JOINT, REFUSED = "5001262026900018", "5001152026900011", "5001012026900001", "5001022026900002"


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory, supervised) -> Iterator[str]:
    """The page over the example city as its connectors and its router left it."""
    with pytest.MonkeyPatch.context() as patch:
        City(tmp_path_factory.mktemp("lives"), patch).run().close()
        with supervised(EXAMPLE) as address:
            yield address


def moves(page, number):
    page.goto(f"/case/{number}")
    page.wait_for_selector(".moves")
    page.locator(".moves").evaluate("one => one.closest('.two').scrollIntoView()")
    return page.locator(".moves > tbody > tr")


def test_a_hand_over_shows_who_sent_it_to_whom_by_which_law_and_that_nobody_has_signed(visit, lives, picture):
    """In Chinese: on its way with the clock of its custody, and why; where it was signed for, the time of that."""
    with visit(language="zh", address=lives) as page:
        (row,) = moves(page, WAITS).all()
        assert "开阳县人民防空办公室 → 市人民防空办公室" in row.inner_text()
        assert "在途" in row.inner_text()
        assert row.locator("small.yellow").inner_text() == "已4/2个工作日"
        row.locator(".why summary").click()
        assert "第四十三条" in row.inner_text()
        picture(page, "hand-over-zh-light")
        (row,) = moves(page, SIGNED).all()
        assert "03-12 09:00" in row.inner_text()
        assert page.locator(".decisions").get_by_text("误录为退回").count() == 1


def test_a_joint_approval_shows_each_part_with_receipt_and_answer_and_what_the_lead_learns(visit, lives, picture):
    """Two parts, both signed for and answered; where one refuses, the lead learns that too, and what came too late."""
    with visit(address=lives) as page:
        parts = moves(page, JOINT)
        assert [row.locator("small.nb").inner_text() for row in parts.all()] == ["police", "health"]
        assert [row.locator("td").last.inner_text().split("\n") for row in parts.all()] == [
            ["03-10 09:00", "03-12 16:00"],
            ["03-10 09:30", "03-13 11:00"],
        ]
        told = " ".join(page.locator(".decisions tr").all_inner_texts())
        assert "all answered → Commerce" in told
        page.locator(".decisions .why summary").last.click()
        picture(page, "joint-en-light")
        moves(page, REFUSED)
        told = " ".join(page.locator(".decisions tr").all_inner_texts())
        assert "part refused → Commerce" in told
        assert "answer after decision → Commerce" in told
