"""The contract of the folder router/rules: whatever stands in it holds these promises."""

from itertools import combinations

import msgspec
import pytest

from router.decide import NOTHING, Rule, all_rules, decide, triggered
from schemas.case import Case
from schemas.codec import default

RULES = all_rules()
EXAMPLES = [pytest.param(rule, example, id=f"{rule.name}: {example.says}") for rule in RULES for example in rule.examples]


def test_the_folder_holds_the_nine_rules_of_the_field():
    """Up, down, across, join, supplement, pause, correct, link, escalate."""
    assert {rule.name for rule in RULES} >= {
        "hand_up",
        "hand_down",
        "hand_across",
        "join",
        "supplement",
        "pause",
        "correct",
        "link",
        "escalate",
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_says_what_it_is_and_why(rule: Rule):
    """Title, legal basis, triggers that are event types, and examples of acting and of not acting."""
    assert rule.title
    assert rule.basis
    assert rule.triggers <= set(default().types)
    assert any(example.moves for example in rule.examples)
    assert any(not example.moves for example in rule.examples)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_an_example_holds_and_leaves_its_case_untouched(rule, example):
    """The rule gives the moves it shows, the same when asked again, and changes nothing."""
    before = msgspec.msgpack.encode(example.case)
    assert tuple(rule.moves(example.case, example.context)) == example.moves
    assert tuple(rule.moves(example.case, example.context)) == example.moves
    assert msgspec.msgpack.encode(example.case) == before


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_rule_makes_only_the_moves_it_claims(rule, example):
    """The claim is what makes two rules comparable."""
    assert {move.kind for move in example.moves} <= rule.claims


def test_no_two_rules_claim_the_same_move():
    """Each kind of move has one rule that answers for it."""
    for one, other in combinations(RULES, 2):
        assert not one.claims & other.claims, (one.name, other.name)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_no_two_decisions_of_one_case_share_an_id(rule, example):
    """An id names one basis."""
    ids = [decision.id for decision in decide(example.case, example.context)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_has_no_opinion_on_an_empty_case(rule):
    """Nothing happened, nothing follows, with or without a catalogue."""
    assert rule.moves(Case("city:1"), NOTHING) == []


def test_a_type_asks_only_the_rules_it_can_change():
    """Most events change no decision: that is what keeps the common path cheap."""
    assert [rule.name for rule in triggered("AlertRaised")] == ["deem", "escalate"]
    assert triggered("Rated") == ()
