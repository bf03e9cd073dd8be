"""Which number keeps the case is said by the link itself, not by who came first."""

import pytest

from router.links import Pair, better, pair


@pytest.mark.parametrize("relation", ["APPOINTMENT", "TICKET", "LOCAL_NUMBER"])
def test_what_belongs_to_a_case_goes_to_the_case_it_was_reported_for(relation):
    """Even where its key would sort before the case's."""
    assert pair("city:9", "aaa:1", relation, ()) == Pair("city:9", "aaa:1", same=False)


def test_of_two_numbers_the_better_namespace_is_kept_from_both_sides():
    """The profile's first namespace; among equals the smaller key."""
    for case, other in (("zone:1", "city:9"), ("city:9", "zone:1")):
        assert pair(case, other, "SAME_CASE", ("zone", "city")) == Pair("zone:1", "city:9", same=True)
        assert pair(case, other, "SAME_CASE", ()) == Pair("city:9", "zone:1", same=True)


def test_a_named_namespace_is_better_than_an_unnamed_one():
    """What the profile does not name comes last."""
    assert better("aaa:1", "city:9", ("city",)) == "city:9"


def test_a_number_linked_to_itself_says_nothing():
    """Nothing is forwarded in a circle."""
    assert pair("city:1", "city:1", "SAME_CASE", ()) is None
