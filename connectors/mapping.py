"""Row -> events, purely: what the YAML declared, compiled once by `connectors.build`, applied to each row.

The same row gives the same events with the same ids on every run and machine; what cannot be translated is a `Rejection`
that says field, finding, remedy and the line of the mapping.
"""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from connectors import values
from connectors.reading import Column, Values
from connectors.source import SourceRecord
from connectors.templates import Fill
from connectors.values import Refusal
from schemas.envelope import Event, event_id, fact_hash

Evaluate = Callable[[abc.Mapping[str, Any]], Any]
_FOUND = 200


class Rejection(NamedTuple):
    """A row that gives no event. `reason` is a code, `text` a sentence with the remedy, `where` the line of the mapping."""

    reason: str
    text: str
    field: str
    found: str
    where: str
    key: str | None
    position: str
    raw: bytes
    table: str = ""


class CasePlan(NamedTuple):
    namespace: str
    number: Evaluate
    where: str

    def key(self, row: Values) -> str:
        number = values.text_of(self.number(row))
        if not number:
            raise Refusal("missing_case", "found no case number", "Send the case's number", "case", self.where)
        return f"{self.namespace}:{number}"


class EventPlan(NamedTuple):
    """One event that a row may give.

    `fixed` and `blank` are what every row has in header and body, `header` and `body` fill the rest. `cancels` is the name of
    another event of the row: this one says that it no longer counts.
    """

    type: str
    name: str
    when: Evaluate | None
    case: CasePlan
    fixed: abc.Mapping[str, Any]
    header: Sequence[tuple[str, Fill]]
    blank: abc.Mapping[str, Any]
    body: Sequence[tuple[str, Fill]]
    where: str
    cancels: str | None = None

    def applies(self, row: Values) -> bool:
        if self.when is None:
            return True
        return values.verdict(self.when(row), "when", self.where)


class Choice(NamedTuple):
    """Which events a row's code gives; `ignored` codes are known to give none."""

    code: Evaluate | None
    plans: abc.Mapping[str, Sequence[EventPlan]]
    always: Sequence[EventPlan]
    ignored: frozenset[str]
    field: str
    where: str

    def of(self, row: Values) -> Sequence[EventPlan]:
        """Raises Refusal `unknown_code` where the mapping has no event for the code: it opens a mapping task."""
        if self.code is None:
            return self.always
        code = values.text_of(self.code(row))
        if code is None:
            raise Refusal("missing_code", "found no code", "Send the code that says what happened", self.field, self.where)
        plans = self.plans.get(code)
        if plans is None:
            return self._unplanned(code)
        return plans

    def _unplanned(self, code: str) -> Sequence[EventPlan]:
        if code in self.ignored:
            return self.always
        found = f"found {values.shown(code)}, for which the mapping has no event"
        raise Refusal("unknown_code", found, "Add it to `on:` of an event, or to `ignore:`", self.field, self.where)


class Translator(Protocol):
    """What turns rows into events: the mapping of one table, or those of several."""

    def translate(self, record: SourceRecord, received_at: int, replay: bool = False) -> list[Event] | Rejection: ...
    def refused(self, record: SourceRecord, refusal: Refusal) -> Rejection: ...


class Mapping(NamedTuple):
    """Everything the hot path needs, compiled."""

    system: str
    table: str
    columns: Sequence[Column]
    skip: Evaluate | None
    key: Sequence[Evaluate]
    version: Evaluate
    choice: Choice
    conflict: str
    ahead: int
    width: int

    def translate(self, record: SourceRecord, received_at: int, replay: bool = False) -> list[Event] | Rejection:
        """The events of this row, in the mapping's order; none for a row that is skipped or ignored.

        `received_at` (microseconds) is when the bus received the row; with `replay` the source's own report counts instead.
        """
        row: Values = {}
        try:
            if record.fault is not None:
                raise record.fault
            given = record.row
            for name, _, _, read in self.columns:
                row[name] = read(given, row)
            if self.skip is not None and (said := self.skip(row)) is not None and values.verdict(said, "skip"):
                return []
            return self._events(record, row, received_at, replay)
        except Refusal as refusal:
            return self._rejected(record, row, refusal)
        except UnicodeEncodeError as error:
            return self._rejected(record, row, _half(error))

    def _events(self, record: SourceRecord, row: Values, received_at: int, replay: bool) -> list[Event]:
        travel = _Travel(self._key(row), self._version(row), record, received_at, replay)
        plans = [plan for plan in self.choice.of(row) if plan.when is None or plan.applies(row)]
        return [self._event(plan, index, row, travel) for index, plan in enumerate(plans)]

    def _event(self, plan: EventPlan, index: int, row: Values, travel: _Travel) -> Event:
        key, version, record, received_at, _ = travel
        identity = event_id(self.system, self.table, key, plan.name, version)
        said = {**plan.fixed, "case": plan.case.key(row), "version": version}
        for name, fill in plan.header:
            said[name] = fill(row)
        reported = said.pop("reported_at")
        received_at = self._in_time(said["occurred_at"]["at"], reported, travel, plan)
        body = {**plan.blank}
        for name, fill in plan.body:
            body[name] = fill(row)
        if plan.cancels is not None:
            body["corrects"] = event_id(self.system, self.table, key, plan.cancels, version)
            body["cancels"] = True
        header = {
            **said,
            "event_id": identity,
            "body_hash": fact_hash(plan.type, said, body),
            "sequence": record.sequence * self.width + index,
            "reported_at": reported,
            "received_at": received_at,
            "source": {"system": self.system, "table": self.table, "key": key, "position": record.position},
            "conflict": self.conflict,
        }
        return Event(plan.type, header, body)

    def _in_time(self, occurred: int, reported: abc.Mapping[str, Any] | None, travel: _Travel, plan: EventPlan) -> int:
        """When it counts as received. A thing cannot have happened after it was reported, clocks aside (`ahead_hours`)."""
        known = travel.received_at if reported is None else reported["at"]
        if occurred > known + self.ahead:
            found = "found a time after the moment it was reported"
            raise Refusal("future_time", found, "Correct the year or the date", "occurred_at", plan.where)
        return known if travel.replay else travel.received_at

    def _key(self, row: Values) -> str:
        parts = [values.text_of(part(row)) or "" for part in self.key]
        if not all(parts):
            raise Refusal("missing_key", "found no business key", "Send the row's own number", "key")
        return "/".join(parts)

    def _version(self, row: Values) -> int:
        version = values.int_of(self.version(row))
        if version is None or not 0 <= version < 2**31:
            raise Refusal(
                "unreadable_number", f"found {values.shown(version)} as version", "Send a small whole number", "version"
            )
        return version

    def refused(self, record: SourceRecord, refusal: Refusal) -> Rejection:
        """The rejection of a row whose events the bus would not take."""
        return self._rejected(record, {}, refusal)

    def _rejected(self, record: SourceRecord, row: Values, refusal: Refusal) -> Rejection:
        field = refusal.field or "row"
        text = f"{field}: {refusal.found.rstrip('.')}. {refusal.instead.rstrip('.')}."
        return Rejection(
            refusal.reason,
            text,
            field,
            refusal.found[:_FOUND],
            refusal.where,
            self._readable_key(row),
            record.position,
            record.raw,
            self.table,
        )

    def _readable_key(self, row: Values) -> str | None:
        """The business key as far as the row could be read."""
        try:
            return self._key(row)
        except (Refusal, KeyError):
            return None


def _half(error: UnicodeEncodeError) -> Refusal:
    """Half of a surrogate pair: JSON and some databases let it through, no text on the bus can hold it."""
    found = f"found half a character (U+{ord(error.object[error.start]):04X})"
    return Refusal("unreadable_text", found, "Send the whole character, or none")


class _Travel(NamedTuple):
    """What the events of one row share: how it travelled."""

    key: str
    version: int
    record: SourceRecord
    received_at: int
    replay: bool
