"""`casebus figures calendar`: whose due dates another calendar moves, before it is put into casebus.yaml."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import RenderableType

from casebus.commands import output
from casebus.commands.open_view import opened
from casebus.wiring import Wiring
from monitor.statistics.moving import Moving, by_limit, changed_days, moving
from schemas.calendar import Calendar, Notice
from schemas.problem import Problem, ProblemsError
from schemas.yamlfile import load, validated


class Other(NamedTuple):
    """Another calendar: an official file laid over those of the deployment, or in the place of one of them."""

    file: Path
    instead: str = ""

    def calendar(self, wiring: Wiring) -> Calendar:
        settings, files = wiring.settings.calendar, [name for name in wiring.settings.calendar.files if name != self.instead]
        files.append(str(self.file.absolute()))
        return Calendar.from_settings(settings.model_copy(update={"files": tuple(files)}), wiring.deployment.folder)

    def notices(self, wiring: Wiring) -> list[Notice]:
        """All that may differ: what the file says, and what the one before it said."""
        files = wiring.settings.calendar.files
        if self.instead and self.instead not in files:
            named = f"Named there: {', '.join(files)}." if files else "No file is named there."
            raise ProblemsError(Problem(self.instead, "calendar.files in casebus.yaml does not name this file", named))
        paths = [self.file, *([wiring.deployment.path(self.instead)] if self.instead else [])]
        return [validated(Notice, load(path)) for path in paths]


def calendar(folder: Path, other: Other, *, as_json: bool) -> int:
    """The days that change, and every limit with another last day."""
    with opened(folder) as (wiring, view), view.snapshot() as snapshot:
        notices, new = other.notices(wiring), other.calendar(wiring)
        days = changed_days(wiring.calendar, new, notices)
        found = list(moving(snapshot, wiring.clockwork, new, days, wiring.now(view)()))
    if as_json:
        said = {day.isoformat(): works for day, works in days.items()}
        output.as_json({"days": said, "limits": by_limit(found), "moved": msgspec.to_builtins(found)})
        return 0
    for part in _shown(days, found):
        output.console().print(part)
    return 0


def _shown(days: dict[date, bool], found: list[Moving]) -> Iterable[RenderableType | str]:
    if not days:
        yield "No day changes: the file says what the calendar says already."
        return
    for works, what in ((False, "Days off now"), (True, "Working days now")):
        named = [day.isoformat() for day, now in days.items() if now is works]
        yield f"{what}: {', '.join(named) or 'none'}."
    columns = ("case", "region", "department", "limit", "last day", "moves to", "light", "by")
    rows = [(one.number, one.region, one.department, one.limit, one.before, one.after, _light(one), _by(one)) for one in found]
    cases = output.several(len({one.case for one in found}), "case")
    title = f"{output.several(len(rows), 'limit')} of {cases} with another last day"
    yield output.table(title, columns, rows) if rows else "No limit has another last day."


def _light(one: Moving) -> str:
    return one.light_before if one.light_before == one.light_after else f"{one.light_before} -> {one.light_after}"


def _by(one: Moving) -> str:
    """A day off that is added lengthens; a working day that is added shortens."""
    return ", ".join(f"{day} {'works' if works else 'off'}" for day, works in one.by_days.items())
