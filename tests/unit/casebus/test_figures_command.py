"""What `casebus figures` prints for people."""

from __future__ import annotations

import pytest
from rich.console import Console

from casebus.commands import figures
from monitor.statistics.service import Compared, Score, Service
from schemas.problem import ProblemsError

NOW = {
    "fire": Score(ended=3, limited=2, on_time=1),
    "hall": Score(ended=9, limited=4, on_time=4, statutory_days=20, actual_days=5),
}
THEN = {"hall": Score(ended=4, limited=4, on_time=2), "land": Score(ended=2), "quiet": Score(applied=1)}


def printed() -> list[list[str]]:
    """The lines that `figures service` prints of departments, cell by cell."""
    found = Compared(
        ("2026-06-01", "2026-06-30"),
        ("2026-05-01", "2026-05-31"),
        Service(Score(ended=12), {}, NOW, {}),
        Service(Score(ended=6), {}, THEN, {}),
    )
    console = Console(width=160)
    with console.capture() as capture:
        for part in figures._served(found):
            console.print(part)
    lines = capture.get().splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("department"))
    return [[cell.strip() for cell in line.split("│")] for line in lines[first + 2 :]]


def test_departments_stand_beside_the_earlier_period() -> None:
    """Ended, on time and compression, each with what it was; who ended something only then is there too."""
    assert printed() == [
        ["hall", "9", "4", "1.00", "0.50", "0.75", ""],
        ["fire", "3", "0", "0.50", "", "", ""],
        ["land", "0", "2", "", "", "", ""],
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("june", "this is no day"),
        ("2026-02-30", "this is no day"),
        ("0001-01-01", "from 1900 to 2199"),
        ("9999-12-31", "from 1900"),
    ],
)
def test_a_day_that_no_case_has_is_told(text: str, said: str) -> None:
    """Instead of a fault of ours, or of twenty seconds of looking for the holidays of that year."""
    with pytest.raises(ProblemsError, match=said):
        figures._day(text)
