"""A case tells why its light is what it is: what happened, how the clock counted, what was found, who has it."""

from __future__ import annotations

import io
from datetime import date
from zoneinfo import ZoneInfo

import monitor_city
import monitor_world as world
import pytest
from rich.cells import cell_len
from rich.console import Console

from monitor.casetext import page
from monitor.caseview import Asked, account, case_view, key_of
from monitor.lights import Clockwork
from monitor.statistics.compute import Inputs
from monitor.view import View
from router.findings import FINDINGS
from schemas.calendar import Calendar, CalendarSettings
from schemas.clock import ClockRules, Kind, Line
from schemas.problem import ProblemsError

ZONE = ZoneInfo("Asia/Shanghai")
INPUTS = Inputs(world.CODEC, monitor_city.FOLDING, Clockwork(ClockRules(), Calendar(CalendarSettings()), ZONE))
HALL = "规划自然资源局@500103"
EVENTS = [
    world.event("Applied", 1, authority=HALL, item="建设工程规划许可", applicant={"name": {"value": "王小明"}}),
    world.event("SupplementRequested", 2, authority=HALL, actor={"value": "李雷"}, activity="补正告知"),
    world.event("SupplementRequested", 3, authority=HALL, actor={"key": "k1", "cipher": b"x"}),
    world.event("Accepted", 4, authority=HALL, promised_days=3, statutory_days=20, received_at=world.at(40)),
    world.event("HandedUp", 5, authority=HALL, hand_over="h1", to="规划自然资源局@500100"),
]


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    opened = View.at(tmp_path_factory.mktemp("view") / "view.db")
    entries = world.chain(EVENTS)
    state = world.state(EVENTS, monitor_city.FOLDING.fold(EVENTS, world.KEY))
    records = [world.journal_record(entry, n) for n, entry in enumerate(entries)]
    decision = entries[0] | {
        "sequence": 6,
        "kind": "DECISION",
        "event": None,
        "rule": "hand_up",
        "target": "规划自然资源局@500100",
    }
    records.append(world.journal_record(decision | {"recorded_at": world.at(6)}, len(records)))
    opened.apply_batch([*records, world.state_record(state, 0)], {}, world.CODEC)
    yield opened
    opened.close()


TUESDAY = world.at(24 * 8)


def seen(view, now=TUESDAY, at=None):
    return case_view(view, world.KEY, INPUTS, FINDINGS, Asked(now, at))


def text(view, **asked):
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(page(seen(view, **asked), ZONE))
    return console.export_text()


def test_a_case_is_found_by_its_number_alone(view):
    """People know numbers, not namespaces; both work."""
    assert key_of(view, "0001") == key_of(view, "city:0001") == "city:0001"


def test_an_unknown_number_is_a_sentence_with_a_remedy(view):
    """No traceback, and where to look instead."""
    with pytest.raises(ProblemsError, match="no case has this number"):
        key_of(view, "0009")


def test_the_clock_explains_itself(view):
    """The promise of three working days from Monday ended on Thursday; today is the Tuesday after."""
    found = seen(view)
    assert (found.clock["light"], found.clock["elapsed_days"], found.clock["overdue_promise"]) == ("yellow", 6, True)
    told = [(one.first, one.last, one.text) for one in found.account]
    assert ("2025-03-04", "2025-03-06", "days 1 to 3 count") in told
    assert ("2025-03-06", "2025-03-06", "the promised limit of 3 days ends: passed") in told


def test_the_clocks_account_stays_short_however_long_a_case_is_open(view):
    """Ten years are a few lines: what happened to the clock, and runs of days between."""
    told = [(one.first, one.last, one.text) for one in seen(view, now=world.at(24 * 3650)).account]
    assert len(told) < 10
    assert ("2025-03-04", "2025-03-06", "days 1 to 3 count") in told
    assert any(text.startswith("days 21 to ") and text.endswith(" days off not") for *_, text in told)


def test_days_in_a_procedure_are_one_line():
    """With the weekend in them; before it and after it days count."""

    def line(day, kind, number=None):
        return Line(date(2025, 3, day), kind, f"{kind} day", number)

    days = [
        line(6, Kind.COUNTED, 1),
        line(7, Kind.PAUSED),
        line(8, Kind.OFF),
        line(9, Kind.OFF),
        line(10, Kind.PAUSED),
        line(11, Kind.COUNTED, 2),
    ]
    assert [(one.first[-2:], one.last[-2:], one.text) for one in account(days)] == [
        ("06", "06", "counted day"),
        ("07", "10", "2 days in a special procedure: not counted, 2 days off not"),
        ("11", "11", "counted day"),
    ]
    assert [one.text for one in account([line(8, Kind.OFF), line(9, Kind.OFF)])] == ["off day"]


def test_findings_are_sentences_with_their_law(view):
    """The second notice of missing papers is told with its article."""
    (found,) = [one for one in seen(view).findings if one.code == "second_supplement_notice"]
    assert found.sentence == "Missing papers were asked for a second time."
    assert "art. 32" in found.basis


def test_people_are_masked(view):
    """Neither the page nor the JSON holds a whole name, and a sealed one is called sealed."""
    found = seen(view)
    assert [one.actor for one in found.timeline if one.what == "SupplementRequested"] == ["李**", "(sealed)"]
    shown = text(view) + str(found.to_json(INPUTS.clockwork))
    assert "王**" in shown
    assert "王小明" not in shown
    assert "李雷" not in shown


def test_the_timeline_holds_events_and_decisions_with_three_times(view):
    """Occurred, reported, received: keyed in late shows."""
    line = next(one for one in seen(view).timeline if one.what == "Accepted")
    assert (line.occurred_at, line.reported_at, line.received_at) == (world.at(4), None, world.at(40))
    assert "+2 d" in text(view) or "+36 h" in text(view)
    assert [one.what for one in seen(view).timeline][-1] == "decision"


def test_a_case_can_be_seen_as_it_was(view):
    """At that hour it had not been accepted, and nobody had handed it on."""
    found = seen(view, at=world.at(2))
    assert [one.what for one in found.timeline] == ["Applied", "SupplementRequested"]
    assert (found.clock["light"], found.moves, found.account) == ("none", [], [])
    with pytest.raises(ProblemsError, match="nothing of this case had happened"):
        seen(view, at=world.at(0))


def test_the_page_fits_a_hundred_columns(view):
    """Chinese words take two cells; no line is wider than the terminal."""
    lines = text(view).splitlines()
    assert max(map(cell_len, lines)) <= 100
    assert any("on its way" in line for line in lines)
    assert any("Why the light is yellow" in line for line in lines)


def test_json_has_times_with_their_offset(view):
    """For programs: ISO 8601 in the zone of the deployment."""
    found = seen(view).to_json(INPUTS.clockwork)
    assert found["case"]["accepted_at"] == "2025-03-03T04:00:00+08:00"
    assert found["timeline"][0]["received_at"].endswith("+08:00")
    assert found["as_of"] == "2025-03-11T00:00:00+08:00"
