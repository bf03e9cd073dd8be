"""Records of the topics as rows of the tables. Pure: the audit builds the same rows again to compare them.

Rows are tuples in the order of the table's columns, made from no more of a record than the columns keep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Table

from bus.errors import CorruptionError, RetryError
from bus.ports import Record
from bus.topics import DEADLETTERS, JOURNAL, STATE
from monitor import tables
from monitor.columns import department, facts
from monitor.recorded import Reader, Values, recorder
from schemas.case import Case, CaseState, decode_state

__all__ = ["TOPICS", "Reader", "Row", "Rows", "department", "provisional", "rows_of", "unanswered"]

#: One row of a table, by column.
Row = dict[str, Any]
TOPICS = (JOURNAL.name, STATE.name, DEADLETTERS.name)


class Rows(NamedTuple):
    """What a batch of records puts into the tables. Rows of `replaced` cases that a state wrote before go first."""

    inserts: Mapping[str, list[Values]]
    replaced: list[str]

    def of(self, table: Table) -> list[Row]:
        """By the names of the columns."""
        names = [column.name for column in table.columns]
        return [dict(zip(names, values, strict=True)) for values in self.values(table)]

    def values(self, table: Table) -> list[Values]:
        return self.inserts.get(table.name, [])


def rows_of(records: Iterable[Record], reader: Reader) -> Rows:
    """Rows of records in the order of their partitions. Of several states of one case only the last is decoded.

    Raises CorruptionError naming topic, partition and offset when a record is not what its topic promises, RetryError where
    the schema registry does not answer.
    """
    rows: dict[str, list[Values]] = {table.name: [] for table in tables.metadata.sorted_tables}
    states: dict[bytes, Record] = {}
    record = None
    known = recorder(reader)
    make: dict[str, Callable[[Record, Mapping[str, list[Values]]], None]] = {
        JOURNAL.name: known.journal,
        DEADLETTERS.name: known.letter,
    }
    try:
        for record in records:
            if record.topic == STATE.name:
                states[record.key or b""] = record
            else:
                make[record.topic](record, rows)
        for record in states.values():
            _stated(record, rows)
    except RetryError:
        raise  # a schema registry that does not answer: nothing is wrong with the record
    except Exception as error:
        if record is None:
            raise
        raise _unreadable(record, error) from error
    return Rows(rows, [key.decode() for key in states])


def _unreadable(record: Record, error: Exception) -> CorruptionError:
    where = f"{record.topic}, partition {record.partition}, offset {record.offset}"
    return CorruptionError(
        f"{where} holds something that cannot be read ({error}). Run casebus audit; nothing after it was shown."
    )


def _stated(record: Record, rows: Mapping[str, list[Values]]) -> None:
    """What the state of a case says, in each table it feeds."""
    state = decode_state(record.value or b"")
    case = state.case
    rows["cases"].append(_case(state, record))
    if case.hand_overs:
        rows["moves"].extend(_moves(case))
    for position, one in enumerate(case.findings):
        rows["findings"].append((case.key, position, one.code, one.at, one.event_id, facts(one.facts)))
    reasons = case.set_aside
    for entry in state.ledger:
        standing = entry.standing if entry.standing != "effective" else reasons.get(entry.event_id)
        if standing:
            rows["set_aside"].append((case.key, entry.sequence, standing))


def _case(state: CaseState, record: Record) -> Values:
    case = state.case
    waits = provisional(case) and not (state.expired or state.forwards_to)
    return (
        case.key, case.key.partition(":")[2], case.region, case.item, case.item_version, case.authority,
        department(case.authority), case.level, case.channel, case.form, str(case.phase), str(case.outcome or ""), case.holder,
        case.opened, waits, state.expired, state.forwards_to, case.paused,
        case.applied_at, case.received_at, case.accepted_at, case.stopped_at, case.ended_at, case.first_at, case.last_at,
        case.promised_days, case.statutory_days, case.rating, unanswered(case), case.events,
        state.sequence, state.head, record.value, record.partition, record.offset,
    )  # fmt: skip


def provisional(case: Case) -> bool:
    """Work on it is known, its application is not. An appointment or a queue ticket need not become a case."""
    return bool(case.events) and not (case.opened or case.visit)


def unanswered(case: Case) -> int | None:
    """The oldest visit asked for that nobody has called back about, before the case was applied for."""
    if case.opened:
        return None
    waiting = [one.requested_at for one in case.appointments if one.requested_at is not None and one.confirmed_at is None]
    return min(waiting, default=None)


def _moves(case: Case) -> Iterable[Values]:
    """Hand-overs of a case; of two with the same id and part the later one stands."""
    found = {
        (move.id, move.part): (
            case.key, move.id, move.part, move.kind, move.sender, move.receiver,
            move.sent_at, move.received_at, move.answered_at, move.rule,
        )
        for move in case.hand_overs
    }  # fmt: skip
    return found.values()
