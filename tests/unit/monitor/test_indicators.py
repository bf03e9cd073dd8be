"""Every indicator in the folder keeps the contract: its examples hold, and nothing to see gives nothing."""

from __future__ import annotations

import pytest

from monitor.indicator import Panel, indicators
from monitor.sight import Line, Seen
from schemas.case import Case
from schemas.clock import Light
from schemas.problem import ProblemsError

ALL = indicators()
EXAMPLES = [(name, example) for name, one in ALL.items() for example in one.examples]
SUPERVISION = {
    "promise_near", "promise_passed", "statute_near", "statute_passed", "step_stuck", "sent_not_received", "answer_late",
    "hand_up_late", "part_unanswered", "appointment_not_called_back", "second_supplement_notice", "pause_on_the_last_day",
    "pause_without_end", "refusal_without_reason", "late_entry", "keyed_in_a_burst", "equal_intervals", "done_within_minutes",
    "silent_department", "bad_rating_unfollowed", "backlog_growing", "findings_of_law", "no_application",
}  # fmt: skip


def hits(name, sight, threshold=None):
    one = ALL[name]
    limit = (one.threshold or 0) if threshold is None else threshold
    found = one.of_case(sight, limit) if isinstance(sight, Seen) and one.of_case else ()
    found = one.of_department(sight, limit) if isinstance(sight, Line) and one.of_department else found
    return list(found)


def test_the_rule_families_of_electronic_supervision_are_there():
    """What a supervisor expects by name."""
    assert ALL.keys() >= SUPERVISION


@pytest.mark.parametrize("name", ALL)
def test_each_asks_either_cases_or_departments_and_says_so_in_both_languages(name):
    """One question has one subject, and nobody reads an empty sentence."""
    one = ALL[name]
    assert (one.of_case is None) != (one.of_department is None)
    assert all((*one.title, *one.says, one.unit, one.basis))


@pytest.mark.parametrize("name", ALL)
def test_nothing_to_see_gives_no_hit(name):
    """A case of which nothing is known, a department without a past."""
    assert hits(name, Seen(Case("city:1"))) == []
    assert hits(name, Line("quality")) == []


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[f"{name}: {one.says}" for name, one in EXAMPLES])
def test_examples_hold(name, example):
    """Each says in words what it shows, and finds just what it says."""
    found = hits(name, example.sight)
    assert tuple(one.value for one in found) == example.values
    assert hits(name, example.sight) == found


@pytest.mark.parametrize("name", ALL)
def test_an_example_shows_a_hit_and_both_languages_can_say_it(name):
    """An indicator that is never seen to speak cannot be understood."""
    panel = Panel(((ALL[name], ALL[name].threshold or 0),))
    sights = [example.sight for example in ALL[name].examples]
    found = [one for sight in sights for one in (panel.of_case(sight) if isinstance(sight, Seen) else panel.of_department(sight))]
    assert found
    for one in found:
        assert one.text("en").endswith(".")
        assert one.text("zh").endswith("。")
        assert "{" not in one.text("en") + one.text("zh")


def test_a_threshold_of_the_deployment_counts_and_null_turns_an_indicator_off():
    """`thresholds:` in casebus.yaml."""
    panel = Panel.of({"late_entry": 30, "step_stuck": None})
    set_here = {one.name: threshold for one, threshold in panel.rows}
    assert set_here["late_entry"] == 30
    assert "step_stuck" not in set_here
    assert set_here["keyed_in_a_burst"] == ALL["keyed_in_a_burst"].threshold


def test_a_threshold_for_nobody_is_a_sentence():
    """A slip of the pen is not silently without effect."""
    with pytest.raises(ProblemsError, match="late_entri"):
        Panel.of({"late_entri": 3})


def test_a_finding_of_the_future_is_not_known_yet():
    """As of a time, nothing that came up later."""
    example = next(one for one in ALL["second_supplement_notice"].examples if one.values)
    assert hits("second_supplement_notice", example.sight._replace(now=0)) == []


def test_lights_come_from_the_limits():
    """A passed answer is red where the profile says so."""
    example = next(one for one in ALL["statute_passed"].examples if one.values)
    assert [one.light for one in hits("statute_passed", example.sight)] == [Light.RED]
