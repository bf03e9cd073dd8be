"""docs/law.md is drawn from the tables, never written by hand."""

from pathlib import Path

from router.drawing import drawn
from router.findings import FINDINGS
from router.law import MAIN

LAW = Path(__file__).parents[3] / "docs" / "law.md"


def test_the_document_is_what_the_tables_give():
    """Draw it again: python -m router.drawing > docs/law.md"""
    assert LAW.read_text("utf-8") == drawn()


def test_every_finding_and_every_transition_is_in_the_document():
    """Nothing of the tables is lost in the drawing."""
    text = LAW.read_text("utf-8")
    assert all(f"`{code}`" in text for code in FINDINGS)
    assert all(f"| {event} |" in text for event in MAIN)


def test_every_finding_that_the_main_table_names_has_a_sentence():
    """Otherwise the page would show a code."""
    assert {row.otherwise for row in MAIN.values()} - {""} <= FINDINGS.keys()
