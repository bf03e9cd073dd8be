"""Quix Streams (https://quix.io/docs/quix-streams, Apache-2.0) at the plain loop's work, as one process of `bench.router`.

    uv run --isolated --no-dev --group quix python -P -m bench.router_quix --bootstrap HOST:PORT --folder STATE

In an environment of its own: it wants an older confluent-kafka than ours. What it does, comparable to the plain loop:
records are grouped by case (their key), each is decoded by our own codec, the case's state (events, phase, last moment) is
read from and written to the library's state (RocksDB with a changelog topic), and one Avro record goes to an output topic.
`processing_guarantee="exactly-once"`, a commit each 500 records as for the others, or after the 100 ms that Kafka Streams
takes by itself (of 5 s), when fewer come. The times after which a dead process is given up are those of the others too. It
does none of the router's own work: no journal and chain, no ledger, no fold of the law, no decisions, no dead letters.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from schemas.codec import default

CODEC = default()
EVENTS, OUT = "approval.events", "bench.quix.journal"


class Work:
    """One record after another; what the process has used since the first."""

    def __init__(self) -> None:
        self.records = 0
        self._cpu = self._last = 0.0

    def one(self, value: bytes, state: Any) -> bytes:
        if not self.records:
            self._cpu = time.process_time()
        self.records += 1
        event = CODEC.decode(value)
        known = state.get("case", {"events": 0, "phase": "", "last": 0})
        state.set("case", {"events": known["events"] + 1, "phase": event.type, "last": event.occurred_at})
        return CODEC.encode(event.type, event.header, event.body)

    def done(self, *_: object) -> None:
        """After each record."""
        self._last = time.process_time()

    def figures(self) -> dict[str, float]:
        return {"records": self.records, "cpu_us": (self._last - self._cpu) / max(1, self.records) * 1e6}


def application(bootstrap: str, folder: Path, work: Work) -> Any:
    from quixstreams import Application  # type: ignore[import-not-found]  # only in the environment of its own

    app = Application(
        broker_address=bootstrap,
        consumer_group="quix",
        auto_offset_reset="earliest",
        commit_every=500,
        commit_interval=0.1,
        processing_guarantee="exactly-once",
        state_dir=folder,
        on_message_processed=work.done,
        consumer_extra_config={"session.timeout.ms": 6000, "heartbeat.interval.ms": 1500},
        producer_extra_config={"transactional.id": "quix-1", "transaction.timeout.ms": 8000},
        loglevel="WARNING",
    )
    stream = app.dataframe(app.topic(EVENTS, key_deserializer="bytes", value_deserializer="bytes"))
    stream.apply(work.one, stateful=True).to_topic(app.topic(OUT, key_serializer="bytes", value_serializer="bytes"))
    return app


def peak_mb() -> float:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    work = Work()
    application(arguments.bootstrap, arguments.folder, work).run()  # until SIGTERM
    print(json.dumps({"mb": peak_mb(), "aborts": 0, **work.figures()}), flush=True)


if __name__ == "__main__":
    main()
