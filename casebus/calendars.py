"""The official files of a deployment for the page: `monitor.web.calendars.Calendars` over calendar.files and `calendars/`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from casebus.deployment import Deployment
from monitor.web.calendars import Change
from schemas.calendar import Calendar, Notice
from schemas.yamlfile import load, validated

FOLDER = "calendars"
_ENDINGS = frozenset({".yaml", ".yml", ".json"})


class Calendars:
    """Reads the files when it is asked: a draft may be laid there while the page runs."""

    def __init__(self, deployment: Deployment, in_force: Calendar) -> None:
        self._deployment = deployment
        self._in_force = in_force

    def files(self) -> Sequence[tuple[str, bool]]:
        listed = self._deployment.settings.calendar.files
        known = {self._deployment.path(name).resolve() for name in listed}
        folder = self._deployment.path(FOLDER)
        found = sorted(path for path in folder.glob("*") if path.suffix in _ENDINGS) if folder.is_dir() else []
        drafts = [f"{FOLDER}/{path.name}" for path in found if path.resolve() not in known]
        return [*((name, True) for name in listed), *((name, False) for name in drafts)]

    def of_file(self, name: str) -> Change:
        there = dict(self.files())
        if name not in there:
            raise LookupError(name)
        settings = self._deployment.settings.calendar
        others = tuple(one for one in settings.files if one != name)
        other = settings.model_copy(update={"files": others if there[name] else (*settings.files, name)})
        made, notice = Calendar.from_settings(other, self._deployment.folder), self._notice(name)
        return Change(made, self._in_force, [notice]) if there[name] else Change(self._in_force, made, [notice])

    def of_days(self, off: Sequence[date], worked: Sequence[date]) -> Change:
        settings = self._deployment.settings.calendar
        notice = Notice(holidays=tuple(off), makeup_workdays=tuple(worked))
        return Change(self._in_force, Calendar(settings, [*map(self._notice, settings.files), notice]), [notice])

    def _notice(self, name: str) -> Notice:
        return validated(Notice, load(self._deployment.path(name)))
