"""The service hall (domain.md): a ticket, papers handed in at one window, three departments, everything in one visit."""

import csv
from collections import Counter
from collections.abc import Iterator

import pytest
from city_story import EXAMPLE, City

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
