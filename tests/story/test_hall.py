"""The service hall (domain.md): a ticket, papers handed in at one window, three departments, everything in one visit."""

import csv
import os
from collections import Counter
from collections.abc import Iterator

import pytest
from city_story import EXAMPLE, City
from running_page import RunningPage, running_page

from router.decide import all_rules
from schemas.case import Outcome

CASES = {f"case:5001032026031000{number}" for number in (1, 2, 3)}
HALL = "service-hall@500103"
HOUR = 3_600_000_000


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with pytest.MonkeyPatch.context() as patch:
        city = City(tmp_path_factory.mktemp("city"), patch).run()
        yield city
        city.close()


@pytest.fixture(scope="module")
def page(city: City) -> Iterator[RunningPage]:
    with running_page(EXAMPLE, os.environ) as found:
        yield found


def test_one_ticket_belongs_to_the_cases_of_three_departments(city: City) -> None:
    """Each case has the ticket, and stays a case of its own."""
    cases = city.cases()
    assert {key for key, case in cases.items() if any(one.id == "A017" for one in case.tickets)} == CASES
    assert {cases[key].holder.partition("@")[0] for key in CASES} == {"market", "fire", "planning"}


def test_each_department_gets_its_papers_and_signs(city: City) -> None:
    """Handed across by the hall, received, with nothing on the way any more."""
    for key in CASES:
        (move,) = city.cases()[key].hand_overs
        assert (move.kind, move.sender) == ("across", HALL)
        assert move.received_at is not None
        assert ("handed_across", move.receiver) in city.told(key)


def test_the_hall_learns_of_each_part_and_the_visitor_leaves_with_everything(city: City) -> None:
    """Three answers at the hall's window; ticket to collection in less than two hours."""
    assert Counter(city.told(key).count(("visit_part_done", HALL)) for key in CASES) == {1: 3}
    done = [one for one in city.files("hall") if one["kind"] == "visit_part_done"]
    assert {one["case"] for one in done} == CASES
    assert {one["summary"]["window"] for one in done} == {"window 3"}
    cases = [city.cases()[key] for key in CASES]
    assert all(case.outcome is Outcome.GRANTED and case.collected_at - case.tickets[0].at < 2 * HOUR for case in cases)


def test_nothing_of_the_city_is_rejected_or_left_waiting(city: City) -> None:
    """No dead letter of connector, router or delivery; only what departments have yet to send by themselves is waited for."""
    assert city.letters() == []
    waiting = {key for key, case in city.cases().items() if not case.opened and case.events}
    with (EXAMPLE / "truth.csv").open(encoding="utf-8", newline="") as file:
        sent = {f"case:{row['case']}" for row in csv.DictReader(file) if row["told"] == "sent"}
    assert waiting - sent <= {"local:M-4711"}


def test_every_rule_moves_something_in_the_city(city: City) -> None:
    """So each can be followed on the page; what departments have yet to send by themselves is left out."""
    decoded = [city.wiring.codec.decode_record(one.value or b"")[1] for one in city.cluster.records("case.deliveries")]
    moved = {one["rule"] for one in decoded}
    assert {rule.name for rule in all_rules()} - moved <= {"extend", "pause"}
    kinds = {one["kind"] for one in decoded}
    assert kinds >= {"part_refused", "answer_after_decision", "consents_given", "stop_work", "decided_anew", "number_joined"}


def test_a_move_says_by_which_version_and_why(city: City) -> None:
    """The journal's facts: the item, its version, what the rule saw."""
    entries = [city.wiring.codec.decode_record(one.value or b"") for one in city.cluster.records("case.journal")]
    found = [entry for name, entry in entries if name == "JournalEntry" and entry["facts"].get("kind") == "step_up"]
    assert found[0]["rule"] == "hand_up"
    assert found[0]["facts"].items() >= {"item": "LAND-01", "item_version": "2026", "step": "approve"}.items()


def test_the_running_page_shows_each_part_of_the_visit_with_its_custody(page: RunningPage) -> None:
    """Ticket, hand-over with its receipt, decision, licence: for programs; with rule and law: for people."""
    for key in sorted(CASES):
        case = page.get(f"/cases/{key}")
        (move,) = case["moves"]
        assert (move["kind"], move["sender"]) == ("across", HALL)
        assert move["sent_at"] < move["received_at"] < "2026-03-10T09:30"
        told = {one["says"]: (one["target"], one["facts"]) for one in case["decisions"]}
        assert told["handed across"][0] == move["receiver"]
        assert told["part of the visit done"] == (HALL, {"ticket": "A017", "window": "window 3", "outcome": "granted"})
        shown = page.text(f"/case/{key.partition(':')[2]}")
        events = (
            "Queue ticket 取号",
            "Application 申请",
            "Handed across 转办",
            "Received 签收",
            "Decided 办结",
            "Collected 领证",
        )
        places = [shown.index(one) for one in events]
        assert places == sorted(places)
        assert "one window takes, departments work behind it, one window gives" in shown


def test_the_running_page_counts_the_visit_to_its_rating(page: RunningPage) -> None:
    """The visitor rated at the window; nothing of the visit is open or on its way."""
    first, *_ = sorted(CASES)
    assert "Rated 评价" in page.text(f"/case/{first.partition(':')[2]}")
    found = [one for one in page.get("/cases?state=all&q=5001032026031000")["cases"] if one["key"] in CASES]
    assert {one["key"] for one in found} == CASES
    assert {(one["outcome"], one["on_its_way"]) for one in found} == {("granted", False)}
