"""What the router remembers: a store for each of its partitions, restored from the topics, and the states in use.

Tables of a store: `state` (key -> state of the case), `journal` (key, 0, sequence in 8 bytes -> entry), `provisional` (keys
that wait for their application), `marks` (run -> how far the end of input has come), `origins` (source row in 8 bytes, key:
where it was reported), `rows` (source row -> the event that says to which new case it came).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from bus.errors import RetryError
from bus.ports import Client, Message, Record, Store, Written
from bus.store import Changelog, Put, follow, restore
from bus.topics import JOURNAL, STATE
from router.outbox import MARKS, PROVISIONAL, ROW, ROWS, SEQUENCE
from schemas.case import Case, CaseState, decode_state
from schemas.codec import Codec
from schemas.envelope import Event

log = structlog.get_logger(__name__)

#: Raised when the tables of a store change: each version has a folder of its own, made from the topics, so that routers of
#: two versions can share a disk.
LAYOUT = "layout-1"
#: On the state of a case that waits for its application.
_WAITS = (PROVISIONAL, b"1")
#: States of cases kept decoded: about 10 KB each.
CACHED = 1024
#: How long a router that has just lost a partition may keep its store open: a poll without records, and a bit.
HELD_SECONDS = 7.0


class Keep:
    """`stores` opens the store of a partition number; there are `partitions` of them in all."""

    def __init__(self, client: Client, codec: Codec, stores: Callable[[int], Store], partitions: int) -> None:
        self.partitions = partitions
        self._rows: dict[bytes, Event] = {}
        self._client = client
        self._codec = codec
        self._open = stores
        self._stores: dict[int, Store] = {}
        self._cache: OrderedDict[bytes, CaseState] = OrderedDict()

    def assigned(self, numbers: frozenset[int]) -> None:
        """Hold exactly these partitions, each read on to the end of its changelogs."""
        self._cache.clear()
        for number in self._stores.keys() - numbers:
            self._stores.pop(number).close()
        for number in sorted(numbers - self._stores.keys()):
            self._stores[number] = self._patiently(number)
        read = 0
        for number, store in self._stores.items():
            read += restore(self._client, store, number, CHANGELOGS)
            for row, value in store.scan("rows", b""):
                self.heard(row, self._codec.decode(value))
        log.info("stores caught up", partitions=len(self._stores), records=read)

    def _patiently(self, number: int) -> Store:
        """The store of a partition, which on a common disk its last owner may still be about to close.

        To leave the group at once instead would begin another rebalance, and the owner would open it again.
        """
        deadline = time.monotonic() + HELD_SECONDS
        while True:
            try:
                return self._open(number)
            except RetryError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def committed(self, written: Sequence[Written], states: Iterable[CaseState], rows: Mapping[bytes, Event]) -> None:
        """The stores follow the commit; the states become those in use."""
        follow(self._stores, written, CHANGELOGS)
        for row, event in rows.items():
            self.heard(row, event)
        for state in states:
            self._cache[state.case.key.encode()] = state
        while len(self._cache) > CACHED:
            self._cache.popitem(last=False)

    def state(self, number: int, key: bytes) -> CaseState:
        """The committed state of a key; an empty one for a new key. It must not be changed."""
        known = self._cache.get(key)
        if known is not None:
            self._cache.move_to_end(key)
            return known
        stored = self._stores[number].get("state", key)
        return decode_state(stored) if stored is not None else CaseState(Case(key.decode()))

    def history(self, number: int, key: bytes) -> dict[int, Event]:
        """The recorded events of a key, by journal sequence, from their published bytes."""
        found = {}
        for name, value in self._stores[number].scan("journal", key + b"\x00"):
            entry = self._codec.decode_record(value)[1]
            if entry["event"] is not None:
                found[int.from_bytes(name[-8:], "big")] = self._codec.decode(entry["event"])
        return found

    def heard(self, row: bytes, event: Event) -> None:
        """Of what is said about a row that came to a new case, the newest version counts."""
        known = self._rows.get(row)
        if known is None or known.header["version"] < event.header["version"]:
            self._rows[row] = event

    @property
    def moved(self) -> bool:
        """Whether any row is known to have come to a new case: seldom."""
        return bool(self._rows)

    def row(self, row: bytes) -> Event | None:
        return self._rows.get(row)

    def holders(self, number: int, row: bytes) -> set[bytes]:
        """The keys under which a row was reported."""
        return {name[len(row) :] for name, _ in self._stores[number].scan("origins", row)}

    def provisional(self, number: int) -> list[bytes]:
        return [key for key, _ in self._stores[number].scan("provisional", b"")]

    def marks(self, number: int, run: str) -> bytes | None:
        return self._stores[number].get("marks", run.encode())

    def close(self) -> None:
        for store in self._stores.values():
            store.close()
        self._stores.clear()


def _state_puts(record: Record | Message) -> tuple[Put, Put]:
    key = record.key or b""
    return ("state", key, record.value), ("provisional", key, b"" if _WAITS in record.headers else None)


def _journal_puts(record: Record | Message) -> Sequence[Put]:
    headers = dict(record.headers)
    key = record.key or b""
    if SEQUENCE in headers:
        entry = ("journal", key + b"\x00" + headers[SEQUENCE], record.value)
        return (entry, ("origins", headers[ROW] + key, b"")) if ROW in headers else (entry,)
    if ROWS in headers:
        return (("rows", headers[ROWS][:8], headers[ROWS][8:]),)
    run, _, marks = headers[MARKS].partition(b"\x00")
    return (("marks", run, marks or None),)


CHANGELOGS: dict[str, Changelog] = {STATE.name: _state_puts, JOURNAL.name: _journal_puts}
