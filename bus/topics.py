"""Each topic as a value. Names only: what the records mean is the business of those who write and read them."""

from __future__ import annotations

from typing import NamedTuple

KEEP = -1  # Kafka's word for "for ever" in retention.ms
#: Bytes a record batch may have (max.message.bytes): a journal entry holds a whole event, a state all that is known of a case.
LARGEST = 8 << 20


class Topic(NamedTuple):
    """A topic as it must stand in the cluster.

    `key` says in words what the record key is; `partitions` None means as many as the deployment has, which makes the
    topic co-partitioned with all others of that kind; `retention_ms` is in milliseconds, -1 for ever; `types` names the
    Avro records in it.
    """

    name: str
    key: str
    partitions: int | None = None
    retention_ms: int = KEEP
    compacted: bool = False
    types: tuple[str, ...] = ()

    def sized(self, partitions: int) -> Topic:
        """The topic with the deployment's partition count, unless it has one of its own."""
        return self if self.partitions is not None else self._replace(partitions=partitions)

    def config(self) -> dict[str, str]:
        """The topic's settings in Kafka's words.

        Timestamps are receipt times set by us: a far one must not be refused by the broker's own clock (KIP-937).
        """
        policy = "compact" if self.compacted else "delete"
        settings = {"cleanup.policy": policy, "retention.ms": str(self.retention_ms), "max.message.bytes": str(LARGEST)}
        return settings if self.compacted else settings | {"retention.bytes": str(KEEP)}


EVENTS = Topic("approval.events", "case", types=("casebus.events.*",))
FORWARD = Topic("case.forward", "case", types=("casebus.events.*", "casebus.records.InputEnded"))
JOURNAL = Topic("case.journal", "case", types=("casebus.records.JournalEntry", "casebus.records.InputEnded"))
STATE = Topic("case.state", "case", compacted=True, types=("case state (MessagePack)",))
DELIVERIES = Topic("case.deliveries", "receiving authority", types=("casebus.records.Delivery",))
RETRIES = Topic("case.deliveries.retry", "delivery", compacted=True, types=("casebus.records.Delivery",))
ALERTS = Topic("supervision.alerts", "case", types=("casebus.events.*",))
POSITIONS = Topic("connector.positions", "connector", partitions=1, compacted=True, types=("position (text)",))
#: What people want of each connector. Its partitions are what workers share, so no more workers than these have work.
CONTROL = Topic("connector.control", "connector/word", partitions=24, compacted=True, types=("order (JSON)",))
STATUS = Topic("connector.status", "connector, or /worker", partitions=1, compacted=True, types=("standing (JSON)",))
DEADLETTERS = Topic("approval.deadletters", "case or source key", types=("casebus.records.DeadLetter",))
#: What was done about dead letters: by whom, why, with what result. The last record of each letter holds all of it.
HANDLING = Topic("approval.deadletters.handling", "dead letter", partitions=1, compacted=True, types=("acts (JSON)",))
SCHEMAS = Topic("approval.schemas", "fingerprint", partitions=1, compacted=True, types=("Avro schema (JSON)",))

ALL = (EVENTS, FORWARD, JOURNAL, STATE, DELIVERIES, RETRIES, ALERTS, POSITIONS, CONTROL, STATUS, DEADLETTERS, HANDLING, SCHEMAS)


def ingress(department: str, partitions: int = 1) -> Topic:
    """Where a department that speaks Kafka itself writes; an ACL keeps the others out. A connector reads it from there."""
    return Topic(f"approval.ingress.{department}", "as the department likes", partitions, types=("as the department likes",))


def standard(partitions: int) -> list[Topic]:
    """Every topic of a deployment with this partition count."""
    return [topic.sized(partitions) for topic in ALL]
