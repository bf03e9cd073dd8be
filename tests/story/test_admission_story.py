"""A router that knows whose events each system may publish."""

from __future__ import annotations

import pytest
from router_story import Story, event

from schemas.admission import Admission


@pytest.mark.parametrize(
    ("systems", "reasons"),
    [(None, []), ({"hall": ("fire@*",)}, ["foreign_authority"]), ({"hall": ("water@*",)}, []), ({}, ["foreign_authority"])],
    ids=["nothing declared", "another's", "its own", "a system that nobody declared"],
)
def test_an_event_of_an_authority_that_its_system_may_not_speak_for_leaves_no_trace_in_the_case(tmp_path, systems, reasons):
    """It lies in the dead letters, whole, to be mended or dismissed; the case does not begin."""
    story = Story(tmp_path, admission=None if systems is None else Admission(systems))
    one = event("Applied", case="city:1", header_authority="water@1")
    story.play([one])
    assert [letter["reason"] for letter in story.letters()] == reasons
    assert [letter["raw"] for letter in story.letters()] == [one.raw] * len(reasons)
    assert ("city:1" in story.states()) is not bool(reasons)
