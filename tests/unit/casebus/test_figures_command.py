"""What `casebus figures` prints for people."""

from __future__ import annotations

from rich.console import Console

from casebus.commands import figures
from monitor.statistics.service import Compared, Score, Service

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
