"""The conformance kit: what every kind of system must keep, so that connectors neither lose nor double rows.

Makers of a kind run it over a source of theirs that has some rows and a way to add more:

    for broken in conformance.check(lambda: KIND.open(settings, context), add_a_row):
        print(broken)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connectors.source import Batch, Source, SourceRecord

Open = Callable[[], Source]


def check(open_source: Open, add_a_row: Callable[[], None]) -> Iterator[str]:
    """A sentence for each promise that is broken. The source needs at least three rows; one is added."""
    whole = _read(open_source, None, 1_000)
    rows = [record for batch in whole for record in batch.records]
    if len(rows) < 3:
        yield "The source has fewer than three rows: nothing can be said. Give it more."
        return
    yield from _records(rows)
    for limit in (1, 2, len(rows)):
        yield from _positions(open_source, rows, limit)
    yield from _goes_on(open_source, add_a_row, whole[-1].position)


def _read(open_source: Open, position: str | None, limit: int) -> list[Batch]:
    source = open_source()
    try:
        return list(source.fetch(position, limit))
    finally:
        source.close()


def _marks(rows: list[SourceRecord]) -> list[tuple[str, bytes]]:
    return [(record.position, record.raw) for record in rows]


def _records(rows: list[SourceRecord]) -> Iterator[str]:
    """Each row can be found again by people, and is kept as it came."""
    places = [record.position for record in rows]
    if len(set(places)) < len(places):
        yield "Two rows have the same position: name a place that people find."
    if not all(record.raw for record in rows):
        yield "A row has no raw bytes: a dead letter would be empty."
    if [record.sequence for record in rows] != sorted(record.sequence for record in rows):
        yield "The sequence goes back: it must be the order in the source."


def _positions(open_source: Open, rows: list[SourceRecord], limit: int) -> Iterator[str]:
    """From every position given, exactly the rows behind it come."""
    done = 0
    for batch in _read(open_source, None, limit):
        if not 0 < len(batch.records) <= limit:
            yield f"A batch of {len(batch.records)} rows came where at most {limit} were asked for, and none may be empty."
        done += len(batch.records)
        rest = [record for later in _read(open_source, batch.position, 1_000) for record in later.records]
        if _marks(rest) != _marks(rows[done:]):
            yield f"Behind row {done} (batches of {limit}) other rows come than the first time: positions must move forward."


def _goes_on(open_source: Open, add_a_row: Callable[[], None], position: str) -> Iterator[str]:
    """At the end nothing comes; what is added comes once."""
    if _read(open_source, position, 10):
        yield "At the last position rows still come: a second run would double them."
    add_a_row()
    added = [record for batch in _read(open_source, position, 10) for record in batch.records]
    if len(added) != 1:
        yield f"One row was added and {len(added)} came."
