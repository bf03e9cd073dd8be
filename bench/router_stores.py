"""Stores of a router that knows many open cases already: what the router writes for one case, for each of them.

The first five events of a case go through the real router; what it would put into its store is cut at the case's number,
ids and hashes, which are each case's own. So the size is right, bytes do not repeat more than real ones do, and a million
cases take a minute. The chain of such a case cannot be verified; the router, which only continues it, does not try.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import structlog

from bench.router_events import BEGUN, CODEC, PARTITIONS, key_of, message
from bus.memory import Cluster
from bus.partition import partition_of
from bus.ports import Record
from bus.store import Put, open_store
from bus.topics import standard
from bus.transaction import Loop
from router.keep import CHANGELOGS
from router.outbox import row_of
from router.service import TOPICS, Router, Settings

BATCH = 10_000  # puts
_MODEL = key_of(0)
_HEX = re.compile(rb"[0-9a-f]{32}")


class Cut:
    """Bytes, cut where something stands that is each case's own: `slots` are the numbers of those."""

    def __init__(self, data: bytes, tokens: dict[bytes, int]) -> None:
        pieces = re.split(b"(" + b"|".join(map(re.escape, tokens)) + b")", data)
        self._pieces = pieces
        self._slots = [(place, tokens[piece]) for place, piece in enumerate(pieces) if piece in tokens]

    def of(self, values: list[bytes]) -> bytes:
        pieces = self._pieces
        for place, slot in self._slots:
            pieces[place] = values[slot]
        return b"".join(pieces)


class Model:
    """What a store holds of one case."""

    def __init__(self) -> None:
        puts = list(_puts())
        tokens = _tokens(puts)
        slots = {token: slot for slot, token in enumerate([_MODEL.encode(), *tokens])}
        self._makers = [_chance(token) for token in tokens]
        self._cuts = [(table, Cut(key, slots), Cut(value, slots)) for table, key, value in puts if value is not None]

    def puts(self, key: bytes, random: Random) -> list[Put]:
        values = [key, *(make(random) for make in self._makers)]
        return [(table, name.of(values), value.of(values)) for table, name, value in self._cuts]


def _tokens(puts: Sequence[Put]) -> list[bytes]:
    """Every id and hash in these, each once."""
    entries = [CODEC.decode_record(value or b"")[1] for table, _, value in puts if table == "journal"]
    events = [CODEC.decode(entry["event"]) for entry in entries]
    texts = {text for event in events for text in _HEX.findall(event.raw)}
    return [*sorted(texts), *(entry["hash"] for entry in entries), *(row_of(event.origin) for event in events)]


def _chance(token: bytes) -> Callable[[Random], bytes]:
    """Makes others like this one."""
    if _HEX.fullmatch(token):
        return lambda random: random.randbytes(16).hex().encode()
    return lambda random: random.randbytes(len(token))


def fill(folder: Path, cases: int) -> None:
    """The stores of all partitions in this folder, by as many processes as there are cores."""
    count = os.cpu_count() or 1
    with get_context("spawn").Pool(count) as pool:
        pool.starmap(_fill, [(folder, cases, range(first, PARTITIONS, count)) for first in range(count)])


def _fill(folder: Path, cases: int, numbers: Sequence[int]) -> None:
    """Those of these partitions. What RocksDB puts off at such a pace it does now, not while the router is measured."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    model, random = Model(), Random(numbers[0])
    stores = {number: open_store(folder / str(number), "rocksdb") for number in numbers}
    waiting: dict[int, list[Put]] = {number: [] for number in numbers}
    for case in range(cases):
        key = key_of(case).encode()
        number = partition_of(key, PARTITIONS)
        if number not in stores:
            continue
        waiting[number] += model.puts(key, random)
        if len(waiting[number]) > BATCH:
            stores[number].write(waiting[number], {})
            waiting[number].clear()
    for number, store in stores.items():
        store.write(waiting[number], {})
        store._db.compact_range(None, None)  # type: ignore[attr-defined]  # noqa: SLF001  no service needs it
        store.close()


def size(folder: Path) -> int:
    """Bytes of all files below."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _puts() -> Iterator[Put]:
    """What the router puts into its store for the model case."""
    cluster = Cluster()
    cluster.create(standard(PARTITIONS))
    cluster.publish([message(_MODEL, step, name, body) for step, (name, body) in enumerate(BEGUN)])
    with TemporaryDirectory() as folder:
        router = Router(cluster, CODEC, lambda number: open_store(Path(folder) / str(number)), Settings(PARTITIONS))
        loop = Loop(cluster, "model", TOPICS, router, "model")
        while not loop.step():
            pass
        loop.close()
        router.close()
    yield from (put for record in _records(cluster) for put in CHANGELOGS[record.topic](record))


def _records(cluster: Cluster) -> Iterator[Record]:
    places = dict.fromkeys(cluster.ends(list(CHANGELOGS)), 0)
    for batch in cluster.read(places):
        yield from batch
