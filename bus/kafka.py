"""The client one gets: kafka-python behind the ports. Pure Python, so it runs on whatever a server room holds."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient, OffsetSpec
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaConnectionError, TopicAlreadyExistsError, UnknownTopicOrPartitionError
from kafka.net.compat import KafkaNetClient
from kafka.protocol.consumer import IsolationLevel
from kafka.structs import TopicPartition

from bus.errors import RetryError
from bus.kafka_checks import check_count, counts_of, until
from bus.kafka_consumer import KafkaMember, KafkaReader
from bus.kafka_errors import in_our_words
from bus.kafka_producer import KafkaTransactions, check_version
from bus.ports import Partition, Record
from bus.refused import Asker
from bus.settings import KafkaSettings
from bus.topics import Topic


class Timing(NamedTuple):
    """Seconds; what a deployment may want to change is in `KafkaSettings`."""

    #: Between two polls of a member; it holds a rebalance of all up for so long, and restoring a store takes minutes.
    poll_interval: float = 600.0
    request: float = 5.0
    connect: float = 10.0


#: What every consumer reads by. A fetch brings a quarter of the client's default per partition: with two dozen partitions
#: the rest lay in memory unread (16 MB of a router's 200).
READING = {"isolation_level": "read_committed", "enable_auto_commit": False, "max_partition_fetch_bytes": 256 << 10}


class _Net(KafkaNetClient):  # type: ignore[misc]  # untyped library
    """Trap 6: where the original raises, the sender drops the request of a dead coordinator and waits for it for ever."""

    def await_ready(self, node_id: Any, timeout_ms: float = 30000) -> bool:
        try:
            return bool(super().await_ready(node_id, timeout_ms=timeout_ms))
        except KafkaConnectionError:
            return False


class KafkaClient:
    """`bus.ports.Client` on kafka-python."""

    def __init__(self, settings: KafkaSettings, timing: Timing = Timing()) -> None:  # noqa: B008  an immutable value
        check_version()
        self._settings = settings
        self._timing = timing
        #: Seconds one answer is waited for: longer than the coordinator waits for a transaction (rule 8).
        self._patience = settings.transaction_timeout_ms / 1000 + 2 * timing.request
        self._admin_client: Any = None
        self._lock = threading.Lock()

    def producer(self, transactional_id: str) -> KafkaTransactions:
        with self._connecting():
            native = KafkaProducer(
                **self._common(),
                transactional_id=transactional_id,
                transaction_timeout_ms=self._settings.transaction_timeout_ms,
                # Rule 8; and before our own patience ends, so that the record's own result says what happened.
                delivery_timeout_ms=self._settings.transaction_timeout_ms + int(self._timing.request * 1000),
                max_block_ms=int(self._timing.request * 1000),
                # The next transaction meets the markers of the last one being written: ask again soon, not after 0.1 s.
                retry_backoff_ms=10,
                max_request_size=16 << 20,
            )
        producer = KafkaTransactions(native, self._patience, self._asker("WRITE", transactional_id=transactional_id))
        try:
            producer.start()
        except BaseException:
            producer.close()
            raise
        return producer

    def consumer(self, group: str, topics: Sequence[str]) -> KafkaMember:
        self._partitions(topics)
        native = self._consumer(
            group_id=group,
            auto_offset_reset="earliest",
            session_timeout_ms=self._settings.session_timeout_ms,
            heartbeat_interval_ms=self._settings.session_timeout_ms // 4,
            max_poll_interval_ms=int(self._timing.poll_interval * 1000),
            partition_assignment_strategy=(RangePartitionAssignor,),
        )
        return KafkaMember(native, group, topics, self._patience, self._asker("READ", topics=topics, group=group))

    def read(self, positions: Mapping[Partition, int], *, until_end: bool = True, timeout: float = 1.0) -> Iterator[list[Record]]:
        if not positions:
            return
        ends = self._ends(list(positions), IsolationLevel.READ_UNCOMMITTED) if until_end else {}
        reader = KafkaReader(self._consumer, positions, self._asker("READ", topics={place.topic for place in positions}))
        try:
            yield from reader.until(ends, self._patience) if until_end else reader.forever(timeout)
        finally:
            reader.close()

    def ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        places = [Partition(topic, number) for topic, count in self._partitions(topics).items() for number in range(count)]
        return self._ends(places, IsolationLevel.READ_COMMITTED)

    def begins(self, topics: Sequence[str]) -> dict[Partition, int]:
        places = [Partition(topic, number) for topic, count in self._partitions(topics).items() for number in range(count)]
        with self._asking("asking where partitions begin", self._asker("READ", topics=topics)) as admin:
            found = admin.list_partition_offsets({TopicPartition(*place): OffsetSpec.EARLIEST for place in places})
        return {Partition(*place): answer.offset for place, answer in found.items()}

    def create(self, topics: Sequence[Topic]) -> None:
        with self._asking("creating topics", self._asker("CREATE", topics=[topic.name for topic in topics])) as admin:
            found = _counts(admin)
            missing = {topic.name: _creation(topic) for topic in topics if topic.name not in found}
            if missing:
                found |= _create(admin, missing)
        for topic in topics:
            check_count(topic, found[topic.name])

    def committed(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        places = [TopicPartition(topic, number) for topic, count in self._partitions(topics).items() for number in range(count)]
        with self._asking("asking for committed offsets", self._asker("READ", topics=topics, group=group)) as admin:
            offsets = admin.list_group_offsets({group: places})[group]
        return {Partition(*place): offset.offset for place, offset in offsets.items() if offset.offset >= 0}

    def close(self) -> None:
        with self._lock:
            admin, self._admin_client = self._admin_client, None
        if admin is not None:
            admin.close()

    def _common(self) -> dict[str, Any]:
        return {
            **self._settings.kafka_python(),
            "bootstrap_timeout_ms": int(self._timing.connect * 1000),
            "request_timeout_ms": int(self._timing.request * 1000),
            "reconnect_backoff_max_ms": 1000,
            "metrics_enabled": False,
            "allow_auto_create_topics": False,
            "kafka_client": _Net,
        }

    def _consumer(self, **settings: Any) -> Any:
        with self._connecting():
            return KafkaConsumer(**self._common(), **READING, **settings)

    def _asker(self, right: str, **more: Any) -> Asker:
        return Asker(self._settings.security, right, **more)

    def _connecting(self) -> contextlib.AbstractContextManager[None]:
        return in_our_words(f"connecting to {self._settings.bootstrap} (a wrong address or password shows like this too)")

    @contextlib.contextmanager
    def _asking(self, doing: str, asker: Asker | None = None) -> Iterator[Any]:
        """The admin client, for one caller at a time: while it connects, the library refuses all others (NodeNotReadyError)."""
        with self._lock, in_our_words(doing, asker):
            if self._admin_client is None:
                wanted = {name: value for name, value in self._common().items() if name in KafkaAdminClient.DEFAULT_CONFIG}
                with self._connecting():
                    self._admin_client = KafkaAdminClient(**wanted)
            yield self._admin_client

    def _partitions(self, topics: Sequence[str]) -> dict[str, int]:
        with self._asking("looking for topics") as admin:
            return counts_of(topics, lambda: _counts(admin), self._settings.security)

    def _ends(self, places: Sequence[Partition], isolation: Any) -> dict[Partition, int]:
        wanted = {TopicPartition(*place): OffsetSpec.LATEST for place in places}
        topics = sorted({place.topic for place in places})
        try:
            with self._asking("asking where partitions end", self._asker("READ", topics=topics)) as admin:
                found = admin.list_partition_offsets(wanted, isolation_level=isolation)
        except RetryError as error:
            if isinstance(error.__cause__, UnknownTopicOrPartitionError) and not self._settings.security.anonymous:
                self._partitions(topics)  # hidden from this principal: asking again would never help
            raise
        return {Partition(*place): answer.offset for place, answer in found.items()}


def _creation(topic: Topic) -> dict[str, Any]:
    return {"num_partitions": topic.partitions or 1, "configs": topic.config()}


def _counts(admin: Any) -> dict[str, int]:
    """Partition counts of every topic there is."""
    return {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}


def _create(admin: Any, missing: Mapping[str, Any]) -> dict[str, int]:
    with contextlib.suppress(TopicAlreadyExistsError):  # another process starts too; its counts are checked like ours
        admin.create_topics(missing)
    return until(lambda: _led(admin, missing), "waiting for the leaders of new topics")


def _led(admin: Any, names: Collection[str]) -> dict[str, int] | None:
    """Partition counts when every partition of these topics has a leader; each broker learns that in its own time."""
    found = {topic["name"]: topic["partitions"] for topic in admin.describe_topics()}
    ready = all(name in found and all(part["leader_id"] >= 0 for part in found[name]) for name in names)
    return {name: len(found[name]) for name in names} if ready else None
