"""What watchers cost the page, in time of a core: wall time tells more about the machine than about the page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-P", "-m", "bench.page", "--feed", "--cases", "5000", "--rate", "300", "--rounds", "0")
#: Milliseconds of a core; some four times and more what they are on a quiet machine.
EACH, EVENT = 10.0, 2.0


@pytest.fixture(scope="module")
def findings() -> list[dict]:
    """All that the benchmark's short form says."""
    done = subprocess.run([*COMMAND, "--seconds", "5", "--watchers", "60"], cwd=ROOT, capture_output=True, text=True, check=True)
    decoder, text, found = json.JSONDecoder(), done.stdout.strip(), []
    while text:
        one, end = decoder.raw_decode(text)
        found.append(one)
        text = text[end:].strip()
    return found


def test_a_watcher_costs_the_page_little_of_a_core(findings):
    """Sixty watchers of five pages and five answers, while three hundred events a second come."""
    (watched,) = (one for one in findings if one.get("watched"))
    assert watched["watchers"]["failed"] == 0
    assert watched["watchers"]["opened"] == 30
    assert watched["watchers"]["answers"] > 0
    assert watched["page_core_ms_each"] < EACH


def test_an_event_costs_the_view_little_of_a_core(findings):
    """Read, made into rows, and written in the transaction of its batch."""
    fed = [one["feed"] for one in findings if "feed" in one]
    assert len(fed) == 2
    for one in fed:
        assert one["events"] > 300
        assert 1000 * one["core_s"] / one["events"] < EVENT


def test_load_and_shares_of_a_core_stand_beside_what_was_measured(findings):
    """Else nobody could tell a slow page from a busy machine."""
    moved = [one for one in findings if "watched" in one]
    assert [one["watched"] for one in moved] == [False, True]
    for one in moved:
        assert one["load"] >= 0
        assert 0 < one["page_cores"] < 4
        assert one["samples"] > 0
