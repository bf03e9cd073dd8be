"""Official files of a deployment, for the page: what a file in force has moved, what a draft or typed days would."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from casebus.calendars import Calendars
from casebus.deployment import Deployment
from monitor.statistics.moving import changed_days
from monitor.web.calendars import Change
from schemas.calendar import Calendar
from schemas.problem import ProblemsError

IN_FORCE, DRAFT, BROKEN = "calendars/2026.yaml", "calendars/draft.yaml", "calendars/broken.yaml"


@pytest.fixture
def calendars(tmp_path: Path) -> Calendars:
    """No country: every Monday to Friday is a working day but for what the files say."""
    (tmp_path / "calendars").mkdir()
    (tmp_path / "casebus.yaml").write_text(f"name: x\ncalendar: {{country: null, files: [{IN_FORCE}]}}\n", "utf-8")
    (tmp_path / IN_FORCE).write_text("holidays: [2026-07-06]\n", "utf-8")
    (tmp_path / DRAFT).write_text("holidays: [2026-07-07]\nmakeup_workdays: [2026-07-11]\n", "utf-8")
    (tmp_path / BROKEN).write_text("holiday: [2026-07-07]\n", "utf-8")
    deployment = Deployment.load(tmp_path)
    return Calendars(deployment, Calendar.from_settings(deployment.settings.calendar, tmp_path))


def changed(change: Change) -> dict[str, bool]:
    return {day.isoformat(): works for day, works in changed_days(*change).items()}


def test_files_in_force_and_drafts_are_told_apart(calendars: Calendars) -> None:
    """Those of casebus.yaml, then what else lies in calendars/."""
    assert calendars.files() == [(IN_FORCE, True), (BROKEN, False), (DRAFT, False)]


def test_a_file_in_force_is_held_against_the_calendar_without_it(calendars: Calendars) -> None:
    """What it has changed."""
    assert changed(calendars.of_file(IN_FORCE)) == {"2026-07-06": False}


def test_a_draft_is_laid_over_what_is_in_force(calendars: Calendars) -> None:
    """What it would change; the file in force still holds."""
    change = calendars.of_file(DRAFT)
    assert changed(change) == {"2026-07-07": False, "2026-07-11": True}
    assert not change.after.is_working(date(2026, 7, 6))


def test_typed_days_are_laid_over_what_is_in_force(calendars: Calendars) -> None:
    """A day off that is one already changes nothing."""
    change = calendars.of_days([date(2026, 7, 6), date(2026, 7, 8)], [date(2026, 7, 12)])
    assert changed(change) == {"2026-07-08": False, "2026-07-12": True}


def test_a_file_that_is_none_or_cannot_be_read_is_said(calendars: Calendars) -> None:
    """Nothing outside of the folder is opened."""
    with pytest.raises(LookupError):
        calendars.of_file("../casebus.yaml")
    with pytest.raises(ProblemsError, match="holiday"):
        calendars.of_file(BROKEN)
