"""The contract of the folder router/rules: whatever stands in it holds these promises."""

from itertools import combinations

import msgspec
import pytest

from router.decide import NOTHING, Rule, all_rules, decide, triggered
from schemas.case import Case
from schemas.codec import default

RULES = all_rules()
EXAMPLES = [pytest.param(rule, example, id=f"{rule.name}: {example.says}") for rule in RULES for example in rule.examples]


#: The moves of the field, each with its rule and with what it tells.
MOVES = {
    "hand up 上报": ("hand_up", {"handed_up", "step_up"}),
    "hand down 下放": ("hand_down", {"handed_down", "step_down"}),
    "hand across 转办": ("hand_across", {"handed_across", "part_handed_over", "step_across"}),
    "joint approval 并联": ("join", {"part_asked", "all_answered", "part_refused", "answer_after_decision"}),
    "preceding joint 前置联办": ("precede", {"consent_asked", "consents_given"}),
    "supplement 补正": ("supplement", {"supplement_requested", "supplement_received"}),
    "accepted with gaps 容缺受理": ("gaps", {"gaps_to_fill", "gaps_filled"}),
    "special procedure 特别程序": ("pause", {"clock_paused", "clock_resumed"}),
    "extension 延长审批": ("extend", {"limit_extended"}),
    "withdraw 撤件": ("withdraw", {"stop_work"}),
    "return 退件": ("give_back", {"papers_returned"}),
    "revoke 撤销": ("revoke", {"decision_revoked", "decided_anew"}),
    "correct 更正": ("correct", {"corrected"}),
    "reopen 重新办理": ("reopen", {"case_reopened", "ended_anew"}),
    "link and merge 关联": ("link", {"number_joined"}),
    "tacit acceptance 视为受理": ("deem", {"deemed_accepted"}),
    "escalation 预警": ("escalate", {"yellow_alert", "red_alert"}),
    "appointment 预约, 回访": ("appointment", {"call_back", "visit_fixed"}),
    "hall ticket 取号": ("hall", {"visit_part_done"}),
}


def test_each_move_of_the_field_is_one_file_and_no_file_is_none():
    """The folder and the list of moves are the same; what a move tells is what its rule claims."""
    assert {rule.name: rule.claims for rule in RULES} == dict(MOVES.values())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_whatever_a_rule_may_tell_it_shows_in_an_example(rule: Rule):
    """A claim without an example is a promise that nobody has seen kept."""
    assert {move.kind for example in rule.examples for move in example.moves} == rule.claims


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
