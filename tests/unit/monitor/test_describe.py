"""The documented tables are the tables."""

from __future__ import annotations

from pathlib import Path

from monitor import tables
from monitor.describe import markdown

PAGE = Path(__file__).parents[3] / "docs" / "view.md"


def test_the_page_holds_every_table_as_it_is():
    """After a change: `python -m monitor.describe` gives the new part of docs/view.md."""
    assert markdown() in PAGE.read_text(encoding="utf-8")


def test_every_column_says_what_it_means():
    """Nobody has to guess."""
    assert all(column.comment for table in tables.metadata.sorted_tables for column in table.columns)
