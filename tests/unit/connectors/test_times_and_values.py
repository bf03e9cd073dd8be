"""Times and values of legacy systems: read exactly, or refused with a remedy; never guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import values
from connectors.times import FormatError, TimeReader, instant
from connectors.values import Damaged, Refusal

SHANGHAI = "Asia/Shanghai"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1_000_000)


@pytest.mark.parametrize(
    ("formats", "value", "moment", "precision"),
    [
        (["%Y/%m/%d %H:%M:%S"], "2025/06/01 09:20:39", "2025-06-01T09:20:39+08:00", "SECOND"),
        (["%Y年%m月%d日"], "2025年6月1日", "2025-06-01T00:00:00+08:00", "DAY"),
        (["%d.%m.%y %H:%M"], "01.06.25 09:20", "2025-06-01T09:20:00+08:00", "MINUTE"),
        (["%Y%m%d%H%M%S%L"], "20250601092039123", "2025-06-01T09:20:39.123+08:00", "MILLISECOND"),
        (["%Y-%m-%dT%H:%M:%S.%f%z"], "2025-06-01T09:20:39.5-0500", "2025-06-01T09:20:39.5-05:00", "MICROSECOND"),
        (["%d %b %Y %I:%M:%S %p"], "01 Jun 2025 12:05:06 AM", "2025-06-01T00:05:06+08:00", "SECOND"),
        (["%Y年%m月%d日 %p%I时%M分"], "2025年6月1日 下午3时20分", "2025-06-01T15:20:00+08:00", "MINUTE"),
        (["%Y"], "2025", "2025-01-01T00:00:00+08:00", "YEAR"),
        (["iso"], "2025-06-01", "2025-06-01T00:00:00+08:00", "DAY"),
        (["iso"], "2025-06-01T09:20Z", "2025-06-01T09:20:00+00:00", "MINUTE"),
        (["iso"], "2025-06-01 09:20:39.1234567+02:00", "2025-06-01T09:20:39.123456+02:00", "MICROSECOND"),
        (["epoch_ms"], 1748740839123, "2025-06-01T01:20:39.123+00:00", "MILLISECOND"),
        (["epoch_ms"], "1748740839123", "2025-06-01T01:20:39.123+00:00", "MILLISECOND"),
        (["epoch_s"], 1748740839, "2025-06-01T01:20:39+00:00", "SECOND"),
        (["epoch_us"], 1748740839123456, "2025-06-01T01:20:39.123456+00:00", "MICROSECOND"),
        (["clock_ms"], 1748769639123, "2025-06-01T09:20:39.123+08:00", "MILLISECOND"),
        (["clock_us"], 1748769639123456, "2025-06-01T09:20:39.123456+08:00", "MICROSECOND"),
        (["clock_days"], 20240, "2025-06-01T00:00:00+08:00", "DAY"),
        (["iso", "excel"], "45809.5", "2025-06-01T12:00:00+08:00", "SECOND"),
        (["excel_1904"], 44347.5, "2025-06-01T12:00:00+08:00", "SECOND"),
        (["iso"], date(2025, 6, 1), "2025-06-01T00:00:00+08:00", "DAY"),
        (["iso"], datetime(2025, 6, 1, 1, tzinfo=UTC), "2025-06-01T01:00:00+00:00", "MICROSECOND"),
    ],
)
def test_a_time_is_a_format_a_zone_and_a_precision(formats: list[str], value: Any, moment: str, precision: str) -> None:
    """The instant is right and the precision says what the source knew."""
    found = TimeReader(formats, SHANGHAI).read(value)
    assert found == {"at": at(moment), "precision": precision, "zone": SHANGHAI}


@pytest.mark.parametrize("form", ["excel", "excel_1904"])
@pytest.mark.parametrize("days", [0, -1, 2_958_465, 2_958_466, 1e300, True])
def test_a_day_beyond_the_calendar_is_refused(form: str, days: float) -> None:
    """By either count, and never by an error of ours."""
    with pytest.raises(Refusal, match="unreadable_time"):
        TimeReader([form], SHANGHAI).read(days)


@pytest.mark.parametrize(
    "value",
    [
        *("2025-02-30", "2025-13-01T00:00:00", "2025-06-01T25:61:00", "24:00", "待定", "31/06/2012", "2025-06-01T09:20:60"),
        *("", "NULL", "2025-06-01T09:20:39+99:00", True, "0000-00-00", "２０２５-06-01", [], float("nan")),
        *("0001-01-01T00:00:00", "9999-12-31T23:59:59"),  # .NET's empty date and many a system's last: none in every zone
    ],
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    """Dates that do not exist, words, other alphabets' digits: a reason, what was found, what to send."""
    with pytest.raises(Refusal) as caught:
        TimeReader(["iso"], SHANGHAI).read(value)
    assert caught.value.reason == "unreadable_time"
    assert caught.value.found.startswith("found ")
    assert caught.value.instead.startswith("Send ")


def test_digits_without_separators_need_their_full_width() -> None:
    """201213010930 is not 2012-1-3 01:09:30."""
    with pytest.raises(Refusal):
        TimeReader(["%Y%m%d%H%M%S%L"], SHANGHAI).read("201213010930")


def test_the_hour_that_comes_twice_is_the_first_and_the_one_that_never_was_is_refused() -> None:
    """Summer time: one local time has two instants, another has none."""
    reader = TimeReader(["iso"], "Europe/Amsterdam")
    assert reader.read("2025-10-26T02:30:00")["at"] == at("2025-10-26T02:30:00+02:00")
    with pytest.raises(Refusal) as caught:
        reader.read("2025-03-30T02:30:00")
    assert "skipped" in caught.value.instead


def test_without_a_declared_zone_the_values_own_offset_stays() -> None:
    """And a time without any is refused: naive times never become UTC silently."""
    reader = TimeReader(["iso"], None)
    assert reader.read("2025-06-01T09:20:39+08:00")["zone"] == "+08:00"
    assert reader.read("2025-06-01T09:20:39Z")["zone"] == "UTC"
    with pytest.raises(Refusal, match="unreadable_time"):
        reader.read("2025-06-01T09:20:39")


def test_precision_rounds_to_what_the_source_knows() -> None:
    """A cell's 11:45:59.999999 was 11:46:00 before the spreadsheet stored it as a fraction of a day."""
    reader = TimeReader(["iso"], "UTC", "SECOND")
    assert reader.read("2025-06-01T11:45:59.999999")["at"] == at("2025-06-01T11:46:00+00:00")


@pytest.mark.parametrize("form", ["%Q", "hello", "%H:%M", "%"])
def test_a_format_that_is_none_is_told_at_once(form: str) -> None:
    """When the mapping is loaded, not when the first row comes."""
    with pytest.raises(FormatError, match="time format"):
        TimeReader([form], None)


def test_a_zone_or_precision_that_is_none_is_told() -> None:
    """With an example of what to write."""
    with pytest.raises(FormatError, match="such as Asia/Shanghai"):
        TimeReader(["iso"], "Mars/Olympus")
    with pytest.raises(FormatError, match="Write one of YEAR"):
        TimeReader(["iso"], None, "FORTNIGHT")
    with pytest.raises(FormatError, match="where a time belongs"):
        instant("yesterday")


@given(st.datetimes(min_value=datetime(1980, 1, 1), max_value=datetime(2090, 1, 1)))  # noqa: DTZ001  wall clocks
def test_every_way_of_writing_a_moment_gives_the_same_instant(wall: datetime) -> None:
    """Text in three formats and a cell agree to the millisecond."""
    wall = wall.replace(microsecond=wall.microsecond // 1000 * 1000)
    zone = ZoneInfo(SHANGHAI)
    if wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall:
        return  # Shanghai skipped this hour in the summers of 1986 to 1991
    reader = TimeReader(["iso", "%Y%m%d%H%M%S%L", "%d/%m/%Y %H:%M:%S.%f"], SHANGHAI)
    written = [wall.isoformat(), f"{wall:%Y%m%d%H%M%S}{wall.microsecond // 1000:03d}", f"{wall:%d/%m/%Y %H:%M:%S.%f}", wall]
    instants = {reader.read(one)["at"] for one in written}
    assert instants == {(wall.replace(tzinfo=zone) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)}


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        (" 9901 ", "9901"),
        ("９９０１", "9901"),
        ("'9901", "9901"),
        ("’9901 ", "9901"),
        ("9901\u3000", "9901"),
        ("9901\t", "9901"),
        ("ＡＢ－１", "AB-1"),
    ],
)
def test_a_key_is_read_as_it_was_meant(dirty: str, clean: str) -> None:
    """Blanks of all kinds, full-width characters and the spreadsheet's apostrophe belong to no key."""
    assert values.key_text(dirty) == clean


def test_text_loses_nothing() -> None:
    """Numbers become the digits that were sent; what has lost digits already is refused."""
    assert [values.text_of(value) for value in (None, "x", 12, 12.0, 1.5, True)] == [None, "x", "12", "12", "1.5", "true"]
    for lost in (9.9e18, float("inf"), Damaged("damaged_number", "found 1", "Send text")):
        with pytest.raises(Refusal, match="damaged_number"):
            values.text_of(lost)


@pytest.mark.parametrize(("text", "number"), [("12", 12), (" １２ ", 12), ("-3", -3), ("12.00", 12), (7, 7), (None, None)])
def test_whole_numbers(text: Any, number: int | None) -> None:
    """With signs, full-width digits and a fraction of zeros."""
    assert values.int_of(text) == number


@pytest.mark.parametrize("text", ["1_000", "1_0.5", "１＿０", "1,00", "nan", "12 元"])
def test_what_is_no_decimal_number_is_refused(text: str) -> None:
    """Python would take some of them."""
    with pytest.raises(Refusal, match="unreadable_number"):
        values.decimal_of(text)


@pytest.mark.parametrize("text", ["1.5", "12a", "", "9" * 30, "1e3", True])
def test_what_is_no_whole_number_is_refused(text: Any) -> None:
    """Rounded is not whole, and beyond 64 bits is no number of ours."""
    with pytest.raises(Refusal, match="unreadable_number"):
        values.int_of(text)


def test_money_is_exact() -> None:
    """Minor units by decimal arithmetic: 0.1 + 0.2 has no place in a fee."""
    assert values.money_of("1,234.56") == 123456
    assert values.money_of("19.99") == 1999
    assert values.money_of("500", 0) == 500
    with pytest.raises(Refusal, match="unreadable_number"):
        values.money_of("0.001")


@pytest.mark.parametrize(("value", "truth"), [("是", True), ("N", False), (1, True), ("TRUE", True), (None, None), ("0", False)])
def test_truth_has_many_spellings(value: Any, truth: bool | None) -> None:
    """And a word that is none of them is refused."""
    assert values.bool_of(value) is truth
    with pytest.raises(Refusal, match="unreadable_value"):
        values.bool_of("maybe")


@pytest.mark.parametrize("text", ["1.234,50", "1234,5", "1 234,50", "1'234,50", 1234.5])
def test_money_with_a_decimal_comma(text: Any) -> None:
    """The mapping says so; a cell that is a number already needs no sign."""
    assert values.money_of(text, 2, ",") == 123450


@pytest.mark.parametrize(
    ("text", "point"), [("80,00", "."), ("1,23,456", "."), ("1.5", ","), ("12,345.6,7", "."), ("1,2345", ".")]
)
def test_a_sign_that_can_group_no_thousands_is_not_guessed_away(text: str, point: str) -> None:
    """80,00 read as eight thousand would be a hundredfold fee."""
    with pytest.raises(Refusal, match="unreadable_number"):
        values.money_of(text, 2, point)


def test_a_number_in_scientific_notation_is_known_by_its_look() -> None:
    """A spreadsheet's 9.9E+18 was a case number once."""
    assert values.looks_scientific("9.90100201E+18")
    assert not values.looks_scientific("E2025")
    assert not values.looks_scientific("12E4567")
