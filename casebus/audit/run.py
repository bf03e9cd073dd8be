"""The audit's course: read each side once, compare, and name what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bus import topics
from bus.errors import RetryError
from bus.ports import Client, Partition, Record
from casebus.audit import compare, told
from casebus.audit.chains import Chains, Head
from casebus.audit.facts import Difference, Fact, Refused, Side, mark_of
from casebus.audit.shown import Shown, read_by
from casebus.audit.told import Letters, Reading, System, is_marker, raw_digest, read_through
from casebus.letters import ledger
from monitor.rows import Reader
from monitor.times import local_date
from monitor.view import Snapshot, View
from router.journal import hash_of
from schemas.case import decode_state
from schemas.envelope import Event, body_hash

UNREADABLE = "the bus holds a record that cannot be read (partition {}, offset {}), and no dead letter tells of it"
BODY = "the event on the bus is not what its body hash says: it was changed after it was sent"
FORGED = "the journal's entry {} holds bytes that never were on the bus: it was changed or made up"
ILLEGIBLE = "the journal's entry {} holds an event that cannot be read: it was changed"


class Inputs(NamedTuple):
    """What is held against each other. `systems` None: the sources are left out.

    `committed` is how far the router has read (its group's offsets): what lies behind is on its way, not lost.
    """

    client: Client
    reader: Reader
    view: View
    systems: Sequence[System] | None
    reading: Reading
    committed: Mapping[Partition, int] | None = None


class Report(NamedTuple):
    """What was found. `waiting` events are still on their way to the router, `behind` cases to the view."""

    differences: list[Difference]
    counts: dict[str, int]
    waiting: int
    behind: int

    @property
    def exit_code(self) -> int:
        return 1 if self.differences else 0

    def to_json(self) -> dict[str, Any]:
        found = [one._asdict() for one in self.differences]
        return {"equal": not found, "counts": self.counts, "waiting": self.waiting, "behind": self.behind, "differences": found}


def audit(inputs: Inputs) -> Report:
    """Compare everything. Raises BusError or ProblemsError where a side cannot be read at all."""
    with inputs.view.snapshot() as snapshot:
        run = _Audit(inputs, snapshot)
        found = [*run.bus(), *run.sources(), *run.journal(), *run.states(), *run.named(), *run.view()]
    found.sort(key=lambda one: (one.case, one.day, one.side, one.cause))
    return Report(found, run.counts, run.waiting, len(run.shown.behind))


class _Audit:
    """One run; its methods are called in the order they stand in.

    The view is seen as it was at the start: what the topics get meanwhile cannot be missing in it.
    """

    def __init__(self, inputs: Inputs, snapshot: Snapshot) -> None:
        self._in = inputs
        self._snapshot = snapshot
        acts = ledger.read(inputs.client)
        self._letters: Letters = told.letters(read_through(inputs.client, topics.DEADLETTERS.name), inputs.reader, acts)
        self._sent: set[int] = set()
        self._routed: set[int] = set()
        self._raws: set[int] = set()
        self._told: set[int] = set(told.replayed(acts))
        self._recorded: set[int] = set()
        self._waiting: set[int] = set()
        self._missing: list[Fact] = []
        self._versions: dict[str, int] = {}
        self._once = tuple(f"{system.name}/{table}/" for system in inputs.systems or () for table in system.once)
        self._chains = Chains(hash_of)
        self.shown = Shown(inputs.client, inputs.reader, read_by(snapshot))
        self.counts = {"dead_letters": len(self._letters.raws)}

    @property
    def waiting(self) -> int:
        return len(self._waiting - self._recorded)

    # -- the bus

    def bus(self) -> Iterator[Difference]:
        for record, event in self._events(topics.EVENTS.name):
            if event is None:
                if raw_digest(record.value or b"") not in self._letters.raws:
                    yield Difference("", "", Side.BUS, UNREADABLE.format(record.partition, record.offset))
                continue
            fact = self._fact(event)
            self._sent.add(fact.mark)
            if fact.origin.startswith(self._once):
                self._told.add(fact.mark)  # its source cannot be asked for it again: what Kafka has of it was told
            said = event.header["body_hash"]
            if said != fact.body_hash and mark_of(event.id, said) in self._told:
                self._told.add(fact.mark)  # it was published for a dead letter
            self._route(record, fact)
            if body_hash(event.type, event.header, event.body) != said:
                yield Difference(fact.case, fact.day, Side.BUS, BODY, fact.event_id)
        for record, event in self._events(topics.ALERTS.name):
            if event is not None:
                self._route(record, self._fact(event))
        self.counts["bus"] = len(self._routed)

    def _events(self, topic: str) -> Iterator[tuple[Record, Event | None]]:
        """Records of a topic with their events; None for one that cannot be read."""
        for record in read_through(self._in.client, topic):
            if not is_marker(record):
                yield record, self._event(record.value or b"")

    def _event(self, data: bytes) -> Event | None:
        try:
            return self._in.reader.decode(data)
        except RetryError:
            raise  # a schema registry that does not answer: nothing is wrong with the bytes
        except Exception:  # noqa: BLE001  whatever is wrong with the bytes: that they cannot be read is the finding
            return None

    def _fact(self, event: Event) -> Fact:
        return self._in.reading.fact(event, self._in.reading.zone)

    def _route(self, record: Record, fact: Fact) -> None:
        committed = self._in.committed
        self._raws.add(raw_digest(record.value or b""))
        self._routed.add(fact.mark)
        if committed is not None and record.offset >= committed.get(Partition(record.topic, record.partition), 0):
            self._waiting.add(fact.mark)

    # -- the sources

    def sources(self) -> Iterator[Difference]:
        refused: list[Refused] = []
        for system in self._in.systems or ():
            if system.standing:
                continue
            for one in told.told_by(system, self._in.reading, self._in.client):
                if isinstance(one, Refused):
                    refused.append(one)
                else:
                    self._tell(one)
        self.counts["source"] = len(self._told)
        yield from compare.refused(refused, self._letters.rows)

    def _tell(self, fact: Fact) -> None:
        if fact.before and fact.mark not in self._sent and mark_of(fact.event_id, fact.before) in self._sent:
            fact = fact._replace(body_hash=fact.before)  # published before its connector sealed
        self._told.add(fact.mark)
        if fact.mark not in self._sent:
            self._missing.append(fact)
        if fact.version > 1:
            self._versions[fact.origin] = max(fact.version, self._versions.get(fact.origin, 0))

    # -- the journal and the states

    def journal(self) -> Iterator[Difference]:
        entries = 0
        for record in read_through(self._in.client, topics.JOURNAL.name):
            if is_marker(record):
                continue
            entries += 1
            _, entry = self._in.reader.decode_record(record.value or b"")
            yield from self._entry(entry)
            self.shown.expect(record)
        self.counts |= {"journal": len(self._recorded), "entries": entries}

    def _entry(self, entry: Mapping[str, Any]) -> Iterator[Difference]:
        day = local_date(entry["recorded_at"], self._in.reading.zone).isoformat()
        yield from self._chains.follow(entry, day)
        if entry["event"] is None:
            return
        event = self._event(entry["event"])
        if event is None:
            yield Difference(entry["case"], day, Side.JOURNAL, ILLEGIBLE.format(entry["sequence"]), entry["event_id"] or "")
            return
        fact = self._fact(event)
        self._recorded.add(fact.mark)
        if raw_digest(entry["event"]) not in self._raws:
            yield Difference(entry["case"], fact.day, Side.JOURNAL, FORGED.format(entry["sequence"]), fact.event_id)

    def states(self) -> Iterator[Difference]:
        """The last state of each case ends its chain; the last one the view has read is what its tables must say."""
        last = told.last_of_each(read_through(self._in.client, topics.STATE.name))
        seen = self.shown.states
        heads: dict[str, Head] = {}
        for record in read_through(self._in.client, topics.STATE.name):
            key, place = record.key or b"", (record.partition, record.offset)
            if place == last[key]:
                state = decode_state(record.value or b"")
                heads[key.decode()] = Head(state.sequence, state.head)
            if place == seen.get(key):
                self.shown.expect(record)
        self.shown.behind |= {key.decode() for key in last if last[key] != seen.get(key)}
        self.counts["cases"] = len(heads)
        yield from self._chains.against(heads)

    def view(self) -> Iterator[Difference]:
        for record in read_through(self._in.client, topics.DEADLETTERS.name):
            self.shown.expect(record)
        yield from self.shown.differences(self._snapshot, self._in.reading.zone)
        self.counts["view"] = self.shown.rows

    # -- what differs, by name

    def named(self) -> Iterator[Difference]:
        extra = self._sent - self._told if self._in.systems is not None else set()
        lost = self._routed - self._recorded - self._waiting
        facts = list(self._facts(extra | lost)) if extra or lost else []
        gone = [fact for fact in facts if fact.mark in extra and self._is_audited(fact)]
        yield from compare.sent(self._missing, {fact.event_id for fact in gone}, self._letters.places)
        yield from compare.vanished(gone, self._versions, {fact.event_id for fact in self._missing})
        yield from compare.recorded((fact for fact in facts if fact.mark in lost), self._letters.events)

    def _facts(self, marks: set[int]) -> Iterator[Fact]:
        """The facts behind marks, each once: the topics are read again for them."""
        wanted = set(marks)
        for topic in (topics.EVENTS.name, topics.ALERTS.name):
            for _, event in self._events(topic):
                if event is not None and (fact := self._fact(event)).mark in wanted:
                    wanted.remove(fact.mark)
                    yield fact

    def _is_audited(self, fact: Fact) -> bool:
        """A department that speaks Kafka itself has no source that could be read again."""
        return any(fact.origin.startswith(f"{system.name}/") for system in self._in.systems or ())
