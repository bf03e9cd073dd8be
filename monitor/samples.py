"""Short ways to write down what an indicator sees, for the examples inside their files."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.sight import Seen, Told
from monitor.times import DAY
from schemas.case import Case, Finding
from schemas.clock import Light
from schemas.deadlines import Deadline, Measure, Own
from schemas.rules import Subject

HOUR, MINUTE = 3_600_000_000, 60_000_000
#: 2025-03-03T00:00 in Shanghai, a Monday.
START = 1_740_931_200_000_000


def limit(kind: Own | Subject, elapsed: float, of: float, light: Light, name: str = "") -> Deadline:
    """A limit still waited for, of which so much is used."""
    return Deadline(
        kind=kind,
        name=name,
        who="quality@500103",
        started_at=START,
        limit=of,
        unit=Measure.HOURS if kind is Subject.CALL_BACK else Measure.WORKING,
        due=None,
        due_at=None,
        met_at=None,
        elapsed=elapsed,
        light=light,
        passed=elapsed > of,
        open=True,
        paused=False,
        article="",
        provisional=False,
    )


def waiting(*limits: Deadline, case: Case | None = None) -> Seen:
    """An open case with these limits, twenty days later."""
    return Seen(case or Case("city:1", applied_at=START), START + 20 * DAY, limits=limits)


def told(*hours: float, kind: str = "StepCompleted", reported: float | None = None) -> tuple[Told, ...]:
    """Events at these hours; keyed in at the hour `reported`, or at once."""
    return tuple(
        Told(
            kind, "quality@500103", START + int(hour * HOUR), START + int((hour if reported is None else reported) * HOUR), START
        )
        for hour in hours
    )


def broken(*codes: str) -> Seen:
    """A case with these findings."""
    findings: Sequence[Finding] = [Finding(code, START, f"e{number}") for number, code in enumerate(codes)]
    return Seen(Case("city:1", applied_at=START, findings=list(findings)), START + DAY)
