"""A row as JSON and back: types that JSON has no word for come back as they were."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import rowtext
from connectors.deadletters import ROW, kept
from connectors.source import SourceRecord
from connectors.values import Damaged, Refusal

SIMPLE = [st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.text(), st.binary()]
TYPED = [
    st.dates(),
    st.times(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.decimals(allow_nan=False, allow_infinity=False),
]
VALUES = st.recursive(
    st.one_of(*SIMPLE, *TYPED, st.builds(Damaged, st.text(), st.text(), st.text())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=4))
def test_every_row_comes_back_as_it_was(row: dict[str, object]) -> None:
    """Values and types alike."""
    back = rowtext.decoded(rowtext.encoded(row))
    assert back == row
    assert rowtext.encoded(back) == rowtext.encoded(row)  # in which types show


def test_each_type_has_a_word_that_people_can_write() -> None:
    """Somebody edits this text by hand."""
    row = {"a": datetime(2026, 1, 5, 9, 30), "b": date(2026, 1, 5), "c": Decimal("1.10"), "d": b"\xff", "e": time(9)}  # noqa: DTZ001  as spreadsheets have them
    assert rowtext.encoded(row) == (
        '{"a": {"$datetime": "2026-01-05T09:30:00"}, "b": {"$date": "2026-01-05"}, "c": {"$decimal": "1.10"}, '
        '"d": {"$bytes": "ff"}, "e": {"$time": "09:00:00"}}'
    )


@pytest.mark.parametrize("text", ["[1]", "1", "{", "", b"\xff"])
def test_what_is_no_object_is_no_row(text: str | bytes) -> None:
    """A spoilt line, a list."""
    with pytest.raises(ValueError, match=r".+"):
        rowtext.decoded(text)


def test_a_letter_keeps_the_row_unless_it_could_not_be_read_or_is_too_large() -> None:
    """Its order in the source stands beside it always."""
    good = SourceRecord("t:1", 7, {"a": "1"}, b"1")
    assert kept(good) == (("sequence", b"7"), (ROW, b'{"a": "1"}'))
    half = kept(good._replace(row={"a": "\ud800"}))[1][1]
    assert rowtext.decoded(half) == {"a": "\ud800"}
    fault = Refusal("broken_row", "found nothing", "Send it again")
    for record in (good._replace(fault=fault), good._replace(row={"a": "x" * 300_000})):
        assert kept(record) == (("sequence", b"7"),)
