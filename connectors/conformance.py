"""The conformance kit: what every kind of system must keep, so that connectors neither lose nor double rows.

Makers of a kind run it over a source of theirs that has some rows and a way to add more:

    for broken in conformance.check(lambda: KIND.open(settings, context), add_a_row):
        print(broken)

`casebus connector conformance NAME` runs it over a connector of a deployment, and over an installed kind. It reads, and
publishes and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from bus.errors import BusError
from connectors.conformance_rows import Translate, rows_give_events_or_reasons
from connectors.source import Batch, Settled, Settling, Source, SourceRecord

Open = Callable[[], Source]
#: Rows that are read again and again; of a long source the first so many.
WINDOW = 300
#: Positions to come back to.
_RESUMED = 12


class Subject(NamedTuple):
    """What is asked. What is None is left out of the questions, and the report says so.

    `add_a_row` makes one more row in the source; `settles` says that it may be told twice what became of its rows; `samples`
    counts the samples of each table.
    """

    open: Open | None
    add_a_row: Callable[[], None] | None = None
    settles: bool = False
    translate: Translate | None = None
    samples: Mapping[str, int] | None = None


class Finding(NamedTuple):
    """One promise, and a sentence for each way in which it is broken; `left_out` says why it could not be asked."""

    promise: str
    faults: Sequence[str] = ()
    left_out: str = ""

    @property
    def kept(self) -> bool:
        return not self.faults


class _Asked(NamedTuple):
    """The rows of the window with the batches they came in, read once before all questions. `whole`: the source has no more."""

    subject: Subject
    open: Open
    batches: list[Batch]
    whole: bool

    @property
    def rows(self) -> list[SourceRecord]:
        return _rows(self.batches)


def check(open_source: Open, add_a_row: Callable[[], None]) -> Iterator[str]:
    """A sentence for each promise that is broken. The source needs at least three rows; one is added."""
    for finding in findings(Subject(open_source, add_a_row)):
        yield from finding.faults


def findings(subject: Subject) -> Iterator[Finding]:
    """Every promise, asked."""
    if subject.open is None:
        yield Finding("It is read from any position on", left_out="who is called cannot be asked for rows")
        yield _samples(subject.samples)
        return
    try:
        batches, whole = _window(subject.open, None, WINDOW)
    except Exception as error:  # noqa: BLE001  whatever a stranger's source raises is the finding
        yield Finding("It can be read", [_raised(error)])
        return
    asked = _Asked(subject, subject.open, batches, whole)
    if len(asked.rows) < 3:
        yield Finding("It can be read", ["The source has fewer than three rows: nothing can be said. Give it more."])
        return
    for promise, question in _QUESTIONS.items():
        yield _answer(promise, question, asked)
    yield _samples(subject.samples)


def _samples(samples: Mapping[str, int] | None) -> Finding:
    """That they give what they say was asked when the file was loaded; here, whether there are any."""
    promise = "Samples say what rows mean, and hold"
    if samples is None:
        return Finding(promise, left_out="there is no mapping to ask")
    bare = [f"the table {table}" if table else "the connector" for table, count in samples.items() if not count]
    return Finding(promise, [f"There are no samples for {name}. Take some: casebus connector record." for name in bare])


def _answer(promise: str, question: Callable[[_Asked], Iterator[str]], asked: _Asked) -> Finding:
    try:
        return Finding(promise, list(question(asked)))
    except _LeftOutError as why:
        return Finding(promise, left_out=str(why))
    except Exception as error:  # noqa: BLE001  whatever a stranger's source raises is the finding
        return Finding(promise, [_raised(error)])


class _LeftOutError(Exception):
    """The question cannot be asked here."""


def _raised(error: Exception) -> str:
    if isinstance(error, BusError):
        return f"It cannot be read: {error}"
    return f"It raises {type(error).__name__} ({error}): raise RetryError where waiting helps, ConfigurationError otherwise."


# -- reading


def _window(open_source: Open, position: str | None, limit: int, most: int = WINDOW) -> tuple[list[Batch], bool]:
    """Batches of a pass until `most` rows came, and whether that was all. The source is closed whatever happens."""
    source = open_source()
    try:
        passing = source.fetch(position, limit)
        found: list[Batch] = []
        while len(_rows(found)) < most:
            batch = next(passing, None)
            if batch is None:
                return found, True
            found.append(batch)
        return found, False
    finally:
        source.close()


def _rows(batches: Sequence[Batch]) -> list[SourceRecord]:
    return [record for batch in batches for record in batch.records]


def _read(asked: _Asked, position: str | None, limit: int, most: int) -> list[SourceRecord]:
    return _rows(_window(asked.open, position, limit, most)[0])[:most]


def _marks(rows: Sequence[SourceRecord]) -> list[tuple[str, bytes]]:
    return [(record.position, record.raw) for record in rows]


def _spread(count: int) -> list[int]:
    """A few of so many, the first and the last among them."""
    step = max(1, -(-count // _RESUMED))
    return sorted({*range(0, count, step), count - 1})


# -- the questions


def _same_again(asked: _Asked) -> Iterator[str]:
    again = _read(asked, None, WINDOW, len(asked.rows))
    if _marks(again) != _marks(asked.rows):
        yield "A second pass gives other rows, places or bytes than the first: the same row must come as the same row."
    if [row.sequence for row in again] != [row.sequence for row in asked.rows]:
        yield "A second pass gives other sequences than the first: it must be the order in the source."


def _found_again(asked: _Asked) -> Iterator[str]:
    places = [(record.table, record.position) for record in asked.rows]
    if len(set(places)) < len(places):
        yield "Two rows have the same position: name a place that people find."
    if not all(record.raw for record in asked.rows):
        yield "A row has no raw bytes: a dead letter would be empty."
    tables = dict.fromkeys(record.table for record in asked.rows)
    orders = [[record.sequence for record in asked.rows if record.table == table] for table in tables]
    if any(order != sorted(order) for order in orders):
        yield "The sequence goes back: it must be the order in the source."


def _batches(asked: _Asked) -> Iterator[str]:
    for limit in (1, 2, len(asked.rows)):
        for batch in _window(asked.open, None, limit, 20)[0]:
            if not 0 < len(batch.records) <= limit:
                count = len(batch.records)
                yield f"A batch of {count} rows came where at most {limit} were asked for, and none may be empty."


def _resumes(asked: _Asked) -> Iterator[str]:
    for limit in (1, 2, len(asked.rows)):
        batches, _ = _window(asked.open, None, limit, len(asked.rows))
        for number in _spread(len(batches)):
            done = len(_rows(batches[: number + 1]))
            rest = asked.rows[done:]
            most = len(rest) + (1 if asked.whole else 0)  # of a whole source not one row more
            if _marks(_read(asked, batches[number].position, WINDOW, most)) != _marks(rest):
                yield f"Behind row {done} (batches of {limit}) other rows come than the first time: positions must move forward."


def _ends(asked: _Asked) -> Iterator[str]:
    if not asked.whole:
        raise _LeftOutError(f"the source has more than {WINDOW} rows, and its end was not read")
    position = asked.batches[-1].position
    if _read(asked, position, 10, 1):
        yield "At the last position rows still come: a second run would double them."
    if asked.subject.add_a_row is None:
        return
    asked.subject.add_a_row()
    added = _read(asked, position, 10, 10)
    if len(added) != 1:
        yield f"One row was added and {len(added)} came."


def _closes(asked: _Asked) -> Iterator[str]:
    for moment in ("before it was read", "in the middle of a pass", "after a pass"):
        source = asked.open()
        try:
            for _ in islice(source.fetch(None, 1), {"before it was read": 0, "in the middle of a pass": 1}.get(moment, 50)):
                pass
            source.close()
            source.close()
        except Exception as error:  # noqa: BLE001  whatever a stranger's source raises is the finding
            yield f"Closed twice {moment}, it raises {type(error).__name__} ({error}): closing again must change nothing."


def _settles(asked: _Asked) -> Iterator[str]:
    if not asked.subject.settles:
        raise _LeftOutError("it would write into the source; makers ask it with settles=True")
    source = asked.open()
    try:
        if not isinstance(source, Settling):
            raise _LeftOutError("this source does not want to hear what became of its rows")
        rows = _rows(list(islice(source.fetch(None, 3), 1)))
        told = [Settled(row, 1) if number else Settled(row, 0, "unknown_code", "Map it.") for number, row in enumerate(rows)]
        for _ in range(2):
            source.settled(told)
    finally:
        source.close()
    if len(_read(asked, None, WINDOW, len(asked.rows))) < len(asked.rows) - len(told):
        yield "Told what became of three rows, it lost more than these."


def _translates(asked: _Asked) -> Iterator[str]:
    if asked.subject.translate is None:
        raise _LeftOutError("there is no mapping to ask")
    yield from rows_give_events_or_reasons(asked.subject.translate, asked.rows)


_QUESTIONS: dict[str, Callable[[_Asked], Iterator[str]]] = {
    "The same row comes as the same row": _same_again,
    "People find each row again, and it is kept as it came": _found_again,
    "Batches are as large as was asked for": _batches,
    "From every position exactly the rows behind it come": _resumes,
    "At the end nothing comes, and what is added comes once": _ends,
    "It can be closed at any time, twice too": _closes,
    "Told twice what became of its rows, it stays whole": _settles,
    "Each row gives the same events each time, and hostile ones give reasons": _translates,
}
