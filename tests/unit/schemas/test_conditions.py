"""Conditions of steps: CEL over the fields of a case, checked when they are read."""

import pytest

from schemas.case import Case, Step
from schemas.conditions import FIELDS, ConditionError, condition

CASE = Case(
    "city:1",
    channel="WINDOW",
    level=4,
    materials=["plan"],
    applicant={"kind": "COMPANY"},
    steps=[Step("review", "a@1", "", None, 5, "RETURN"), Step("open", "a@1", "", 5)],
)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("channel == 'WINDOW' && level >= 4", True),
        ("applicant_kind in ['NATURAL_PERSON']", False),
        ("'plan' in materials", True),
        ("'review' in opinions && opinions.review == 'RETURN'", True),
        ("'open' in opinions", False),
        ("promised_days < 5", False),
        ("opinions.other == 'PASS'", False),
    ],
)
def test_a_condition_asks_the_case(text, holds):
    """What cannot be answered (a null compared, an opinion not given) does not hold."""
    assert condition(text).holds(CASE) is holds


def test_a_condition_tells_what_it_looked_at():
    """For whoever asks why a step was due."""
    assert condition("channel == 'WINDOW' && level >= 4").values(CASE) == (("channel", "WINDOW"), ("level", "4"))


@pytest.mark.parametrize("text", ["area > 500", "channel ==", "size(channel) > 3"])
def test_a_condition_that_cannot_be_used_says_what_to_write(text):
    """Unknown names and fenced functions are found when the item is loaded."""
    with pytest.raises(ConditionError, match=r"Write|Ask for|Compare"):
        condition(text)


def test_every_field_can_be_asked_of_an_empty_case():
    """No condition fails for want of a value."""
    for read in FIELDS.values():
        read(Case("city:1"))
