"""The tables as Markdown, for `docs/view.md`: `python -m monitor.describe`. A test holds the page to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sqlalchemy import Table

from monitor import tables


def markdown() -> str:
    return "\n".join(line for table in tables.metadata.sorted_tables for line in _table(table))


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.name}"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in table.columns:
        marks = [str(column.type).lower(), *["key"] * column.primary_key, *["may be empty"] * bool(column.nullable)]
        yield f"| `{column.name}` | {', '.join(marks)} | {column.comment} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(markdown())
