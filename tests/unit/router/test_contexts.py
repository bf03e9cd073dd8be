"""What the rules learn from catalogue and directory: who assists, and which steps lie at other authorities."""

from pathlib import Path

import pytest
from router_lives import START

from router.contexts import Contexts
from router.decide import NOTHING, Place, decide
from schemas.case import Case, Step
from schemas.catalogue import Catalogue
from schemas.conditions import condition
from schemas.directory import Directory

ITEM = """
item: "0123"
name: 环境影响评价审批
department: environment
versions:
  - version: "1"
    from: 2020-01-01
    form: joint
    accepted_at: county
    decided_at: municipal
    assisting: [fire]
    steps:
      - {step: review, by: environment@county}
      - {step: fire, by: fire@county}
      - {step: site, by: water@county, when: "applicant_kind == 'COMPANY'"}
      - {step: approve, by: environment@municipal, after: [review, fire]}
"""
REGIONS = "code,name,level,parent\n50,city,3,\n500103,county,4,50\n"
AUTHORITIES = (
    "authority,name,department,region,credit_code\n,,environment,50,\n,,environment,500103,\n,,fire,500103,\n,,water,500103,\n"
)
COMPANY = "applicant_kind == 'COMPANY'"
LEAD, ABOVE, FIRE = "environment@500103", "environment@50", "fire@500103"


@pytest.fixture
def contexts(tmp_path: Path) -> Contexts:
    (tmp_path / "regions.csv").write_text(REGIONS, "utf-8")
    (tmp_path / "authorities.csv").write_text(AUTHORITIES, "utf-8")
    (tmp_path / "0123.yaml").write_text(ITEM, "utf-8")
    directory = Directory.load(tmp_path)
    return Contexts(Catalogue.load(tmp_path, directory), directory)


def case(**fields) -> Case:
    return Case("city:1", item="0123", region="500103", authority=LEAD, holder=LEAD, applied_at=START, **fields)


def told(contexts: Contexts, one: Case) -> set[tuple[str, str]]:
    return {(decision.move.kind, decision.move.to) for decision in decide(one, contexts(one))}


def test_assistants_and_steps_are_named_for_the_case(contexts):
    """Relative names become authorities; a step with a condition carries it."""
    found = contexts(case())
    assert found.assisting == (("fire", FIRE),)
    site = Place("site", "water@500103", "across", (), condition(COMPANY))
    assert found.places == (Place("fire", FIRE, "across"), site, Place("approve", ABOVE, "up", ("review", "fire")))
    assert (found.version, found.conditions) == ("1", (("site", condition(COMPANY)),))


def test_without_catalogue_or_item_nothing_is_known(contexts):
    """The rules that need no item work all the same."""
    assert Contexts()(case()) == NOTHING
    assert contexts(Case("city:1", item="9999", applied_at=START)).places == ()


def test_a_joint_case_goes_to_the_assistant_and_when_all_is_done_up(contexts):
    """Asked at the acceptance; the lead learns the answer; the higher authority gets its step when both are done."""
    assert told(contexts, case()) == set()
    assert told(contexts, case(accepted_at=START)) == {("part_asked", FIRE)}
    fire = Step("fire", FIRE, "fire", None, START + 1, "PASS")
    assert told(contexts, case(accepted_at=START, steps=[fire])) == {("part_asked", FIRE), ("all_answered", LEAD)}
    review = Step("review", LEAD, "", None, START + 2)
    assert ("step_up", ABOVE) in told(contexts, case(accepted_at=START, steps=[fire, review]))


def test_a_red_alert_goes_to_the_authority_above(contexts):
    """The directory knows who that is; at the top the holder hears it."""
    assert told(contexts, case(alerts={"W1": "red"})) == {("red_alert", ABOVE)}
    top = Case("city:1", holder=ABOVE, alerts={"W1": "red"}, applied_at=START, item="0123")
    assert told(contexts, top) == {("red_alert", ABOVE)}


def test_a_step_with_a_condition_is_due_where_it_holds_and_says_why(contexts):
    """A company's site is looked at, a person's is not; the move carries the condition and what it saw."""
    assert ("step_across", "water@500103") not in told(contexts, case(accepted_at=START))
    company = case(accepted_at=START, applicant={"kind": "COMPANY"})
    (move,) = [one.move for one in decide(company, contexts(company)) if one.move.kind == "step_across"]
    assert (move.to, dict(move.facts)["when"], dict(move.facts)["applicant_kind"]) == ("water@500103", COMPANY, "COMPANY")


def test_nothing_waits_for_a_step_that_is_not_needed(tmp_path):
    """The approval comes after the site visit; where no visit is needed it comes after the review alone."""
    (tmp_path / "regions.csv").write_text(REGIONS, "utf-8")
    (tmp_path / "authorities.csv").write_text(AUTHORITIES, "utf-8")
    (tmp_path / "0123.yaml").write_text(ITEM.replace("after: [review, fire]", "after: [review, site]"), "utf-8")
    directory = Directory.load(tmp_path)
    contexts = Contexts(Catalogue.load(tmp_path, directory), directory)
    review = Step("review", LEAD, "", None, START + 2)
    assert ("step_up", ABOVE) in told(contexts, case(accepted_at=START, steps=[review]))
    company = case(accepted_at=START, steps=[review], applicant={"kind": "COMPANY"})
    assert ("step_up", ABOVE) not in told(contexts, company)
