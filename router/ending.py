"""The end of input at a router's partitions: hear the markers, say the rounds (`router.marks`), expire what waits in vain."""

from __future__ import annotations

from bus.partition import partition_of
from bus.ports import Record
from bus.topics import EVENTS, FORWARD, JOURNAL
from router import marks
from router.batch import Batch, cause_of
from router.keep import Keep
from router.marks import Marks
from router.outbox import MARKS, MOVED, ROUND
from router.work import expire
from schemas.codec import Codec

#: Hops of a marker: from the runner, between routers, and the last word in a partition of the journal.
BETWEEN, LAST = 1, 2


class Ending:
    """What this router has heard and said.

    `moved`: partitions that have sent events on to other keys since they last spoke. After a start or an abort nobody
    knows, so all may have; that costs a round, never an event.
    """

    def __init__(self, codec: Codec, keep: Keep, partitions: int) -> None:
        self.moved: set[int] = set()
        self._codec = codec
        self._keep = keep
        self._partitions = partitions
        self.forget()

    def forget(self) -> None:
        self.moved = set(range(self._partitions))

    def take(self, batch: Batch, record: Record) -> None:
        """A marker: the runner's (we begin round 1), or another router's word."""
        value = self._codec.decode_record(record.value or b"")[1]
        number, run = record.partition, value["run"]
        heard = batch.marks.get((number, run)) or self._kept(number, run)
        if record.topic != EVENTS.name:
            headers = dict(record.headers)
            heard = heard.hear(int(headers[ROUND]), value["sender"], moved=headers[MOVED] == b"1")
        elif heard.said == 0:
            heard = self._say(batch, heard, record)
        batch.marks[number, run] = self._answer(batch, heard, record)

    def _answer(self, batch: Batch, heard: Marks, record: Record) -> Marks:
        """When everybody was heard, begin the next round or end it. What we have heard is remembered in the journal."""
        complete = heard.complete(self._partitions)
        last = complete and heard.quiet()
        if last:
            self._expire(batch, record)
        elif complete:
            heard = self._say(batch, heard, record)
        kept = heard.run.encode() + b"\x00" + (b"" if last else marks.encode(heard))
        marker = {"run": heard.run, "hop": LAST if last else BETWEEN, "sender": record.partition}
        batch.out.marker(JOURNAL.name, record.partition, marker, cause_of(record), ((MARKS, kept),))
        return heard

    def _say(self, batch: Batch, heard: Marks, record: Record) -> Marks:
        """Tell every partition our next round. Round 1 is never quiet: what came before it may still be under way."""
        spoken = heard.say()
        moved = spoken.said == 1 or record.partition in self.moved
        marker = {"run": heard.run, "hop": BETWEEN, "sender": record.partition}
        headers = ((ROUND, str(spoken.said).encode()), (MOVED, b"1" if moved else b"0"))
        for number in range(self._partitions):
            batch.out.marker(FORWARD.name, number, marker, cause_of(record), headers)
        self.moved.discard(record.partition)
        batch.out.moved.discard(record.partition)
        return spoken

    def _kept(self, number: int, run: str) -> Marks:
        stored = self._keep.marks(number, run)
        return marks.decode(stored) if stored else Marks(run)

    def _expire(self, batch: Batch, record: Record) -> None:
        """No application can come any more in this run."""
        here = {key for key in batch.desks if partition_of(key, self._partitions) == record.partition}
        for key in sorted({*self._keep.provisional(record.partition), *here}):
            expire(batch.desk(record.partition, key), cause_of(record))
