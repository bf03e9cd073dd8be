"""The audit finds every flipped byte, missing entry, cut-off end and stray row, and names case and cause."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import audit_world as world
import pytest
from sqlalchemy import delete, insert, select, update

from bus import topics
from bus.errors import RetryError
from bus.memory import Cluster
from bus.ports import Message, Partition
from casebus.audit import Inputs, Reading, Side, audit
from casebus.letters import ledger
from connectors.mapping import Rejection
from connectors.source import Batch, SourceRecord
from monitor import tables
from monitor.service import Service
from monitor.view import View
from schemas.codec import Codec
from schemas.handled import Act, State, Told

ZONE = ZoneInfo("Asia/Shanghai")
ONE, TWO = "city:0001", "city:0002"


class Rows(NamedTuple):
    """A system whose rows are the events themselves: its mapping only hands them over."""

    name: str
    rows: list[Any]
    standing: bool = False
    once: frozenset[str] = frozenset()

    @property
    def mapping(self):
        return self

    def open(self, _cluster):
        return self

    def close(self):
        """Nothing is open."""

    def fetch(self, position, _limit):
        assert position is None, "the audit reads from the start"
        yield Batch([SourceRecord(str(n), n, {"event": row}, b"") for n, row in enumerate(self.rows)], "end")

    def translate(self, record, _received_at, _replay):
        found = record.row["event"]
        return found if isinstance(found, Rejection) else [found]


@dataclasses.dataclass
class World:
    """Two cases of three events each, as every side should have them; a test spoils one side, then asks."""

    path: Any
    events: dict[str, list[Any]] = dataclasses.field(default_factory=lambda: {key: world.events(key) for key in (ONE, TWO)})
    letters: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def __post_init__(self):
        self.rows = [event for events in self.events.values() for event in events]
        self.bus = list(self.rows)
        self.entries = {key: world.chain(events) for key, events in self.events.items()}
        self.states = [world.state(key, self.events[key], self.entries[key]) for key in self.events]
        self.once = frozenset[str]()
        self.cluster = Cluster()
        self.cluster.create(topics.standard(1))
        self.view = View.at(self.path / "view.db")

    def publish(self):
        """Write all topics and let the view read them."""
        values = [
            *((topics.EVENTS.name, event.case, event.raw) for event in self.bus),
            *((topics.JOURNAL.name, entry["case"], world.encoded(entry)) for chain in self.entries.values() for entry in chain),
            *((topics.STATE.name, state.case.key, world.state_bytes(state)) for state in self.states),
            *((topics.DEADLETTERS.name, "x", world.letter_bytes(letter)) for letter in self.letters),
        ]
        self.cluster.publish([Message(topic, 0, key.encode(), value, 0) for topic, key, value in values])
        Service(self.view, self.cluster, world.CODEC).load()
        return self

    def audit(self, committed=None, systems=True, reader=world.CODEC):
        reading = Reading(world.at(1000), False, ZONE)
        sources = [Rows("hall", self.rows, once=self.once)] if systems else None
        return audit(Inputs(self.cluster, reader, self.view, sources, reading, committed))

    def change(self, statement):
        """What an intruder of the view's database does."""
        with self.view.engine.begin() as connection:
            assert connection.execute(statement).rowcount == 1


@pytest.fixture
def good(tmp_path):
    made = World(tmp_path)
    yield made
    made.view.close()


def the_only(report):
    """The one difference there must be."""
    assert report.exit_code == 1
    (found,) = report.differences
    return found


def test_equal_sides_have_no_difference(good):
    """Everything that was sent is recorded and shown: exit code 0, and the counts of all sides agree."""
    report = good.publish().audit()
    assert (report.differences, report.exit_code, report.waiting, report.behind) == ([], 0, 0, 0)
    assert (report.counts["source"], report.counts["bus"], report.counts["journal"]) == (6, 6, 6)
    assert report.to_json()["equal"] is True


def test_an_event_sent_twice_is_no_difference(good):
    """The bus may hold an event twice; it is recorded once."""
    good.bus.append(good.bus[0])
    assert good.publish().audit().differences == []


def told(*events):
    """The act of whoever replayed a letter that gave these events."""
    return Act(State.MENDED, 1, "li", events=[Told(one.case, one.id, one.header["body_hash"]) for one in events])


def test_an_event_of_a_mended_row_needs_no_source(good):
    """The source still has the row as it was, with its dead letter; the act on the letter tells of the event."""
    row = world.event("Accepted", 4, ONE, source_key="mended")
    good.bus.append(row)
    good.entries[ONE] = world.chain([*good.events[ONE], row])
    good.states[0] = world.state(ONE, [*good.events[ONE], row], good.entries[ONE])
    good.letters.append({"position": "9"})
    assert the_only(good.publish().audit()).cause.startswith("the bus holds this event, its source no longer does")
    good.cluster.publish([ledger.message("0-0", [told(row)])])
    assert good.audit().differences == []


def test_a_row_that_was_refused_again_for_another_reason_is_told_of(good):
    """Its letter has the reason of the first time, the act the one of today."""
    good.rows.append(Rejection("unknown_code", "", "", "", "", None, "9", b""))
    good.letters.append({"position": "9"})
    assert "no dead letter tells" in the_only(good.publish().audit()).cause
    good.cluster.publish([ledger.message("0-0", [Act(State.REFUSED_AGAIN, 1, "li", reason="unknown_code")])])
    assert good.audit().differences == []


def test_an_event_that_is_missing_on_the_bus_is_named(good):
    """The source has it, the bus never got it."""
    lost = good.events[TWO].pop()
    good.bus.remove(lost)
    good.entries[TWO].pop()
    good.states[1] = world.state(TWO, good.events[TWO], good.entries[TWO])
    found = the_only(good.publish().audit())
    assert (found.case, found.day, found.side, found.event_id) == (TWO, "2025-03-03", Side.BUS, lost.id)
    assert "the source holds this event, the bus does not" in found.cause


def test_a_row_deleted_in_its_source_is_named(good):
    """The bus remembers what the source no longer says."""
    good.rows.remove(good.events[ONE][0])
    found = the_only(good.publish().audit())
    assert (found.case, found.side) == (ONE, Side.BUS)
    assert "its source no longer does" in found.cause


def test_a_queue_that_was_emptied_tells_of_what_is_left_in_it(good):
    """What was taken is gone from it; what waits there, and is not on the bus, is named."""
    good.bus, good.rows = good.bus[:-1], good.rows[-1:]
    good.once = frozenset({"t"})
    report = good.publish().audit()
    assert [(one.side, one.event_id) for one in report.differences if one.side is Side.BUS] == [(Side.BUS, good.rows[0].id)]
    assert not [one for one in report.differences if "no longer does" in one.cause]


def test_a_row_that_was_replaced_by_a_higher_version_is_no_difference(good):
    """Its first version is on the bus and no longer in the source: that is how versions are."""
    old = good.rows.pop()
    newer = world.event("Decided", 7, TWO, version=2, source_key=old.header["source"]["key"], result="REFUSED")
    good.rows.append(newer)
    good.bus.append(newer)
    good.events[TWO].append(newer)
    good.entries[TWO] = world.chain(good.events[TWO])
    good.states[1] = world.state(TWO, good.events[TWO], good.entries[TWO])
    assert good.publish().audit().differences == []


def test_a_row_changed_without_a_new_version_is_named(good):
    """Same id, other body: source and bus disagree."""
    old = good.rows.pop()
    good.rows.append(world.event("Decided", 7, TWO, source_key=old.header["source"]["key"], result="REFUSED"))
    found = the_only(good.publish().audit())
    assert (found.case, found.event_id) == (TWO, old.id)
    assert "different things under one event id" in found.cause


def test_a_refused_row_needs_a_dead_letter(good):
    """A row that cannot be used must be told of, with its reason."""
    good.rows.append(Rejection("missing_time", "no time", "time", "", "hall.yaml:3", None, "row 7", b""))
    found = the_only(good.publish().audit())
    assert found.side is Side.DEAD_LETTERS
    assert "row 7 of hall" in found.cause


def test_a_refused_row_with_its_dead_letter_is_no_difference(good):
    """System, position and reason agree."""
    good.rows.append(Rejection("missing_time", "no time", "time", "", "hall.yaml:3", None, "row 7", b""))
    good.letters.append({"reason": "missing_time", "position": "row 7"})
    assert good.publish().audit().differences == []


def test_a_refused_row_that_could_now_be_used_says_so(good):
    """Its code was unknown when it was read; the mapping has learnt it since."""
    lost = good.events[ONE].pop()
    good.bus.remove(lost)
    good.entries[ONE].pop()
    good.states[0] = world.state(ONE, good.events[ONE], good.entries[ONE])
    good.letters.append({"reason": "unknown_code", "position": lost.header["source"]["position"]})
    assert "now it could be" in the_only(good.publish().audit()).cause


def test_an_event_its_schema_does_not_take_is_told_of_by_its_dead_letter(good):
    """The row could be translated, and its event could not be sent: that is no loss."""
    lost = good.events[ONE].pop()
    good.bus.remove(lost)
    good.entries[ONE].pop()
    good.states[0] = world.state(ONE, good.events[ONE], good.entries[ONE])
    good.letters.append({"reason": "does_not_fit", "position": lost.header["source"]["position"]})
    good.rows.remove(good.events[TWO][2])
    assert "its source no longer does" in the_only(good.publish().audit()).cause


def test_an_event_the_router_lost_is_named(good):
    """On the bus, not in the journal, no dead letter."""
    lost = good.events[ONE].pop()
    good.entries[ONE].pop()
    good.states[0] = world.state(ONE, good.events[ONE], good.entries[ONE])
    found = the_only(good.publish().audit())
    assert (found.case, found.side, found.event_id) == (ONE, Side.JOURNAL, lost.id)
    assert "the router lost it" in found.cause


def test_an_event_with_a_dead_letter_is_not_lost(good):
    """The router refused it and said so."""
    lost = good.events[ONE].pop()
    good.entries[ONE].pop()
    good.states[0] = world.state(ONE, good.events[ONE], good.entries[ONE])
    good.letters.append({"stage": "ROUTER", "event_id": lost.id, "case": ONE})
    assert good.publish().audit().differences == []


def test_an_event_the_router_has_not_read_yet_is_waiting_not_lost(good):
    """Behind the router's committed offset nothing can be missing."""
    good.events[ONE].pop()
    good.entries[ONE].pop()
    good.states[0] = world.state(ONE, good.events[ONE], good.entries[ONE])
    good.bus.append(good.bus.pop(2))
    report = good.publish().audit(committed={Partition(topics.EVENTS.name, 0): 5})
    assert (report.differences, report.waiting) == ([], 1)


def test_a_flipped_byte_in_the_journal_is_found(good):
    """The entry is no longer what its hash says, and its bytes never were on the bus."""
    entry = good.entries[ONE][1]
    entry["event"] = entry["event"].replace(b"Accepted-3", b"Accepted-4")
    found = [one for one in good.publish().audit().differences if one.case == ONE]
    causes = " ".join(one.cause for one in found)
    assert "entry 2 is not what its hash says" in causes
    assert "entry 2 holds bytes that never were on the bus" in causes


def test_a_forged_entry_with_a_good_hash_is_found_by_the_bus(good):
    """Somebody who writes the whole chain anew still cannot have put the bytes on the bus."""
    forged = world.event("Decided", 8, ONE, result="REFUSED")
    good.events[ONE][2] = forged
    good.entries[ONE] = world.chain(good.events[ONE])
    causes = [one.cause for one in good.publish().audit().differences if one.case == ONE]
    assert any("never were on the bus" in cause for cause in causes)
    assert any("the chain was written anew" in cause for cause in causes)
    assert any("the router lost it" in cause for cause in causes)


def test_a_deleted_entry_is_found(good):
    """The sequence has a hole; the event in it is missing, too."""
    del good.entries[TWO][1]
    found = good.publish().audit().differences
    assert {one.case for one in found} == {TWO}
    assert any("entry 2 is missing: deleted from the journal" in one.cause for one in found)


def test_a_doubled_entry_is_found(good):
    """Two routers on one case would write the same number twice."""
    chain = good.entries[ONE]
    good.publish()
    doubled = Message(topics.JOURNAL.name, 0, ONE.encode(), world.encoded(chain[2]), 0)
    good.cluster.publish([doubled])
    found = the_only(good.audit())
    assert (found.case, "entry 3 stands twice" in found.cause) == (ONE, True)


def test_a_chain_cut_off_at_its_end_is_found_by_the_head_in_the_state(good):
    """What is left is a whole chain; only the state knows that it was longer."""
    del good.entries[TWO][2]
    found = good.publish().audit().differences
    assert any(one.side is Side.STATE and "its end was cut off" in one.cause and one.case == TWO for one in found)


def test_a_case_without_its_journal_is_found(good):
    """All entries are gone; the state is not."""
    good.entries[ONE] = []
    found = good.publish().audit().differences
    assert any("the journal ends with entry 0, the state knows 3" in one.cause for one in found)


def test_rows_deleted_from_the_view_are_found(good):
    """An event, and a whole case."""
    good.publish()
    events = tables.events
    good.change(delete(events).where(events.c.case_key == ONE, events.c.sequence == 2))
    found = the_only(good.audit())
    assert (found.case, found.side, found.cause.startswith("row events 2 is missing")) == (ONE, Side.VIEW, True)
    good.change(delete(tables.cases).where(tables.cases.c.case_key == TWO))
    assert {one.case for one in good.audit().differences} == {ONE, TWO}


def test_an_extra_row_in_the_view_is_found(good):
    """Somebody made up an event."""
    good.publish()
    (row,) = good.view.all(select(tables.events).where(tables.events.c.case_key == ONE, tables.events.c.sequence == 1))
    good.change(insert(tables.events).values({**row._mapping, "sequence": 9}))
    found = the_only(good.audit())
    assert (found.case, "row events 9 is in the view only" in found.cause) == (ONE, True)


@pytest.mark.parametrize(
    ("table", "changes"),
    [
        (tables.events, {"occurred_at": 5}),
        (tables.events, {"raw": b"another"}),
        (tables.entries, {"hash": b"another"}),
        (tables.cases, {"ended_at": 5}),
        (tables.cases, {"state": b"another"}),
    ],
)
def test_a_changed_row_in_the_view_is_found_with_its_column(good, table, changes):
    """A finish date moved by hand, a byte flipped: table, row and column are named."""
    good.publish()
    where = [table.c.case_key == TWO] + ([table.c.sequence == 3] if table is not tables.cases else [])
    good.change(update(table).where(*where).values(changes))
    found = the_only(good.audit())
    assert (found.case, found.side) == (TWO, Side.VIEW)
    assert table.name in found.cause
    assert next(iter(changes)) in found.cause


def test_a_changed_dead_letter_in_the_view_is_found(good):
    """Refusals are shown as they were told."""
    good.letters.append({"reason": "missing_time", "position": "row 7"})
    good.publish()
    good.change(update(tables.dead_letters).values(text="All is well."))
    assert "row dead_letters 0" in the_only(good.audit()).cause


def test_a_view_that_lags_behind_is_no_difference(good):
    """What it has not read cannot be missing in it; the report says how many cases wait."""
    good.publish()
    more = [world.event("Collected", 30, ONE)]
    events = [*good.events[ONE], *more]
    chain = world.chain(events)
    good.cluster.publish(
        [
            Message(topics.EVENTS.name, 0, ONE.encode(), more[0].raw, 0),
            Message(topics.JOURNAL.name, 0, ONE.encode(), world.encoded(chain[-1]), 0),
            Message(topics.STATE.name, 0, ONE.encode(), world.state_bytes(world.state(ONE, events, chain)), 0),
        ]
    )
    good.rows += more
    report = good.audit()
    assert (report.differences, report.behind) == ([], 1)


@pytest.mark.parametrize(
    "statement",
    [
        update(tables.cases).where(tables.cases.c.case_key == TWO).values(ended_at=5),
        delete(tables.entries).where(tables.entries.c.case_key == TWO, tables.entries.c.sequence == 3),
        update(tables.events).where(tables.events.c.case_key == TWO, tables.events.c.sequence == 3).values(type="Rated"),
    ],
)
def test_a_position_put_back_hides_nothing(good, statement):
    """Whoever writes the view's database can also say that the view lags behind; its own rows tell otherwise."""
    good.publish()
    good.change(statement)
    with good.view.engine.begin() as connection:
        connection.execute(update(tables.offsets).values(next_offset=0))
    assert TWO in {one.case for one in good.audit().differences}


def test_a_lagging_view_whose_state_was_compacted_away_is_no_difference(good):
    """The topic keeps a case's last state only: the one that the view still shows can no longer be compared."""
    late = good.states[0]
    good.states[0] = world.state("gone", world.events("gone"), [])
    good.publish()
    good.change(update(tables.cases).where(tables.cases.c.case_key == "gone").values(case_key=ONE))
    good.cluster.publish([Message(topics.STATE.name, 0, ONE.encode(), world.state_bytes(late), 0)])
    report = good.audit()
    assert ({one.case for one in report.differences}, report.behind) == ({"gone"}, 1)


def test_a_changed_event_on_the_bus_is_found_by_its_body_hash(good):
    """What it says is no longer what it was sent as."""
    event = good.bus[0]
    raw = world.CODEC.encode(event.type, {**event.header, "region": "990199"}, event.body)
    good.bus[0] = type(event)(event.type, event.header, event.body, raw)
    found = good.publish().audit().differences
    assert any("not what its body hash says" in one.cause and one.case == ONE for one in found)


def test_an_unreadable_record_on_the_bus_needs_a_dead_letter(good):
    """The router must have told of it, with its bytes."""
    good.publish()
    good.cluster.publish([Message(topics.EVENTS.name, 0, b"x", b"rubbish", 0)])
    assert "cannot be read" in the_only(good.audit()).cause
    good.cluster.publish([Message(topics.DEADLETTERS.name, 0, b"x", world.letter_bytes({"raw": b"rubbish"}), 0)])
    assert good.audit().differences == []


class Away(Codec):
    """Its schema registry does not answer."""

    def decode(self, data):
        raise RetryError(f"The schema registry of {data[:5]} does not answer.")


def test_a_registry_that_is_away_is_no_difference(good):
    """Nothing is known then, and so nothing is found wrong."""
    good.publish()
    with pytest.raises(RetryError, match="does not answer"):
        good.audit(reader=Away())


def test_without_sources_the_bus_is_the_first_side(good):
    """Where the sources cannot be asked, the rest is still proven."""
    good.rows.clear()
    report = good.publish().audit(systems=False)
    assert (report.differences, report.counts["source"]) == ([], 0)
