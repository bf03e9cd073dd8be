"""The shell around the view: read the topics from where the view stands, apply, batch after batch.

No consumer group: the offsets that count are in the view's own database, in the transaction of its tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from bus.ports import Client, Partition, Record
from bus.pulse import Beat, Pulse, unread
from bus.topics import JOURNAL
from monitor.chunks import chunks
from monitor.rows import TOPICS, Reader, Rows
from monitor.view import Also, View, advanced

#: Records in one database transaction while history is loaded.
LOAD = 5_000
#: Seconds after which a live monitor looks at the clock although nothing came.
IDLE = 0.5

Watcher = Callable[[Rows], None]


class Progress(NamedTuple):
    """How far the view has read, in offsets (control records of transactions count among them)."""

    read: int
    end: int


def _nobody(_: Rows) -> None:
    """Nobody watches."""


class Service:
    """Feeds one view. `watcher` is called after each batch that stands, and when nothing came for a while; `also` writes
    in the transaction of a batch (`monitor.alerts`). Neither while `load` runs: history is mute.
    """

    def __init__(self, view: View, client: Client, reader: Reader, watcher: Watcher = _nobody, also: Also | None = None) -> None:
        self._view, self._client, self._reader = view, client, reader
        self._watcher, self._also = watcher, also
        self._positions: dict[Partition, int] = {}
        self._beat = Beat("It has not begun.")

    def load(self, tell: Callable[[Progress], None] = lambda _: None) -> int:
        """Read what there is now, in large transactions; returns how many records. Mute. `tell` hears how far it is."""
        count, end = 0, self.progress().end
        self._view.aim(end)
        single = (record for batch in self._batches(until_end=True) for record in batch)
        for records in chunks(single, LOAD):
            self._apply(records)
            count += len(records)
            tell(Progress(min(sum(self._positions.values()), end), end))
        self._view.aim(0)
        return count

    def follow(self, stop: Callable[[], bool]) -> None:
        """Load what there is, then go on live until `stop` says so; it is asked after each batch and when idle."""
        with self._beat.busy("The view catches up with the journal."):
            self.load()
        self._beat.missing = ""
        for records in self._batches(until_end=False):
            self._beat.turn()
            self._watcher(self._apply(records, self._also))
            self._beat.count(records=len(records))
            if stop():
                return

    def until_ended(self, run: str) -> None:
        """Follow until the end of this run has been seen everywhere, then read the rest of state and dead letters."""
        if not self.ended(run):
            self.follow(lambda: self.ended(run))
        self.load()

    def ended(self, run: str) -> bool:
        """True when the router has said in every journal partition that nothing more comes in this run."""
        partitions = {place.number for place in self._client.ends([JOURNAL.name])}
        return self._view.ended(run) >= partitions

    def pulse(self) -> Pulse:
        """Ready when the view has caught up with what was there when it began. From any thread."""
        return self._beat.pulse()

    def behind(self) -> float:
        """Records that the view has not got yet. From any thread."""
        return unread(self._view.positions(), self._client.ends(TOPICS))

    def progress(self) -> Progress:
        ends = self._client.ends(TOPICS)
        positions = self._view.positions(list(ends))
        return Progress(sum(positions[place] for place in ends), sum(ends.values()))

    def ahead(self) -> str:
        """Where the view has read on beyond the end of a partition, as words; empty where it has not.

        Then it was made from another Kafka, or Kafka was put back to what it was earlier. (A broker that has just come up
        may say too little for a moment.)
        """
        ends = self._client.ends(TOPICS)
        positions = self._view.positions()
        places = [place for place, offset in sorted(positions.items()) if place in ends and offset > ends[place]]
        return ", ".join(
            f"{place.topic} partition {place.number} (read to {positions[place]}, it ends at {ends[place]})"
            for place in places[:3]
        )

    def _batches(self, *, until_end: bool) -> Iterator[list[Record]]:
        self._positions = self._view.positions(list(self._client.ends(TOPICS)))
        return self._client.read(self._positions, until_end=until_end, timeout=IDLE)

    def _apply(self, records: list[Record], also: Also | None = None) -> Rows:
        if not records:
            return Rows({}, [])
        rows = self._view.apply_batch(records, self._positions, self._reader, also)
        self._positions = {**self._positions, **advanced(records)}
        return rows
