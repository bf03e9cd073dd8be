"""The open cases are kept in order and counted case by case; the outcome is that of counting them anew."""

from __future__ import annotations

import random

import pytest
from test_web_models import one
from web_world import NOW

from monitor.web import listing
from monitor.web.models.listing import Filter, fitting, listed
from monitor.web.picture import Picture, tallied, worst_first
from monitor.web.standing import Standing

LIGHTS = ("red", "yellow", "green", "none")


def some(dice: random.Random, number: int):
    places = {"region": dice.choice(("11", "12")), "item": dice.choice(("I-1", "I-2"))}
    taken = dice.choice(("", "", "SV-1"))
    return one(f"{number:04}", light=dice.choice(LIGHTS), left=dice.choice((-1, 0, 3)), supervision=taken, **places)


def test_changed_case_by_case_it_is_what_counting_anew_gives():
    """Cases come, change and end, few at a time and many."""
    dice = random.Random(3)
    standing, truth = Standing(), {}
    for _ in range(60):
        numbers = dice.sample(range(300), dice.choice((1, 2, 5, 200)))
        changed = [some(dice, number) for number in numbers if dice.random() < 0.7]
        keys = [f"city:{number:04}" for number in numbers]
        for key in keys:
            truth.pop(key, None)
        truth |= {glance.key: glance for glance in changed}
        standing.change(keys, changed)
        assert standing.ordered == worst_first(truth.values())
        assert standing.tallies == tallied(truth.values())
        assert standing.taken == [one for one in standing.ordered if one.supervision]


@pytest.mark.parametrize("light", ["", *LIGHTS])
@pytest.mark.parametrize(
    "place", [{}, {"region": "12"}, {"item": "I-2", "department": "hall"}, {"region": "99"}, {"allowed": {"11"}}]
)
def test_a_page_of_the_list_is_the_one_that_looking_through_all_cases_gives(place, light, monkeypatch):
    """Though only the first are read, and the rest is known from the tallies."""
    monkeypatch.setattr(listing, "_SOME", 7)
    dice = random.Random(4)
    standing = Standing([some(dice, number) for number in range(400)])
    picture = Picture(NOW, 1, standing.ordered, tallies=standing.tallies)
    for page in (1, 2, 99):
        wanted = Filter(light=light, page=page, **place)
        assert listing.page_of(None, picture, wanted) == listed(fitting(picture.glances, wanted, NOW), wanted)


def test_what_was_handed_out_stays_as_it_was():
    """A page that is being drawn must not see another moment."""
    standing = Standing([one("1", light="red"), *(one(f"{n:03}") for n in range(100))])
    ordered, tallies = standing.ordered, standing.tallies
    before = list(ordered), dict(tallies), next(iter(tallies.values())).red
    assert standing.change(["city:1"], [])
    assert (list(ordered), dict(tallies), next(iter(tallies.values())).red) == before
    assert len(standing.ordered) == 100


def test_the_same_again_is_no_news():
    """Clocks that have not moved make no new picture."""
    standing = Standing([one("1")])
    assert not standing.change(["city:1", "city:2"], [one("1")])
    assert standing.change(["city:1"], [one("1", light="red")])
