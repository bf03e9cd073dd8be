"""A process that copies records from one topic to another through the loop; `test_traps` pauses and kills it.

Arguments: bootstrap, client, source, target, group, name. With `TRAP_FLAG` set it stops itself (SIGSTOP) in the middle
of its first batch, after it has made that file.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from bus import connect
from bus.ports import Message, Record, Written
from bus.settings import KafkaSettings
from bus.transaction import Loop

SETTINGS = {"session_timeout_ms": 1500, "transaction_timeout_ms": 3000}


class Copy:
    """Writes each record once more to `target`."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.done = 0

    def assigned(self, partitions: frozenset[int]) -> None:
        pass

    def process(self, records: Sequence[Record]) -> list[Message]:
        pause()
        return [Message(self.target, r.partition, r.key, r.value, r.timestamp) for r in records]

    def committed(self, written: Sequence[Written]) -> None:
        self.done += len(written)

    def aborted(self) -> None:
        pass


def pause() -> None:
    flag = Path(os.environ.pop("TRAP_FLAG", "") or os.devnull)
    if flag != Path(os.devnull):
        flag.touch()
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(1)  # the client's own thread learns in this time that the group has gone on


def main() -> None:
    bootstrap, client, source, target, group, name = sys.argv[1:]
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = KafkaSettings(brokers=bootstrap, client=client, **SETTINGS)
    Loop(connect(settings), group, [source], Copy(target), name, max_batch=50).run(stop)


if __name__ == "__main__":
    main()
