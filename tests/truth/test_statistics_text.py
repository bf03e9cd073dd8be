"""The page of figures: what people ask first, in a hundred columns; everything else is in the JSON."""

from __future__ import annotations

import io
import json

import monitor_receipt
import pytest
from rich.cells import cell_len
from rich.console import Console

from monitor.statistics.cases import CaseFigures, Tally
from monitor.statistics.result import Statistics
from monitor.statistics.text import page

DEPARTMENTS = {f"第{n}个规划和自然资源管理部门": Tally(cases=n, open=1, stopped_overdue_promise=n) for n in range(12)}
CASES = CaseFigures(Tally(cases=1434, open=3), {}, DEPARTMENTS, {}, {}, {}, {}, {"accepted_twice": 4}, [], ["city:7"])


@pytest.fixture(scope="module")
def figures(receipt_figures):
    return Statistics(1_300_000_000_000_000, None, CASES, receipt_figures, {"missing_time": 18})


def text(figures):
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(page(figures, monitor_receipt.ZONE))
    return console.export_text()


def test_the_page_fits_and_says_what_people_ask_first(figures):
    """Counts, durations, the latest departments, what follows what, what was found and refused."""
    shown = text(figures)
    assert max(map(cell_len, shown.splitlines())) <= 100
    for part in (
        "1,434 cases",
        "5,440 hand-overs",
        "3.80",
        "245 events repeat",
        "accepted twice",
        "missing time",
        "1 provisional",
    ):
        assert part in shown, part


def test_the_latest_departments_stand_first_and_the_rest_is_counted(figures):
    """Ten lines are shown; nobody is silently left out."""
    lines = [line for line in text(figures).splitlines() if "管理部门" in line]
    assert lines[0].startswith("第11个")
    assert len(lines) == 10
    assert "2 more (--json)" in text(figures)


def test_json_masks_people_and_keeps_them_apart(figures):
    """Two people of one surname are two; no whole name is in it."""
    found = figures.to_json(monitor_receipt.ZONE)
    told = json.dumps(found, ensure_ascii=False)
    assert "施庚39" not in told
    assert len(found["by_resource"]["events"]) == 48
    clear = figures.to_json(monitor_receipt.ZONE, clear=True)
    assert clear["by_resource"]["handovers"][0] == {"from": "施庚39", "to": "孙丙93", "count": 180}
    assert found["by_resource"]["handovers"][0]["count"] == 180


def test_json_has_the_oracles_figures_at_the_top(figures, oracle):
    """Programs find them by the names the oracle uses."""
    found = figures.to_json(monitor_receipt.ZONE)
    assert [found[name] for name in ("cases", "events", "departments", "activities", "resources")] == [1434, 8577, 10, 27, 48]
    assert sum(found["by_activity"].values()) == 8577
    assert found["first_event"] == "2010-10-02T09:20:39+02:00"
    assert found["last_event"] == "2012-01-23T15:42:54+01:00"
    for name in ("events_per_case", "by_channel", "per_month", "stages", "by_department", "events_per_day"):
        assert json.loads(json.dumps(found[name])) == oracle[name], name
