"""Working days: moved ones, official files, notices that end, and arithmetic that adds up."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.calendar import Calendar, CalendarSettings, Notice
from schemas.problem import ProblemsError
from schemas.yamlfile import load, validated

CHINA = Calendar.from_settings(CalendarSettings())
DAYS = st.dates(date(2005, 1, 1), date(2030, 12, 31))


def made(folder: Path, text: str, **settings: object) -> Calendar:
    (folder / "c.yaml").write_text(text, "utf-8")
    return Calendar.from_settings(CalendarSettings.model_validate({"files": ["c.yaml"], **settings}), folder)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        (date(2026, 10, 10), True),  # a Saturday moved to work for the National Day week
        (date(2026, 10, 9), True),
        (date(2026, 10, 7), False),
        (date(2026, 2, 14), True),
        (date(2026, 2, 23), False),
        (date(2026, 3, 7), False),
        (date(2006, 12, 30), True),  # moved by the notice for the next year
        (date(2007, 1, 2), False),
    ],
)
def test_working_days_follow_the_state_council_s_notices(day: date, working: bool) -> None:
    """A Saturday can be a working day and a Wednesday a day off."""
    assert CHINA.is_working(day) is working


def test_our_days_equal_a_second_source_on_every_day_of_the_generator_s_years(shared: Path) -> None:
    """The notices of 2023 to 2026 as gen_city.py has them, written down by other hands."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("gen_city", shared / "tools" / "gen_city.py")
    assert spec is not None
    assert spec.loader is not None
    city = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(city)
    off, moved = city.runs(city.OFF), city.runs(city.MAKEUP)
    days = [date(2023, 1, 1) + timedelta(number) for number in range((date(2026, 12, 31) - date(2023, 1, 1)).days + 1)]
    assert [day for day in days if CHINA.is_working(day) != (day in moved or (day.weekday() < 5 and day not in off))] == []


def test_dates_beyond_the_last_notice_are_provisional() -> None:
    """They are computed all the same."""
    assert not CHINA.provisional(date(2026, 12, 31))
    assert CHINA.provisional(date(2027, 1, 1))
    assert not CHINA.is_working(date(2027, 1, 1))


def test_an_official_file_settles_a_year_the_package_does_not_know(tmp_path: Path) -> None:
    """The file's days join the country's, and its years are no longer provisional."""
    calendar = made(tmp_path, "holidays: [2027-01-04]\nmakeup_workdays: [2027-01-09]\n")
    assert not calendar.is_working(date(2027, 1, 4))
    assert calendar.is_working(date(2027, 1, 9))
    assert not calendar.is_working(date(2027, 1, 1))
    assert not calendar.provisional(date(2027, 6, 1))
    assert calendar.provisional(date(2028, 1, 1))
    assert calendar.version != CHINA.version


def test_a_file_with_a_reach_decides_alone_inside_it(tmp_path: Path) -> None:
    """The country's holidays do not count there; outside they do."""
    calendar = made(tmp_path, "from: 2026-10-01\nto: 2026-10-31\nweekend: [Fri]\nholidays: [2026-10-05]\n")
    assert calendar.is_working(date(2026, 10, 1))
    assert not calendar.is_working(date(2026, 10, 2))  # a Friday
    assert calendar.is_working(date(2026, 10, 3))  # a Saturday
    assert not calendar.is_working(date(2026, 10, 5))
    assert not calendar.is_working(date(2026, 9, 26))


def test_only_files_count_without_a_country(tmp_path: Path) -> None:
    """Beyond the files' reach there are weekends only, and the dates are provisional."""
    calendar = made(tmp_path, "from: 2025-01-01\nto: 2025-12-31\nholidays: [2025-05-01]\n", country=None)
    assert not calendar.is_working(date(2025, 5, 1))
    assert calendar.is_working(date(2025, 10, 1))
    assert calendar.provisional(date(2026, 1, 1))
    assert calendar.provisional(date(2024, 12, 31))


def test_a_place_without_any_file_knows_weekends_and_is_never_provisional() -> None:
    """Nobody announced a notice that could move a day."""
    calendar = Calendar.from_settings(CalendarSettings(country=None, weekend=("Sun",)))
    assert calendar.is_working(date(2026, 10, 3))
    assert not calendar.is_working(date(2026, 10, 4))
    assert not calendar.provisional(date(2099, 1, 1))


def test_a_country_without_moved_days_is_settled_as_far_as_its_law_reaches() -> None:
    """Dutch holidays are computed, not announced."""
    dutch = Calendar.from_settings(CalendarSettings(country="NL"))
    assert not dutch.is_working(date(2026, 12, 25))
    assert not dutch.provisional(date(2040, 1, 1))


def test_the_receipt_data_s_calendar_is_read_as_it_lies(shared: Path) -> None:
    """Its count of working days between two dates is the plain count of its dates."""
    path = shared / "data" / "receipt" / "calendar_nl.json"
    calendar = Calendar.from_settings(CalendarSettings(country=None, files=(path.name,)), path.parent)
    off = {date.fromisoformat(day) for day in json.loads(path.read_text("utf-8"))["holidays"]}
    days = [date(2010, 12, 1) + timedelta(number) for number in range(800)]
    plain = sum(day.weekday() < 5 and day not in off for day in days[1:])
    assert calendar.working_days(days[0], days[-1]) == plain


@given(DAYS, DAYS, DAYS)
def test_working_days_add_up(a: date, b: date, c: date) -> None:
    """From a to c is from a to b and from b to c."""
    a, b, c = sorted((a, b, c))
    assert CHINA.working_days(a, c) == CHINA.working_days(a, b) + CHINA.working_days(b, c)


@given(DAYS, st.integers(0, 400))
def test_working_days_are_the_days_counted_one_by_one(a: date, length: int) -> None:
    """The sums say what the single days say."""
    days = [a + timedelta(number) for number in range(1, length + 1)]
    assert CHINA.working_days(a, a + timedelta(length)) == sum(map(CHINA.is_working, days))
    assert CHINA.working_days(a, a - timedelta(length)) == 0


@given(DAYS, st.integers(1, 400))
def test_adding_lands_on_the_day_that_is_counted_to(a: date, count: int) -> None:
    """The n-th working day after a date has n working days before it, itself included."""
    end = CHINA.add(a, count)
    assert CHINA.is_working(end)
    assert CHINA.working_days(a, end) == count


def test_the_edges_of_adding() -> None:
    """None is the date itself, fewer is a mistake, and the calendar has an end."""
    assert CHINA.add(date(2026, 10, 1), 0) == date(2026, 10, 1)
    assert CHINA.working_or_next(date(2026, 10, 1)) == date(2026, 10, 8)
    assert CHINA.working_or_next(date(2026, 10, 10)) == date(2026, 10, 10)
    with pytest.raises(ValueError, match="count forward"):
        CHINA.add(date(2026, 10, 1), -1)
    with pytest.raises(OverflowError, match="ends with the year 9999"):
        Calendar.from_settings(CalendarSettings(country=None)).add(date(9999, 12, 1), 100)


def test_the_version_names_what_was_counted_by(tmp_path: Path) -> None:
    """Equal data, equal version, wherever the files lie; other data, another one."""
    first = made(tmp_path, "holidays: [2027-01-04]\n").version
    (tmp_path / "d.yaml").write_text("holidays: [2027-01-04]\n", "utf-8")
    assert Calendar.from_settings(CalendarSettings(files=("d.yaml",)), tmp_path).version == first
    assert made(tmp_path, "holidays: [2027-01-05]\n").version != first
    assert first.startswith("CN/")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"country": "XX"}, "`XX` is no country we have days of"),
        ({"country": "NL", "subdivision": "ZZ"}, "`ZZ` is none of NL"),
    ],
)
def test_unknown_places_are_told(settings: dict[str, str], sentence: str) -> None:
    """A typing error in a country would otherwise mean no holidays at all."""
    with pytest.raises(ProblemsError, match=sentence):
        Calendar.from_settings(CalendarSettings.model_validate(settings))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("holiday: [2026-01-01]\n", "`holidays` is missing"),
        ("holidays: [2026-13-01]\n", "c.yaml:1"),
        ("holidays: []\nweekend: [Foo]\n", "a weekday is one of Mon"),
    ],
)
def test_a_faulty_file_is_told_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    """A notice read wrongly makes every clock wrong."""
    with pytest.raises(ProblemsError, match=sentence):
        made(tmp_path, text)


def test_office_hours_are_data(tmp_path: Path) -> None:
    """Written as spans; one that ends before it starts is refused."""
    (tmp_path / "s.yaml").write_text('office_hours: ["08:30-12:00", 14:00-17:30]\n', "utf-8")
    hours = validated(CalendarSettings, load(tmp_path / "s.yaml")).office_hours
    assert [(str(start), str(end)) for start, end in hours] == [("08:30:00", "12:00:00"), ("14:00:00", "17:30:00")]
    (tmp_path / "s.yaml").write_text("office_hours: [12:00-08:30]\n", "utf-8")
    with pytest.raises(ProblemsError, match=r"s\.yaml:1.*office hours start before they end"):
        validated(CalendarSettings, load(tmp_path / "s.yaml"))
    for wrong in ("[14:00-17:30, 09:00-12:00]", "[09:00-14:30, 14:00-17:30]"):
        (tmp_path / "s.yaml").write_text(f"office_hours: {wrong}\n", "utf-8")
        with pytest.raises(ProblemsError, match=r"s\.yaml:1.*write them in order, apart"):
            validated(CalendarSettings, load(tmp_path / "s.yaml"))


def test_a_notice_without_days_has_no_reach() -> None:
    """An empty file says nothing of any year."""
    assert Notice(holidays=()).reach is None
