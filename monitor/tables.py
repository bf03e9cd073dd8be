"""The view's tables, which anybody may query: every column has a comment, and `docs/view.md` is written from them.

The view holds nothing that the topics do not: it can be thrown away and built again. Times are microseconds since
1970-01-01 UTC. SQLite and PostgreSQL hold the same columns.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text
from sqlalchemy.types import TypeEngine

#: Raised when a table changes its shape: a view of another version is built anew.
VERSION = "3"

metadata = MetaData()

_DEFAULTS: dict[type, object] = {Text: "", BigInteger: 0, Integer: 0, Boolean: False, LargeBinary: b""}


def _must(name: str, kind: type[TypeEngine[Any]], says: str, *, key: bool = False) -> Column[Any]:
    return Column(name, kind, primary_key=key, nullable=False, comment=says, autoincrement=False)


def _may(name: str, kind: type[TypeEngine[Any]], says: str) -> Column[Any]:
    return Column(name, kind, nullable=True, comment=says)


def _part(name: str, column: str, which: str, on_sqlite: str = "") -> Index:
    """An index of the few rows that are asked for again and again; the question must say this condition word by word."""
    return Index(name, column, sqlite_where=text(on_sqlite or which), postgresql_where=text(which))


#: Behind a time in an index: a count by day and region then reads the index alone.
_COUNTED = ("region", "opened", "forwards_to", "expired")
_CASE = "key of the case, `<namespace>:<number>`"

cases = Table(
    "cases",
    metadata,
    _must("case_key", Text, _CASE, key=True),
    _must("number", Text, "the case number alone"),
    _must("region", Text, "where it was applied for (行政区划)"),
    _must("item", Text, "what was applied for (事项)"),
    _must("item_version", Text, "version of the item"),
    _must("authority", Text, "the authority it was filed with, `department@region` (实施机关)"),
    _must("department", Text, "its department (部门)"),
    _must("level", Integer, "1 national to 6 village; 0 unknown"),
    _must("channel", Text, "window, computer, mobile, courier, other"),
    _must("form", Text, "on the spot, promised, joint, ... (办件类型)"),
    _must("phase", Text, "main phase of the case"),
    _must("outcome", Text, "how it ended; empty while it is open"),
    _must("holder", Text, "the authority that has it now"),
    _must("opened", Boolean, "its application is known"),
    _must("provisional", Boolean, "work on it came, its application has not (yet): listed, not counted"),
    _must("expired", Boolean, "a provisional case whose application never came"),
    _must("forwards_to", Text, "set where this key is another name of a case: not counted"),
    _must("paused", Boolean, "a special procedure is open (特别程序)"),
    _may("applied_at", BigInteger, "application"),
    _may("received_at", BigInteger, "papers received"),
    _may("accepted_at", BigInteger, "acceptance: the clock of the decision starts (受理)"),
    _may("stopped_at", BigInteger, "the clock of the decision stopped"),
    _may("ended_at", BigInteger, "end of the case (办结)"),
    _may("first_at", BigInteger, "first effective event"),
    _may("last_at", BigInteger, "last effective event"),
    _may("promised_days", Integer, "promised limit the case itself names (承诺时限)"),
    _may("statutory_days", Integer, "statutory limit the case itself names (法定时限)"),
    _may("rating", Integer, "1 very satisfied to 5 very dissatisfied (好差评)"),
    _may("unanswered_at", BigInteger, "the oldest visit asked for (预约) that nobody has called back about"),
    _must("events", Integer, "effective events folded in"),
    _must("sequence", BigInteger, "journal entries of the case"),
    _must("head", LargeBinary, "hash of its last journal entry"),
    _must("state", LargeBinary, "the whole state as published (MessagePack)"),
    _must("state_partition", Integer, "where that state stands in its topic: partition"),
    _must("state_offset", BigInteger, "and offset: who has read up to some offset finds what has changed since"),
    Index("cases_by_state", "state_partition", "state_offset"),
    Index("cases_by_number", "number"),
    Index("cases_by_application", "applied_at", *_COUNTED),
    Index("cases_by_end", "ended_at", *_COUNTED),
    Index("cases_by_item", "item", "applied_at"),
    Index("cases_by_place", "region", "department", "applied_at"),
    Index("cases_by_department", "department", "applied_at"),
    _part("cases_open", "case_key", "ended_at + 0 IS NULL"),
    _part("cases_badly_rated", "ended_at", "rating >= 4"),
    _part("cases_provisional", "case_key", "provisional", "provisional = 1"),
)

events = Table(
    "events",
    metadata,
    _must("case_key", Text, _CASE, key=True),
    _must("sequence", BigInteger, "number of the journal entry that records it", key=True),
    _must("event_id", Text, "identity of the event; two rows where two bodies claim one id"),
    _must("type", Text, "event type"),
    _must("activity", Text, "the activity as the source names it; else the type"),
    _must("authority", Text, "who acted, `department@region`"),
    _must("department", Text, "its department"),
    _must("region", Text, "region of the event"),
    _must("actor", Text, "person who acted, or `sealed:<key>`"),
    _must("occurred_at", BigInteger, "when it happened"),
    _may("reported_at", BigInteger, "the source's own stamp"),
    _must("received_at", BigInteger, "when the bus received it"),
    _must("step", Integer, "the source's step number; -1 without"),
    _must("system", Text, "source system"),
    _must("source_sequence", BigInteger, "order in the source"),
    _must("origin", Text, "source row: versions of one row replace each other"),
    _must("version", Integer, "version of the row"),
    _must("raw", LargeBinary, "the event as published, byte for byte"),
    Index("events_by_receipt", "received_at"),
)

set_aside = Table(
    "set_aside",
    metadata,
    _must("case_key", Text, _CASE, key=True),
    _must("sequence", BigInteger, "the event's journal entry", key=True),
    _must("standing", Text, "why the event does not count: superseded, conflicting, cancelled, stale, event_after_end"),
)

entries = Table(
    "entries",
    metadata,
    _must("case_key", Text, _CASE, key=True),
    _must("sequence", BigInteger, "gapless from 1 within the case", key=True),
    _must("kind", Text, "EVENT, SUPERSEDED, DECISION, ..."),
    _must("recorded_at", BigInteger, "receipt of the event that caused it: the router has no clock"),
    _must("previous", LargeBinary, "hash of the entry before"),
    _must("hash", LargeBinary, "hash of this entry"),
    _must("event_id", Text, "the event it is about"),
    _must("rule", Text, "the rule that decided"),
    _must("target", Text, "what it was decided about"),
    _must("facts", Text, "what the decision rests on (JSON)"),
)

moves = Table(
    "moves",
    metadata,
    _must("case_key", Text, _CASE, key=True),
    _must("hand_over", Text, "id of the hand-over", key=True),
    _must("part", Text, "sub-case of a joint approval; empty for the whole", key=True),
    _must("kind", Text, "up, down, across"),
    _must("sender", Text, "authority that gave it away"),
    _must("receiver", Text, "authority it goes to"),
    _must("sent_at", BigInteger, "sent"),
    _may("received_at", BigInteger, "signed for by the receiver; empty while on its way"),
    _may("answered_at", BigInteger, "answered"),
    _must("rule", Text, "the rule that moved it; empty where a department did"),
    Index("moves_by_sent", "sent_at"),
)

findings = Table(
    "findings",
    metadata,
    _must("case_key", Text, _CASE, key=True),
    _must("position", Integer, "place among the findings of the case", key=True),
    _must("code", Text, "a row of the law's table"),
    _must("at", BigInteger, "when"),
    _must("event_id", Text, "the event that showed it"),
    _must("facts", Text, "details (JSON)"),
    Index("findings_by_code", "code"),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    _must("partition", Integer, "partition of the dead-letter topic", key=True),
    _must("offset", BigInteger, "offset in it", key=True),
    _must("reason", Text, "code of the reason"),
    _must("text", Text, "a sentence with what to do"),
    _must("stage", Text, "CONNECTOR, ROUTER or DELIVERY"),
    _must("system", Text, "source system"),
    _must("source_table", Text, "table, file or sheet of the source"),
    _must("source_key", Text, "business key, where it could be read"),
    _must("position", Text, "where in the source"),
    _must("field", Text, "the field at fault"),
    _must("found", Text, "what stood there"),
    _must("mapping_line", Text, "line of the mapping that refused it"),
    _must("event_id", Text, "the event, where it had become one"),
    _must("case_key", Text, "the case, where it is known"),
    _must("raw", LargeBinary, "the record as it came"),
    _must("received_at", BigInteger, "when the bus received it"),
    Index("dead_letters_by_reason", "reason"),
    Index("dead_letters_by_receipt", "received_at"),
)

input_ends = Table(
    "input_ends",
    metadata,
    _must("run", Text, "a run with an end", key=True),
    _must("partition", Integer, "journal partition in which everything before the end has been read", key=True),
)

alerts = Table(
    "alerts",
    metadata,
    _must("alert", Text, "id made of what was judged: the same judgement gives the same id", key=True),
    _must("type", Text, "AlertRaised or AlertWithdrawn", key=True),
    _must("case_key", Text, _CASE + "; empty where it is about a department"),
    _must("indicator", Text, "the indicator that speaks"),
    _must("light", Text, "GREEN, YELLOW or RED"),
    _must("who", Text, "who has to act: an authority or a department"),
    _must("about", Text, "tells alerts of one indicator on one case apart"),
    _must("text", Text, "the alert as a sentence; the reason, where it is withdrawn"),
    _must("judged_sequence", BigInteger, "journal sequence it was judged at"),
    _must("raised_at", BigInteger, "when it was judged"),
    _must("attempt", Integer, "from 1; the router refuses a judgement that knew too little, then it is made again"),
    _must("sent", Boolean, "published on the alerts topic"),
    _must("told", Boolean, "told to people by the webhook, or nobody to tell"),
    Index("alerts_by_case", "case_key"),
    Index("alerts_by_time", "raised_at"),
)

offsets = Table(
    "offsets",
    metadata,
    _must("topic", Text, "topic", key=True),
    _must("partition", Integer, "partition", key=True),
    _must("next_offset", BigInteger, "next offset to read"),
)

meta = Table("meta", metadata, _must("name", Text, "name", key=True), _must("value", Text, "value"))

#: Tables that one state of a case writes: replaced as a whole by the case's next state.
OF_STATE = (cases, set_aside, moves, findings)


def empty_row(table: Table) -> dict[str, object]:
    """A row of the table with nothing in it, for tests and for columns a source leaves out."""
    return {column.name: None if column.nullable else _DEFAULTS[type(column.type)] for column in table.columns}
