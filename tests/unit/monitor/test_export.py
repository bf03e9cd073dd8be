"""Exports: masked, in business order, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
from datetime import datetime
from zoneinfo import ZoneInfo

import monitor_world as world
import openpyxl
import pytest
from lxml import etree

from monitor.export import EVENT_COLUMNS, People, safe, sayable, write
from monitor.times import local
from monitor.view import View
from schemas.case import Case
from schemas.problem import ProblemsError

ZONE = ZoneInfo("Asia/Shanghai")

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


def test_effective_events_come_out_in_business_order(view, tmp_path):
    """The order of recording does not matter; what was set aside is left out."""
    assert write(view, tmp_path / "log.csv", ZONE) == 2
    lines = list(csv.DictReader((tmp_path / "log.csv").open(encoding="utf-8")))
    assert tuple(lines[0]) == EVENT_COLUMNS
    assert [line["activity"] for line in lines] == ["收件", "'=cmd()"]
    assert lines[1]["resource"] == "王** 1"
    assert lines[0]["timestamp"] == "2025-03-03T01:00:00+08:00"


def test_people_are_clear_only_where_somebody_says_so(view, tmp_path):
    """For whoever may see them."""
    write(view, tmp_path / "log.csv", ZONE, clear=True)
    assert "王小明" in (tmp_path / "log.csv").read_text(encoding="utf-8")


def test_two_people_of_one_masked_name_stay_two():
    """Who hands over to whom can still be mined."""
    people = People()
    assert [people.named(name) for name in ("王小明", "王大明", "王小明", "")] == ["王** 1", "王** 2", "王** 1", ""]


def test_an_unknown_ending_is_a_sentence_and_leaves_no_file(view, tmp_path):
    """The formats there are stand in it."""
    with pytest.raises(ProblemsError, match="no format has this ending"):
        write(view, tmp_path / "log.pdf", ZONE)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("log")] == []


def test_a_workbook_holds_text_as_text(view, tmp_path):
    """No formula runs."""
    assert write(view, tmp_path / "log.xlsx", ZONE) == 2
    sheet = openpyxl.load_workbook(tmp_path / "log.xlsx")["events"]
    heading, *rows = sheet.iter_rows(values_only=True)
    assert heading == EVENT_COLUMNS
    assert [row[1] for row in rows] == ["收件", "=cmd()"]
    assert sheet["B3"].data_type == "s"


def test_a_log_longer_than_a_worksheet_goes_on_in_the_next(view, tmp_path, monkeypatch):
    """A worksheet ends at a million rows."""
    monkeypatch.setattr("monitor.xlsx.ROWS", 1)
    write(view, tmp_path / "log.xlsx", ZONE)
    book = openpyxl.load_workbook(tmp_path / "log.xlsx")
    assert [[row[1] for row in sheet.iter_rows(min_row=2, values_only=True)] for sheet in book] == [["收件"], ["=cmd()"]]


def test_xes_gives_back_every_event_as_it_was(view, tmp_path):
    """Read by its own standard: names, moments, transitions, people, departments."""
    assert write(view, tmp_path / "log.xes", ZONE, clear=True) == 2
    (trace,) = read_xes(tmp_path / "log.xes")
    about, events = trace
    assert about == {"concept:name": world.KEY}
    first, second = events
    assert (first["concept:name"], first["casebus:type"]) == ("收件", "Applied")
    assert first["time:timestamp"] == local(world.at(1), ZONE)
    assert (second["org:resource"], second["org:group"]) == ("王小明", "hall")
    assert second["lifecycle:transition"] == "complete"
    assert second["casebus:received"] == local(EVENTS[0].received_at, ZONE)


def test_xes_names_its_extensions_by_the_standard(view, tmp_path):
    """A reader finds out what the keys mean."""
    write(view, tmp_path / "log.xes", ZONE)
    root = etree.parse(tmp_path / "log.xes").getroot()
    assert etree.QName(root).namespace == "http://www.xes-standard.org/"
    assert root.get("xes.version") == "1849.2016"
    assert {one.get("prefix") for one in root.findall("{*}extension")} == {"concept", "time", "org", "lifecycle"}
    assert {one.get("scope") for one in root.findall("{*}global")} == {"trace", "event"}


def test_what_xml_cannot_hold_is_replaced():
    """A department's export may hold anything."""
    assert sayable("收\x00件\x0b\ud800") == "收\ufffd件\ufffd\ufffd"
    assert sayable("收\t件\n") == "收\t件\n"


def read_xes(path):
    """By the standard alone: an attribute is an element named by its type, with key and value."""
    read = {"string": str, "date": datetime.fromisoformat}
    for trace in etree.parse(path).getroot().findall("{*}trace"):
        events = [attributes(event, read) for event in trace.findall("{*}event")]
        yield attributes(trace, read), events


def attributes(element, read):
    found = ((etree.QName(one).localname, one) for one in element)
    return {one.get("key"): read[kind](one.get("value")) for kind, one in found if kind in read}


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx"])
def test_what_a_spreadsheet_would_run_is_quoted(text):
    """A department's text is text."""
    assert safe(text) == f"'{text}"
    assert safe("plain") == "plain"
