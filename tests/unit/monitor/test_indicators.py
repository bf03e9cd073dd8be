"""Every indicator in the folder keeps the contract: its examples hold, and nothing to see gives nothing."""

from __future__ import annotations

import pytest

from monitor.indicator import Sight, indicators
from schemas.clock import Light

ALL = indicators()


def test_the_first_indicators_are_there():
    """Those that electronic supervision begins with."""
    expected = {
        "promise_passed",
        "statute_passed",
        "sent_not_received",
        "second_supplement_notice",
        "findings_of_law",
        "late_entry",
    }
    assert expected <= ALL.keys()


@pytest.mark.parametrize("name", ALL)
def test_an_empty_sight_gives_no_hit(name):
    """Before anything came, nothing is wrong."""
    assert ALL[name].read(Sight(), 0) == []


@pytest.mark.parametrize("name", ALL)
def test_examples_hold(name):
    """Each says in words what it shows, and finds just the cases it names."""
    assert ALL[name].examples, "an indicator without an example cannot be understood"
    for example in ALL[name].examples:
        hits = ALL[name].read(example.sight, example.now)
        assert tuple(hit.case for hit in hits) == example.cases, example.says


@pytest.mark.parametrize("name", ALL)
def test_hits_are_sentences_and_reading_twice_gives_the_same(name):
    """What is shown to a supervisor says what to do; nothing is remembered between two looks."""
    one = ALL[name]
    assert one.name == name
    assert all((one.title, one.unit, one.basis))
    for example in one.examples:
        hits = one.read(example.sight, example.now)
        assert hits == one.read(example.sight, example.now)
        assert all(hit.text.endswith(".") and hit.value >= 0 and hit.light in Light for hit in hits)
