"""The conformance kit finds each broken promise, and only that one: a good source, spoilt in one way at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bus.errors import RetryError
from connectors.conformance import Finding, Subject, check, findings
from connectors.conformance_rows import HOSTILE
from connectors.mapping import Rejection
from connectors.source import Batch, Settled, SourceRecord
from schemas.codec import default
from schemas.envelope import Event, body_hash, event_id

ROWS = 7


class Good:
    """A list as a source: its position is a number. A test breaks one thing of it."""

    rows = ROWS

    def __init__(self) -> None:
        self.closed = 0

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        at = int(position or 0)
        while at < self.count():
            records = [self.record(number) for number in range(at, min(at + limit, self.count()))]
            at += len(records)
            yield Batch(records, str(at))

    def count(self) -> int:
        return type(self).rows

    def record(self, number: int) -> SourceRecord:
        return SourceRecord(f"row:{number}", number, {"id": str(number), "at": "1"}, b"raw %d" % number)

    def close(self) -> None:
        self.closed += 1


class SettledGood(Good):
    def settled(self, rows: list[Settled]) -> None:
        """Nothing to write."""


class OtherBytes(Good):
    """Each pass tells other bytes of the same row, as a column `read_at` does."""

    passes = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).passes += 1

    def record(self, number: int) -> SourceRecord:
        return super().record(number)._replace(raw=b"%d" % self.passes)


class OtherOrder(Good):
    """Numbers its rows as they come to it."""

    seen = 0

    def record(self, number: int) -> SourceRecord:
        type(self).seen += 1
        return super().record(number)._replace(sequence=self.seen)


class Nameless(Good):
    def record(self, number: int) -> SourceRecord:
        return super().record(number)._replace(position="somewhere")


class NoBytes(Good):
    def record(self, number: int) -> SourceRecord:
        return super().record(number)._replace(raw=b"")


class Backwards(Good):
    def record(self, number: int) -> SourceRecord:
        return super().record(number)._replace(sequence=-number)


class TooMany(Good):
    """Does not care how many were asked for."""

    def fetch(self, position: str | None, _limit: int) -> Iterator[Batch]:
        return super().fetch(position, 100)


class Empty(Good):
    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        for batch in super().fetch(position, limit):
            yield Batch([], str(int(batch.position) - len(batch.records)))
            yield batch


class Loses(Good):
    """Passes one row over whenever somebody comes back."""

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        return super().fetch(str(int(position) + 1) if position else None, limit)


class Repeats(Good):
    """Gives the last row again to whoever comes back."""

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        return super().fetch(str(int(position) - 1) if position else None, limit)


class Doubles(Good):
    """Whoever comes back gets the last row twice."""

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        yield from super().fetch(position, limit)
        if position and int(position) < self.count():
            yield Batch([self.record(self.count() - 1)], str(self.count()))


class ClosesOnce(Good):
    def close(self) -> None:
        super().close()
        if self.closed > 1:
            raise RuntimeError("there is no connection")


class SettlesOnce(SettledGood):
    told = 0

    def settled(self, _rows: list[Settled]) -> None:
        type(self).told += 1
        if self.told > 1:
            raise RuntimeError("the flag is set")


class Raises(Good):
    def fetch(self, _position: str | None, _limit: int) -> Iterator[Batch]:
        raise ConnectionError("gone")


class Away(Good):
    def fetch(self, _position: str | None, _limit: int) -> Iterator[Batch]:
        raise RetryError("The database is away. It will be tried again.")


class Few(Good):
    rows = 2


class AddsTwo(Good):
    """Gives a row that was added, and one that was not."""

    rows = ROWS

    def count(self) -> int:
        return self.rows + (1 if self.rows > ROWS else 0)


def said(kind: type[Good], **more: Any) -> list[str]:
    return [fault for finding in findings(Subject(kind, **more)) for fault in finding.faults]


@pytest.mark.parametrize("kind", [Good, SettledGood])
def test_a_good_source_breaks_no_promise(kind: type[Good]) -> None:
    """Every question that can be asked is asked, and has no answer."""
    found = list(findings(Subject(kind, settles=True, translate=translate, samples={"": 1})))
    assert [one for one in found if one.faults] == []
    left_out = {one.left_out for one in found} - {""}
    assert left_out == (set() if kind is SettledGood else {"this source does not want to hear what became of its rows"})


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (OtherBytes, "A second pass gives other rows, places or bytes"),
        (OtherOrder, "A second pass gives other sequences"),
        (Nameless, "Two rows have the same position"),
        (NoBytes, "A row has no raw bytes"),
        (Backwards, "The sequence goes back"),
        (TooMany, "A batch of 7 rows came where at most 1 were asked for"),
        (Empty, "A batch of 0 rows came where at most 1 were asked for"),
        (Loses, "Behind row 1 (batches of 1) other rows come"),
        (Doubles, "Behind row 1 (batches of 1) other rows come"),
        (Repeats, "At the last position rows still come"),
        (ClosesOnce, "Closed twice before it was read, it raises RuntimeError (there is no connection)"),
        (SettlesOnce, "It raises RuntimeError (the flag is set)"),
        (Raises, "It raises ConnectionError (gone): raise RetryError where waiting helps"),
        (Away, "It cannot be read: The database is away"),
        (Few, "fewer than three rows"),
    ],
)
def test_each_broken_promise_has_a_sentence(kind: type[Good], fault: str) -> None:
    """Whatever a stranger's source does, the kit goes on and says what it saw."""
    assert any(one.startswith(fault) or fault in one for one in said(kind, settles=True))


def test_one_row_added_must_come_once() -> None:
    """Neither none nor two."""

    def add() -> None:
        AddsTwo.rows += 1

    assert "One row was added and 2 came." in list(check(AddsTwo, add))


def test_of_a_long_source_the_end_is_left_out() -> None:
    """A connector of a real department has millions of rows: the first are asked, and the report says so."""

    class Long(Good):
        rows = 1_000

    found = {one.promise: one for one in findings(Subject(Long))}
    assert found["At the end nothing comes, and what is added comes once"].left_out.startswith(
        "the source has more than 300 rows"
    )
    assert not any(one.faults for one in found.values())


def test_a_source_that_is_called_is_asked_for_its_samples_alone() -> None:
    """Callers cannot be asked again."""
    found = list(findings(Subject(None, samples={"": 0, "steps": 2})))
    assert [bool(one.left_out) for one in found] == [True, False]
    assert found[1].faults == ["There are no samples for the connector. Take some: casebus connector record."]


# -- rows


def translate(row: SourceRecord) -> list[Event] | Rejection:
    """A mapping that takes what is text and refuses the rest."""
    if not all(isinstance(row.row.get(name), str) for name in ("id", "at")):
        return Rejection("no_text", "id: found no text. Send text.", "id", "", "", None, row.position, row.raw)
    return [event(row)]


def event(row: SourceRecord, **header: Any) -> Event:
    said = {
        "event_id": event_id("dep", "t", row.position, "Accepted", 1),
        "body_hash": "",
        "case": "case:1",
        "sequence": row.sequence,
        "occurred_at": {"at": 1, "precision": "DAY", "zone": "UTC"},
        "received_at": 1,
        "source": {"system": "dep", "table": "t", "key": row.position, "position": row.position},
    }
    full, body = default().complete("Accepted", said | header, {})
    full["body_hash"] = body_hash("Accepted", full, body)
    return Event("Accepted", full, body)


def asked(found: Any) -> list[str]:
    return said(Good, translate=found)


def test_a_mapping_that_raises_is_found_with_the_value_and_the_column() -> None:
    """As the row came, or for one hostile value alone."""

    def by_nothing(row: SourceRecord) -> list[Event] | Rejection:
        return translate(row) if row.row.get("at", "") is not None else [event(row, level=1 / 0)]

    assert asked(by_nothing)[0] == "nothing in at of row:0 raises ZeroDivisionError (division by zero)."
    assert all("in at of" in one for one in asked(by_nothing))

    def always(row: SourceRecord) -> list[Event]:
        raise KeyError(row.position)

    assert asked(always)[0] == "The row row:0 raises KeyError ('row:0') instead of giving a reason."


def test_a_mapping_by_chance_is_found() -> None:
    """The same row must give the same events on every machine at every hour."""
    calls = iter(range(10_000))
    fault = "The row row:0 gives something else each time: nothing may depend on the hour or on chance."
    assert asked(lambda row: [event(row, case=f"case:{next(calls)}")])[0] == fault


def test_a_refusal_without_a_sentence_is_found() -> None:
    """Nobody could act on it."""
    silent = Rejection("wrong", "", "", "", "", None, "", b"")
    assert asked(lambda _: silent)[0] == "The row row:0 is refused without a reason or a sentence."


def test_every_column_meets_every_hostile_value() -> None:
    """And once it is not there at all."""
    met: list[Any] = []
    asked(lambda row: met.append(dict(row.row)) or translate(row))
    spoilt = [row for row in met if row != {"id": row.get("id"), "at": "1"} or row["id"] not in list("0123456")]
    assert len(spoilt) == 5 * 2 * (len(HOSTILE) + 1)


def test_the_report_says_what_was_not_asked() -> None:
    """A promise that nobody asked about is not one that is kept."""
    assert Finding("x", left_out="no mapping").kept
    assert [one.left_out for one in findings(Subject(Good)) if one.left_out] == [
        "it would write into the source; makers ask it with settles=True",
        "there is no mapping to ask",
        "there is no mapping to ask",
    ]
