"""Whole made-up cities with a known truth: every case folds to it, in whatever order the lines come."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from router_city_lines import PROFILE, events_of, micros
from router_story import Story

from router.case import fold
from schemas.case import Case, Phase
from schemas.envelope import Event


class City(NamedTuple):
    """The lines' events (None where a connector rejects), the truth of each case, and the bad lines by number."""

    lines: list[list[Event] | None]
    truth: dict[str, dict]
    bad: list[dict]


@pytest.fixture(scope="module", params=[1, 2, 3], ids="seed {}".format)
def city(request, shared: Path, tmp_path_factory) -> City:
    """A small city with many bad lines."""
    out = tmp_path_factory.mktemp("city")
    command = [sys.executable, str(shared / "tools" / "gen_city.py"), "--cases", "150", "--days", "200", "--bad", "0.05"]
    subprocess.run([*command, "--seed", str(request.param), "--out", str(out)], check=True, capture_output=True)
    catalogue = json.loads((out / "catalog.json").read_text("utf-8"))
    found = [events_of(line, catalogue) for line in (out / "events.jsonl").read_text("utf-8").splitlines()]
    truth = [json.loads(line) for line in (out / "truth_cases.jsonl").read_text("utf-8").splitlines()]
    bad = [json.loads(line) for line in (out / "truth_bad.jsonl").read_text("utf-8").splitlines()]
    return City([list(one) if one else None for one in found], {f"city:{one['case_no']}": one for one in truth}, bad)


def state_of(case: Case) -> str:
    """The city's word for where a case stands."""
    if case.phase is Phase.ENDED:
        return {"granted": "closed_approved", "refused": "closed_denied"}.get(str(case.outcome), str(case.outcome))
    if case.paused:
        return "paused"
    return {"applied": "submitted", "in_progress": "reviewing"}.get(str(case.phase), str(case.phase))


def told(case: Case) -> dict:
    return {
        "state": state_of(case),
        "submitted": case.applied_at,
        "accepted": case.accepted_at,
        "clock_stop": case.stopped_at if case.accepted_at is not None else None,
        "closed": case.ended_at,
        "pauses": sorted((pause.start, pause.end) for pause in case.pauses),
        "extension_days": sum(one.days for one in case.extensions),
        "events": case.events,
        "limits": (case.promised_days, case.statutory_days) if case.accepted_at is not None else None,
    }


def true(row: dict) -> dict:
    def at(name: str) -> int | None:
        return micros(row[name]) if row[name] else None

    return {
        "state": row["state"],
        **{name: at(name) for name in ("submitted", "accepted", "clock_stop", "closed")},
        "pauses": sorted((micros(start), micros(end) if end else None) for start, end in row["pauses"]),
        "extension_days": row["extension_days"],
        "events": row["events"],
        "limits": (row["promise_days"], row["legal_days"]) if row["accepted"] else None,
    }


def test_every_case_of_the_city_folds_to_its_truth(city):
    """State, acceptance, stop, end, pauses, extensions, limits, count of events: of all cases, bad lines and all."""
    by_case = defaultdict(list)
    for events in city.lines:
        for one in events or ():
            by_case[one.case].append(one)
    random = Random(1)
    for key, row in city.truth.items():
        random.shuffle(by_case[key])
        assert told(fold(by_case[key], PROFILE, key)) == true(row), key


@pytest.mark.parametrize("shuffled", [False, True], ids=["as sent", "shuffled"])
def test_the_router_brings_the_whole_city_to_its_truth_and_rejects_the_bad_lines(city, tmp_path, shuffled):
    """Through topics, forwarding and the end of input. Each bad line that passes a connector has a fit reason."""
    events = [one for line in city.lines for one in line or ()]
    if shuffled:
        Random(5).shuffle(events)
    story = Story(tmp_path, PROFILE, batch=400)
    story.publish(events)
    story.end()
    story.work()
    states = story.states()
    assert {key: told(states[key].case) for key in city.truth} == {key: true(row) for key, row in city.truth.items()}
    opened = {key for key, state in states.items() if state.case.opened}
    assert opened == set(city.truth)
    assert standing_rejections(story) == expected_rejections(city)


def standing_rejections(story: Story) -> dict[str, set[str]]:
    """By reason the events that do not count at the end, each of which has a dead letter."""
    found = defaultdict(set)
    letters = {(letter["reason"], letter["event_id"]) for letter in story.letters()}
    for state in story.states().values():
        for entry in state.ledger:
            standing = state.case.set_aside.get(entry.event_id, entry.standing)
            reason = {"conflicting": "conflicting_id", "expired": "no_application"}.get(standing, standing)
            if reason not in {"effective", "forwarded"}:
                assert (reason, entry.event_id) in letters
                found[reason].add((entry.event_id, entry.body_hash))
    return dict(found)


def expected_rejections(city: City) -> dict[str, set[str]]:
    reasons = {"after_final": "event_after_end", "conflicting_id": "conflicting_id", "orphan_case": "no_application"}
    found = defaultdict(set)
    for bad in city.bad:
        events = city.lines[bad["line"] - 1]
        if bad["kind"] in reasons:
            found[reasons[bad["kind"]]] |= {(one.id, one.header["body_hash"]) for one in events}
    return dict(found)
