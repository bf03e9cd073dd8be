"""The client for speed: confluent-kafka (librdkafka) behind the ports, `client: confluent` in the settings."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bus.confluent_consumer import ConfluentMember, ConfluentReader
from bus.confluent_producer import ConfluentTransactions
from bus.errors import ConfigurationError, RetryError
from bus.kafka_checks import ANSWER, check_count, counts_of, until
from bus.ports import Partition, Record
from bus.refused import Asker
from bus.settings import KafkaSettings
from bus.topics import Topic

try:
    from confluent_kafka import OFFSET_BEGINNING, Consumer, IsolationLevel, KafkaError, KafkaException, Producer
    from confluent_kafka import TopicPartition as Place
    from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec  # type: ignore[attr-defined]  # its own documented names

    from bus.confluent_errors import in_our_words
except ImportError as error:
    raise ConfigurationError(
        "`client: confluent` needs confluent-kafka, which is not installed. "
        "Install casebus[confluent], or write `client: kafka-python` in casebus.yaml."
    ) from error

#: A leader moves, or the broker has just come back: ask again. The epochs (KIP-320) are seen after a restart, when the client
#: remembers a leader whose election this broker has not heard of yet.
_MOVING = frozenset(
    {
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.REPLICA_NOT_AVAILABLE,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.OFFSET_NOT_AVAILABLE,
    }
)
_LATEST: Any = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # untyped in the library
_EARLIEST: Any = OffsetSpec.earliest()  # type: ignore[no-untyped-call]  # untyped in the library
#: Seconds between two polls of a member; it holds a rebalance up for so long, and restoring a store takes minutes.
POLL_INTERVAL = 600
SOCKET_MS = 5000


class ConfluentClient:
    """`bus.ports.Client` on confluent-kafka."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._patience = settings.transaction_timeout_ms / 1000 + ANSWER
        self._admin_client: Any = None
        self._askers: dict[str, Any] = {}
        self._lock = threading.Lock()

    def producer(self, transactional_id: str) -> ConfluentTransactions:
        with in_our_words("making a producer"):
            native = Producer(
                self._common()
                | {
                    "transactional.id": transactional_id,
                    "transaction.timeout.ms": self._settings.transaction_timeout_ms,
                    "socket.timeout.ms": min(SOCKET_MS, self._settings.transaction_timeout_ms),
                    "linger.ms": 2,
                    "message.max.bytes": 16 << 20,
                    "queue.buffering.max.messages": 1_000_000,
                }
            )
        return ConfluentTransactions(native, self._patience, self._asker("WRITE", transactional_id=transactional_id))

    def consumer(self, group: str, topics: Sequence[str]) -> ConfluentMember:
        self._partitions(topics)
        native = self._consumer(
            {
                "group.id": group,
                "session.timeout.ms": self._settings.session_timeout_ms,
                "heartbeat.interval.ms": self._settings.session_timeout_ms // 4,
                "max.poll.interval.ms": POLL_INTERVAL * 1000,
                "partition.assignment.strategy": "range",
            }
        )
        return ConfluentMember(native, group, topics, self._patience, self._asker("READ", topics=topics, group=group))

    def read(self, positions: Mapping[Partition, int], *, until_end: bool = True, timeout: float = 1.0) -> Iterator[list[Record]]:
        if not positions:
            return
        ends = self._ends(list(positions), IsolationLevel.READ_UNCOMMITTED) if until_end else {}
        # Asked here in 3 ms; the library's own "from the beginning" asks twice, half a second apart.
        begins = self._begins([place for place, offset in positions.items() if not offset]) if until_end else {}
        asker = self._asker("READ", topics={place.topic for place in positions})
        # An end behind a commit marker is told by an empty answer: who waits for it does not want to be kept waiting.
        native = self._consumer({"group.id": "casebus-reader"} | ({"fetch.wait.max.ms": 10} if until_end else {}))
        starts = {place: begins.get(place, offset or OFFSET_BEGINNING) for place, offset in positions.items()}
        reader = ConfluentReader(native, starts, asker)
        try:
            yield from reader.until(ends, self._patience) if until_end else reader.forever(timeout)
        finally:
            reader.close()

    def ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        places = [Partition(topic, number) for topic, count in self._partitions(topics).items() for number in range(count)]
        return self._ends(places, IsolationLevel.READ_COMMITTED)

    def begins(self, topics: Sequence[str]) -> dict[Partition, int]:
        places = [Partition(topic, number) for topic, count in self._partitions(topics).items() for number in range(count)]
        return self._begins(places)

    def create(self, topics: Sequence[Topic]) -> None:
        with in_our_words("creating topics", self._asker("CREATE", topics=[topic.name for topic in topics])):
            found = self._counts()
            missing = [topic for topic in topics if topic.name not in found]
            if missing:
                found |= self._create(missing)
        for topic in topics:
            check_count(topic, found[topic.name])

    def committed(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        places = [Place(topic, number) for topic, count in self._partitions(topics).items() for number in range(count)]
        with in_our_words("asking for committed offsets", self._asker("READ", topics=topics, group=group)):
            found = self._offsets_of(group).committed(places, timeout=ANSWER)
        return {Partition(place.topic, place.partition): place.offset for place in found if place.offset >= 0}

    def _asker(self, right: str, **more: Any) -> Asker:
        return Asker(self._settings.security, right, **more)

    def _offsets_of(self, group: str) -> Any:
        """A consumer that joins nothing and only asks for a group's offsets.

        The admin client's own question (`list_consumer_group_offsets`, 2.14.2) ends the process by a segmentation fault
        when the coordinator is not there yet: seen in one of four starts of a broker.
        """
        with self._lock:
            if group not in self._askers:
                self._askers[group] = self._consumer({"group.id": group, "isolation.level": "read_uncommitted"})
            return self._askers[group]

    def close(self) -> None:
        with self._lock:
            self._admin_client = None
            askers, self._askers = self._askers, {}
        for asker in askers.values():
            asker.close()

    def _common(self) -> dict[str, Any]:
        return self._settings.confluent() | {
            "allow.auto.create.topics": False,
            "socket.timeout.ms": SOCKET_MS,
            "reconnect.backoff.max.ms": 1000,
            "log_level": 3,
        }

    def _consumer(self, settings: Mapping[str, Any]) -> Any:
        fixed = {
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "auto.offset.reset": "error",
            "enable.partition.eof": True,  # the only sign of a position beyond a control record
            "fetch.wait.max.ms": 100,
        }
        with in_our_words("making a consumer"):
            return Consumer(self._common() | fixed | dict(settings))

    def _admin(self) -> Any:
        with self._lock:
            if self._admin_client is None:
                self._admin_client = AdminClient(self._common())
            return self._admin_client

    def _counts(self) -> dict[str, int]:
        topics = self._admin().list_topics(timeout=ANSWER).topics.values()
        return {topic.topic: len(topic.partitions) for topic in topics}

    def _partitions(self, topics: Sequence[str]) -> dict[str, int]:
        where = f"connecting to {self._settings.bootstrap} (a wrong address or password shows like this too)"
        with in_our_words(where):
            return counts_of(topics, self._counts, self._settings.security)

    def _create(self, topics: Sequence[Topic]) -> dict[str, int]:
        wanted = [NewTopic(topic.name, topic.partitions or 1, config=topic.config()) for topic in topics]
        for future in self._admin().create_topics(wanted, operation_timeout=ANSWER).values():
            _created(future)
        return until(lambda: self._led([topic.name for topic in topics]), "waiting for the leaders of new topics")

    def _led(self, names: Sequence[str]) -> dict[str, int] | None:
        """Partition counts when every partition of these topics has a leader; each broker learns that in its own time."""
        topics = self._admin().list_topics(timeout=ANSWER).topics
        ready = all(name in topics and all(part.leader >= 0 for part in topics[name].partitions.values()) for name in names)
        return {name: len(topics[name].partitions) for name in names} if ready else None

    def _ends(self, places: Sequence[Partition], isolation: Any) -> dict[Partition, int]:
        topics, doing = sorted({place.topic for place in places}), "asking where partitions end"
        try:
            with in_our_words(doing, self._asker("READ", topics=topics)):
                return until(lambda: self._ask_offsets(places, _LATEST, isolation), doing)
        except RetryError as error:
            if _unknown(error.__cause__) and not self._settings.security.anonymous:
                self._partitions(topics)  # hidden from this principal: asking again would never help
            raise

    def _begins(self, places: Sequence[Partition]) -> dict[Partition, int]:
        topics, doing = sorted({place.topic for place in places}), "asking where partitions begin"
        with in_our_words(doing, self._asker("READ", topics=topics)):
            return until(lambda: self._ask_offsets(places, _EARLIEST, IsolationLevel.READ_UNCOMMITTED), doing)

    def _ask_offsets(self, places: Sequence[Partition], which: Any, isolation: Any) -> dict[Partition, int] | None:
        """None while a leader moves."""
        asked = self._admin().list_offsets(
            {Place(*place): which for place in places}, isolation_level=isolation, request_timeout=ANSWER
        )
        try:
            return {Partition(place.topic, place.partition): future.result().offset for place, future in asked.items()}
        except KafkaException as error:
            if error.args[0].code() not in _MOVING:
                raise
            return None


def _created(future: Any) -> None:
    try:
        future.result()
    except KafkaException as error:  # another process may have been faster; its counts are checked like ours
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise


def _unknown(error: BaseException | None) -> bool:
    """The library found no such partition, or nobody who leads it."""
    return isinstance(error, KafkaException) and error.args[0].code() == KafkaError._NOENT  # noqa: SLF001  the library's public name
