"""Working days and office hours, from data: a country's law and notices, and official files that override them.

Working days follow the State Council's yearly notice with moved working days (调休): a Saturday can be one. The package
`holidays` carries the notices; a file of the deployment carries one it does not know yet, or a place's own rule. Dates
beyond the last notice are provisional: the law names the holidays, the notice has not moved them yet.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable
from datetime import date, time, timedelta
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import holidays
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from schemas.problem import Problem, ProblemsError
from schemas.yamlfile import Settings, load, validated

WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: Countries whose government moves working days by a yearly notice: beyond the last one, dates are provisional.
_NOTICED = frozenset({"CN"})


def _weekday(value: Any) -> Any:
    name = str(value)[:3].title()
    if name not in WEEK:
        raise ValueError(f"a weekday is one of {', '.join(WEEK)}")
    return name


def _span(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    start, _, end = value.partition("-")
    span = (time.fromisoformat(start.strip()), time.fromisoformat(end.strip()))
    if span[0] >= span[1]:
        raise ValueError("office hours start before they end, as in 09:00-12:00")
    return span


def _in_order(spans: tuple[Any, ...]) -> tuple[Any, ...]:
    for (_, closes), (opens, _) in itertools.pairwise(spans):
        if opens < closes:
            raise ValueError(
                f"the hours from {opens:%H:%M} begin before those until {closes:%H:%M} end; write them in order, apart"
            )
    return spans


Weekday = Annotated[str, BeforeValidator(_weekday)]
Span = Annotated[tuple[time, time], BeforeValidator(_span)]


class CalendarSettings(Settings):
    """`calendar:` in casebus.yaml."""

    #: ISO 3166 code whose law and notices count; null: only the files.
    country: str | None = "CN"
    subdivision: str | None = None
    #: None: the country's own weekend, else Saturday and Sunday.
    weekend: tuple[Weekday, ...] | None = None
    files: tuple[str, ...] = ()
    #: Office hours of a working day, for limits in hours.
    office_hours: Annotated[tuple[Span, ...], AfterValidator(_in_order)] = ((time(9), time(12)), (time(14), time(18)))


class Notice(Settings):
    """An official file (YAML or JSON): what a notice says of the days it reaches.

    With `from` and `to` it decides every day between them by itself; without, it adds to the country's days.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    holidays: tuple[date, ...]
    makeup_workdays: tuple[date, ...] = ()
    weekend: tuple[Weekday, ...] | None = None
    start: date | None = Field(None, alias="from")
    end: date | None = Field(None, alias="to")
    valid_years: tuple[int, ...] = ()
    name: str = ""
    about: str = ""
    note: str = ""
    time_zone: str = ""

    @property
    def reach(self) -> tuple[date, date] | None:
        """The days of which the notice speaks; None for a file that names none."""
        years = self.valid_years or tuple(day.year for day in (*self.holidays, *self.makeup_workdays))
        start = self.start or (date(min(years), 1, 1) if years else None)
        end = self.end or (date(max(years), 12, 31) if years else None)
        return (start, end) if start and end else None

    @property
    def decides_alone(self) -> bool:
        return self.start is not None or bool(self.valid_years)


class _Year(NamedTuple):
    """One year: working days, and how many of them stand before each day of the year."""

    first: int
    before: list[int]
    days: list[int]


class Calendar:
    """Which dates are working days. Equal settings and files give an equal `version`."""

    def __init__(self, settings: CalendarSettings, notices: Iterable[Notice] = ()) -> None:
        self.office_hours = settings.office_hours
        self._settings = settings
        self._notices = tuple(notices)
        weekend = _national_weekend(settings.country) if settings.weekend is None else settings.weekend
        self._weekend = frozenset(_numbers(weekend))
        self._years: dict[int, _Year] = {}
        self._known = _known(settings, self._notices)
        self.version = self._version()

    @classmethod
    def from_settings(cls, settings: CalendarSettings, base: Path = Path()) -> Calendar:
        """The calendar of a deployment whose folder is `base`. Raises ProblemsError with file and line."""
        _check_country(settings)
        return cls(settings, [validated(Notice, load(base / name)) for name in settings.files])

    def is_working(self, day: date) -> bool:
        year = self._year(day.year)
        index = day.toordinal() - year.first
        return year.before[index + 1] > year.before[index]

    def working_days(self, a: date, b: date) -> int:
        """Working dates d with a < d <= b; 0 when b is not after a."""
        if b <= a:
            return 0
        first, last = self._year(a.year), self._year(b.year)
        upto_a = first.before[a.toordinal() - first.first + 1]
        upto_b = last.before[b.toordinal() - last.first + 1]
        if first is last:
            return upto_b - upto_a
        between = sum(len(self._year(year).days) for year in range(a.year, b.year))
        return between + upto_b - upto_a

    def add(self, day: date, count: int) -> date:
        """The count-th working day after a date; the date itself for 0.

        Raises ValueError for a negative count, OverflowError beyond the year 9999.
        """
        if count < 0:
            raise ValueError(f"{count} working days: count forward from the earlier date.")
        if count == 0:
            return day
        year = self._year(day.year)
        index = year.before[day.toordinal() - year.first + 1] + count - 1
        number = day.year
        while index >= len(year.days):
            index -= len(year.days)
            number += 1
            year = self._year(number)
        return date.fromordinal(year.days[index])

    def working_or_next(self, day: date) -> date:
        """The date, or the next working day when it is none."""
        return day if self.is_working(day) else self.add(day, 1)

    def provisional(self, day: date) -> bool:
        """True where no notice reaches: the date may yet become a working day or cease to be one."""
        return not any(start <= day <= end for start, end in self._known)

    @property
    def known_until(self) -> date:
        """The last day that a law or notice has settled; `date.max` where every day is."""
        return max(end for _, end in self._known)

    def _year(self, number: int) -> _Year:
        return self._years.get(number) or self._made(number)

    def _made(self, number: int) -> _Year:
        if number > 9999:
            raise OverflowError("The calendar ends with the year 9999: correct the date or the limit.")
        first = date(number, 1, 1)
        year = _Year(first.toordinal(), [0], [])
        for day in self._working(first):
            if day:
                year.days.append(year.first + len(year.before) - 1)
            year.before.append(len(year.days))
        self._years[number] = year
        return year

    def _working(self, first: date) -> list[bool]:
        days = [first + timedelta(offset) for offset in range((date(first.year, 12, 31) - first).days + 1)]
        off, moved = _national(self._settings, first.year)
        flags = {day: day in moved or not (day in off or day.weekday() in self._weekend) for day in days}
        for notice in self._notices:
            _override(flags, notice, self._weekend)
        return [flags[day] for day in days]

    def _version(self) -> str:
        settings = self._settings
        start, end = self._known[0][0], self.known_until
        facts = (settings.country, settings.subdivision, sorted(self._weekend), settings.office_hours, self._notices)
        library = version("holidays") if settings.country else ""
        said = hashlib.blake2b(repr((facts, library)).encode(), digest_size=4).hexdigest()
        return f"{settings.country or 'files'}/{start}..{end}/{said}"


def _override(flags: dict[date, bool], notice: Notice, weekend: frozenset[int]) -> None:
    reach = notice.reach
    if reach and notice.decides_alone:
        own = frozenset(_numbers(notice.weekend)) if notice.weekend else weekend
        flags.update({day: day.weekday() not in own for day in flags if reach[0] <= day <= reach[1]})
    flags.update({day: False for day in notice.holidays if day in flags})
    flags.update({day: True for day in notice.makeup_workdays if day in flags})


@cache
def _national(settings: CalendarSettings, year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Holidays and moved working days; the next year's notice may speak of this December."""
    if settings.country is None:
        return frozenset(), frozenset()
    found: Any = holidays.country_holidays(settings.country, subdiv=settings.subdivision, years=(year, year + 1))
    return frozenset(found), frozenset(found.weekend_workdays)


def _national_weekend(country: str | None) -> tuple[str, ...]:
    found: Any = holidays.country_holidays(country) if country else None
    return tuple(WEEK[day] for day in sorted(found.weekend)) if found is not None else ("Sat", "Sun")


def _numbers(weekend: Iterable[str]) -> Iterable[int]:
    return (WEEK.index(name) for name in weekend)


def _known(settings: CalendarSettings, notices: Iterable[Notice]) -> tuple[tuple[date, date], ...]:
    """Spans of dates that a law or notice has settled, the country's first."""
    spans = [notice.reach for notice in notices]
    if settings.country:
        found: Any = holidays.country_holidays(settings.country)
        last = max(found.special_public_holidays) if settings.country in _NOTICED else found.end_year
        spans.insert(0, (date(found.start_year, 1, 1), date(last, 12, 31)))
    return tuple(span for span in spans if span) or ((date.min, date.max),)


def _check_country(settings: CalendarSettings) -> None:
    known = holidays.list_supported_countries()
    if settings.country is not None and settings.country not in known:
        raise ProblemsError(
            Problem(
                "calendar.country",
                f"`{settings.country}` is no country we have days of",
                "Write an ISO code such as CN, or null.",
            )
        )
    if settings.country and settings.subdivision and settings.subdivision not in known[settings.country]:
        names = ", ".join(known[settings.country]) or "none"
        raise ProblemsError(
            Problem("calendar.subdivision", f"`{settings.subdivision}` is none of {settings.country}", f"Write one of: {names}.")
        )
