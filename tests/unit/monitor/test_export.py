"""Exports: masked, in business order, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from zoneinfo import ZoneInfo

import monitor_world as world
import pytest

from monitor.export import EVENT_COLUMNS, events, safe
from monitor.view import View
from schemas.case import Case

EVENTS = [
    world.event("Accepted", 3, activity="=cmd()", actor={"value": "王小明"}, authority="hall@500103"),
    world.event("Applied", 1, activity="收件"),
    world.event("Rated", 9, score=5),
]


@pytest.fixture
def view(tmp_path):
    opened = View.at(tmp_path / "view.db")
    records = [world.journal_record(entry, n) for n, entry in enumerate(world.chain(EVENTS))]
    state = world.state(EVENTS, Case(world.KEY, applied_at=world.at(1)), standings={EVENTS[2].id: "cancelled"})
    opened.apply_batch([*records, world.state_record(state, 0)], {}, world.CODEC)
    yield opened
    opened.close()


def test_effective_events_come_out_in_business_order(view):
    """The order of recording does not matter; what was set aside is left out."""
    out = io.StringIO()
    assert events(view, out, ZoneInfo("Asia/Shanghai")) == 2
    lines = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert tuple(lines[0]) == EVENT_COLUMNS
    assert [line["activity"] for line in lines] == ["收件", "'=cmd()"]
    assert lines[1]["resource"] == "王**"
    assert lines[0]["timestamp"] == "2025-03-03T01:00:00+08:00"


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx"])
def test_what_a_spreadsheet_would_run_is_quoted(text):
    """A department's text is text."""
    assert safe(text) == f"'{text}"
    assert safe("plain") == "plain"
