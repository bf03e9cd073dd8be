"""What was told to whom, and why, as a stranger reads it on a terminal and a program in JSON."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import monitor_city
import monitor_world as world
import pytest
from msgspec.structs import replace
from rich.console import Console

from monitor.casetext import page
from monitor.caseview import Asked, case_view
from monitor.lights import Clockwork
from monitor.statistics.compute import Inputs
from monitor.told import told
from monitor.view import View
from router.findings import FINDINGS
from schemas.calendar import Calendar, CalendarSettings
from schemas.clock import ClockRules

ZONE = ZoneInfo("Asia/Shanghai")
INPUTS = Inputs(world.CODEC, monitor_city.FOLDING, Clockwork(ClockRules(), Calendar(CalendarSettings()), ZONE))
EVENTS = [world.event("Applied", 1, authority="planning@500103", item="TREE-01"), world.event("Decided", 2, result="GRANTED")]
RULES = {"hand_up": ("A case handed up goes to the higher authority", "art. 43"), "hall": ("The hall learns", "one window")}
STEP = {
    "decision": "d1",
    "kind": "step_up",
    "about": "approve",
    "item": "TREE-01",
    "item_version": "2026",
    "when": "applicant_kind == 'COMPANY'",
    "applicant_kind": "COMPANY",
    "lead": "planning@500103",
}
ASKED = Asked(world.at(24 * 8))


@pytest.fixture(scope="module")
def view(tmp_path_factory):
    opened = View.at(tmp_path_factory.mktemp("view") / "view.db")
    entries = world.chain(EVENTS)
    said = [("DELIVERY", "hand_up", STEP), ("DELIVERY", "hall", {"decision": "d2", "kind": "visit_part_done", "alert": "a" * 32})]
    said += [("COMPENSATION", "hall", {"decision": "d2", "kind": "visit_part_done"})]
    for number, (kind, rule, facts) in enumerate(said, 3):
        entry = {"sequence": number, "kind": kind, "event": None, "rule": rule, "target": "housing@500000", "facts": facts}
        entries.append(entries[0] | entry | {"recorded_at": world.at(number)})
    state = world.state(EVENTS, monitor_city.FOLDING.fold(EVENTS, world.KEY))
    records = [world.journal_record(entry, number) for number, entry in enumerate(entries)]
    opened.apply_batch([*records, world.state_record(state, 0)], {}, world.CODEC)
    yield opened
    opened.close()


def known(view, until=ASKED.when):
    with view.snapshot() as snapshot:
        return told(snapshot, world.KEY, RULES, until)


def test_a_move_has_its_rule_its_law_the_version_and_the_condition_with_its_values(view):
    """What the condition asked stands apart from what was said."""
    step, part = known(view)
    assert (step.what, step.to, step.title, step.basis) == ("step_up", "housing@500000", *RULES["hand_up"])
    assert (step.item, step.item_version, step.condition) == ("TREE-01", "2026", "applicant_kind == 'COMPANY'")
    assert (step.values, step.facts) == ({"applicant_kind": "COMPANY"}, {"lead": "planning@500103"})
    assert (step.taken_back, part.taken_back, part.facts) == (False, True, {})


def test_what_was_told_later_is_not_known_then(view):
    """As of the third hour there is one move, and nobody has taken anything back."""
    assert [one.what for one in known(view, world.at(3))] == ["step_up"]
    assert [one.taken_back for one in known(view, world.at(4))] == [False, False]


def test_the_terminal_says_why_and_the_timeline_does_not_say_it_again(view):
    """One line of what, one of the rule and its law, one of the version and what held; and the state with each finding."""
    shown = replace(case_view(view, world.KEY, INPUTS, FINDINGS, ASKED), told=known(view))
    console = Console(width=150, file=io.StringIO(), record=True)
    console.print(page(shown, ZONE))
    text = console.export_text()
    assert "step up to housing@500000 (lead: planning@500103)" in text
    assert "A case handed up goes to the higher authority (rule hand_up; art. 43)" in text
    assert "Item TREE-01, version 2026: applicant_kind == 'COMPANY' held, with applicant_kind = COMPANY" in text
    assert "visit part done to housing@500000 taken back since" in text
    assert "delivery" not in text
    assert "(state then: applied)" in text
