"""A changed law tried on what was recorded: which cases would have come out differently, and how."""

from router_lives import event, life

from router.decide import Context
from router.law import LawProfile
from router.simulate import Terms, simulate

PLAIN = LawProfile()


def test_nothing_changes_under_the_same_terms():
    """The same law, the same cases."""
    recorded = {"city:1": life()}
    assert list(simulate(recorded, Terms(PLAIN), Terms(PLAIN))) == []


def test_a_second_round_allowed_takes_the_finding_away():
    """Only the case with two supplement notices changes."""
    rounds = [event("SupplementRequested", at, case="city:2", round=at) for at in (1, 2)]
    recorded = {"city:1": life(), "city:2": [event("Applied", case="city:2"), *rounds]}
    (change,) = simulate(recorded, Terms(PLAIN), Terms(LawProfile(supplement_rounds=2)))
    assert change.key == "city:2"
    assert change.findings == (frozenset({"second_supplement_notice"}), frozenset())


def test_an_item_made_joint_asks_the_assisting_authorities():
    """Another catalogue gives other moves for the same facts."""
    joint = Context((("fire", "fire@500103"),))
    (change,) = simulate({"city:1": life()}, Terms(PLAIN), Terms(PLAIN, lambda _: joint))
    assert change.moves[1] >= {"part_asked to fire@500103"}
    assert change.before == change.after
