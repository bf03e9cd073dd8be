"""What the page asks about other calendars: made by `casebus.calendars`, since nothing here reads a deployment's files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple, Protocol

from schemas.calendar import Calendar, Notice


class Change(NamedTuple):
    """One calendar in the place of another; `notices` speak of all the days that may differ."""

    before: Calendar
    after: Calendar
    notices: Sequence[Notice]


class Calendars(Protocol):
    """The official files of the deployment. All raises ProblemsError for a file that cannot be read."""

    def files(self) -> Sequence[tuple[str, bool]]:
        """Names of the files, and whether each is in force (in `calendar.files`)."""
        ...

    def of_file(self, name: str) -> Change:
        """What a file in force has moved, or another one would. Raises LookupError for a name that no file has."""
        ...

    def of_days(self, off: Sequence[date], worked: Sequence[date]) -> Change:
        """These days off, and these worked, beside all that is in force."""
        ...
