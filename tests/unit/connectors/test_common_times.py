"""Times as people in offices write them: every way that leaves no doubt is read, every doubt is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import timeformats
from connectors.times import TimeReader
from connectors.values import Refusal

SHANGHAI = "Asia/Shanghai"
WALLS = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2090, 1, 1))  # noqa: DTZ001  wall clocks


def read(form: str, value: Any) -> tuple[str, str]:
    """The wall clock in Shanghai, and what the source knew."""
    found = TimeReader([form], SHANGHAI).read(value)
    return datetime.fromtimestamp(found["at"] / 1e6, ZoneInfo(SHANGHAI)).isoformat()[:-6], found["precision"]


@pytest.mark.parametrize(
    ("value", "wall", "precision"),
    [
        ("2025年1月6日 上午9时", "2025-01-06T09:00:00", "HOUR"),
        ("2025年01月06日9时30分20秒", "2025-01-06T09:30:20", "SECOND"),
        ("2025年1月6日 下午3点半", "2025-01-06T15:30:00", "MINUTE"),
        ("2025年1月6日 下午14:05", "2025-01-06T14:05:00", "MINUTE"),
        ("2025/1/6 上午 9:30:00", "2025-01-06T09:30:00", "SECOND"),
        ("2025/1/6 下午 3:30", "2025-01-06T15:30:00", "MINUTE"),
        ("2025/01/06 12:30:05 AM", "2025-01-06T00:30:05", "SECOND"),
        ("2025/01/06 12:30 p.m.", "2025-01-06T12:30:00", "MINUTE"),
        ("2025-01-06 9时30分", "2025-01-06T09:30:00", "MINUTE"),
        ("2025-1-6 9时30分5秒", "2025-01-06T09:30:05", "SECOND"),
        ("2025-1-6T9:30:00", "2025-01-06T09:30:00", "SECOND"),
        ("20250106 093005", "2025-01-06T09:30:05", "SECOND"),
        ("20250106T0930", "2025-01-06T09:30:00", "MINUTE"),
        ("2025年1月6日 傍晚5点", "2025-01-06T17:00:00", "HOUR"),
        ("2025年1月6日（星期一）晚上8点整", "2025-01-06T20:00:00", "HOUR"),
        ("2025年1月6日 中午12时", "2025-01-06T12:00:00", "HOUR"),
        ("2025年1月6日 中午1时", "2025-01-06T13:00:00", "HOUR"),
        ("2025年1月6日 凌晨12时5分", "2025-01-06T00:05:00", "MINUTE"),
        ("二〇二五年十二月三十一日", "2025-12-31T00:00:00", "DAY"),
        ("二○二五年十月二十日十时", "2025-10-20T10:00:00", "HOUR"),
        ("２０２５年１月６日", "2025-01-06T00:00:00", "DAY"),
        ("2025年1月", "2025-01-01T00:00:00", "MONTH"),
        ("2025年", "2025-01-01T00:00:00", "YEAR"),
        ("2025/1/6 9:30", "2025-01-06T09:30:00", "MINUTE"),
        ("2025.1.6", "2025-01-06T00:00:00", "DAY"),
        ("2025-1-6 9:30:05.5", "2025-01-06T09:30:05.500000", "MILLISECOND"),
        ("2025/01/06 09:30:05", "2025-01-06T09:30:05", "SECOND"),
        ("20250106", "2025-01-06T00:00:00", "DAY"),
        pytest.param(20250106, "2025-01-06T00:00:00", "DAY", id="a number"),
        ("202501060930", "2025-01-06T09:30:00", "MINUTE"),
        ("20250106093000", "2025-01-06T09:30:00", "SECOND"),
        ("20250106093000123", "2025-01-06T09:30:00.123000", "MILLISECOND"),
        ("2025-01-06T01:30:00Z", "2025-01-06T09:30:00", "SECOND"),
    ],
)
def test_common_ways_are_read(value: Any, wall: str, precision: str) -> None:
    """With the precision of what is said: an hour is not an hour and no minutes."""
    assert read("common", value) == (wall, precision)


@pytest.mark.parametrize(
    "value",
    [
        *("25/1/6", "6/1/2025", "25年1月6日", "1月6日", "2025年13月6日", "2025年0月6日", "2025年1月32日", "2025-1/6", "2025130"),
        *("2025年1月6日 晚上12点", "2025年1月6日 中午9时", "2025年1月6日 上午14时", "2025年1月6日 25时", "2025年十二三月一日"),
        *("2025年1月6日 晚上1点", "2025年1月6日 晚上0点", "2025年1月6日 夜间4时", "2025年1月6日 傍晚3点"),
        *("2025/1/6 上午 12:30", "2025/1/6 14:30 AM", "2025/1/6 下午 3:30 AM", "2025/1/6 晚上 1:30", "2025-01-06 9:305"),
        *("45809.5", 45810, "1748740839123", "下午3时", "2025年1月6日下午", True, None, [], "20251306"),
    ],
)
def test_what_leaves_a_doubt_is_refused(value: Any) -> None:
    """Two digits of a year, a day that may be a month, a midnight that may be either, hours of either night, a bare number."""
    with pytest.raises(Refusal) as caught:
        read("common", value)
    assert caught.value.reason == "unreadable_time"
    assert caught.value.instead.endswith("2025-01-06 09:30:00")


@given(st.one_of(st.text(alphabet="0123456789年月日时分秒点上下午晚半十一二〇 :-/.", max_size=24), st.text(max_size=12)))
def test_a_text_is_a_time_or_a_refusal(text: str) -> None:
    """Never another exception, and never a wall clock outside the calendar."""
    found = _read(TimeReader(["common"], SHANGHAI), text)
    assert isinstance(found, str) or found["zone"] == SHANGHAI


@given(
    st.one_of(
        st.from_regex(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", fullmatch=True),
        WALLS.map(lambda at: f"{at:%Y-%m-%d %H:%M:%S}"),
    )
)
def test_the_short_way_agrees_with_the_long_one(text: str) -> None:
    """The form nearly every table has is read without a regular expression; it comes out as with one."""
    short = timeformats.pattern_parser("%Y-%m-%d %H:%M:%S")
    long = timeformats.pattern_parser("%Y-%m-%d %H:%M:%S ")  # the blank takes it off the short way
    assert _given(short, text) == _given(long, text + " ")


def _given(parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except ValueError:
        return "no such time"


@given(WALLS, st.sampled_from(["Asia/Shanghai", "Australia/Lord_Howe"]))
def test_a_remembered_offset_is_the_right_one(wall: datetime, zone: str) -> None:
    """Hours in which the clocks change are not remembered: their minutes agree with a reader that remembers nothing."""
    reader = TimeReader(["iso"], zone)
    for minute in (0, 15, 30, 45, 59):
        text = wall.replace(minute=minute, microsecond=0).isoformat()
        assert _read(reader, text) == _read(TimeReader(["iso"], zone), text)


def _read(reader: TimeReader, text: str) -> Any:
    try:
        return reader.read(text)
    except Refusal as refusal:
        return refusal.instead
