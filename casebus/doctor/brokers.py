"""Topics and settings of a Kafka, as it tells them (`bus.survey`), beside what the bus needs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from bus.errors import ConfigurationError
from bus.ports import Client, Message, Partition
from bus.settings import KafkaSettings
from bus.survey import Layout
from bus.topics import Topic
from casebus.commands.output import several
from casebus.doctor.finding import Finding

MOST_SKEW = 2.0  # seconds between this machine's clock and the brokers'
ALTER = "kafka-configs.sh --bootstrap-server ADDRESS --alter --entity-type"


def counts(client: Client, wanted: Iterable[Topic]) -> Finding:
    """Equal partition counts: one odd topic breaks co-partitioning for it."""
    found = [(topic, _count(client, topic.name)) for topic in wanted]
    wrong = [f"{topic.name} has {count} partitions instead of {topic.partitions}" for topic, count in found if _odd(topic, count)]
    if wrong:
        cure = "Set `kafka.partitions` back to what they have; changing it is an offline replay into new topics."
        return Finding("topics", ", ".join(wrong), cure)
    missing = sum(not count for _, count in found)
    return Finding("topics", f"{len(found) - missing} there" + (f", {missing} are made by casebus up" if missing else ""))


def _count(client: Client, topic: str) -> int:
    try:
        return len(client.ends([topic]))
    except ConfigurationError:
        return 0


def _odd(topic: Topic, count: int) -> bool:
    return count not in {0, topic.partitions}


def keeping(layouts: Mapping[str, Layout], wanted: Iterable[Topic]) -> Finding:
    """Retention that runs out, or compaction, loses the record itself: nobody notices before it is asked for."""
    wrong = [
        (topic.name, name, value, right)
        for topic in wanted
        if topic.name in layouts
        for name, right in topic.config().items()
        if (value := layouts[topic.name].settings.get(name)) is not None and not _keeps(name, value, right)
    ]
    if not wrong:
        return Finding("what topics keep", "as it must be")
    said = "; ".join(f"{topic}: {name} is {value} instead of {right}" for topic, name, value, right in wrong)
    cure = "; ".join(f"{ALTER} topics --entity-name {topic} --add-config {name}={right}" for topic, name, _, right in wrong)
    return Finding("what topics keep", said, f"{cure}. What is gone already comes from a backup, or from the sources.")


def _keeps(name: str, value: str, right: str) -> bool:
    """More is as good; for ever is the most."""
    if name == "cleanup.policy":
        return value == right
    return value in {right, "-1"} or (right != "-1" and int(value) >= int(right))


def copies(layouts: Mapping[str, Layout], brokers: int) -> Finding:
    """How many brokers may die, and whether one can write now."""
    faults = [fault for name, layout in layouts.items() for fault in _copied(name, layout, brokers)]
    if not faults:
        least = min((layout.copies for layout in layouts.values()), default=0)
        return Finding(
            "copies of topics", f"{least} of each at least, on {several(brokers, 'broker')}" if layouts else "no topics yet"
        )
    return Finding("copies of topics", "; ".join(said for said, _ in faults), " ".join(dict.fromkeys(cure for _, cure in faults)))


def _copied(name: str, layout: Layout, brokers: int) -> Iterator[tuple[str, str]]:
    least = int(layout.settings.get("min.insync.replicas", 1))
    if least > layout.copies:
        cure = f"{ALTER} topics --entity-name {name} --add-config min.insync.replicas={max(1, layout.copies - 1)}."
        yield f"{name}: min.insync.replicas is {least}, and there are only {layout.copies} copies: nothing can be written", cure
    elif layout.in_sync < least:
        yield (
            f"{name}: {layout.in_sync} of {layout.copies} copies are in sync, {least} must be",
            "Start the brokers that are away.",
        )
    if layout.copies == 1 and brokers > 1:
        cure = "Add copies with kafka-reassign-partitions.sh; set `default.replication.factor` before topics are made."
        yield f"{name} has one copy on {brokers} brokers: it is lost with its broker", cure
    elif layout.copies > 2 and least == 1:
        cure = f"{ALTER} topics --entity-name {name} --add-config min.insync.replicas=2."
        yield f"{name}: min.insync.replicas is 1, so what one broker alone has counts as written", cure


class Limit(NamedTuple):
    """A broker's limit on a setting of ours: it `floors` what may be asked for, or caps it."""

    name: str
    ours: str
    floors: bool = False

    def fault(self, settings: Mapping[str, str], kafka: KafkaSettings) -> tuple[str, str] | None:
        """What is wrong, and the cure."""
        value = int(getattr(kafka, self.ours))
        limit = int(settings.get(self.name, value))
        if limit == value or (limit < value) is self.floors:
            return None
        found = f"{self.name} is {limit:,}, `kafka.{self.ours}` {value:,}: the brokers refuse it"
        change, back = ("Lower", "raise") if self.floors else ("Raise", "lower")
        return found, f"{change} {self.name} of the brokers to {value}, or {back} `kafka.{self.ours}`."


LIMITS = (
    Limit("transaction.max.timeout.ms", "transaction_timeout_ms"),
    Limit("group.max.session.timeout.ms", "session_timeout_ms"),
    Limit("group.min.session.timeout.ms", "session_timeout_ms", floors=True),
)


def limits(settings: Mapping[str, str], kafka: KafkaSettings) -> Finding:
    """A broker refuses what lies outside its own limits when a service starts: every service, at every start."""
    faults = [fault for limit in LIMITS if (fault := limit.fault(settings, kafka))]
    what = "brokers' limits"
    if not faults:
        return Finding(what, "wide enough" if settings else "not asked: it needs the right to describe the cluster")
    return Finding(what, "; ".join(said for said, _ in faults), " ".join(cure for _, cure in faults))


class Stamped(Topic):
    """A topic whose records bear the broker's own time."""

    def config(self) -> dict[str, str]:
        return {"message.timestamp.type": "LogAppendTime", "retention.ms": "3600000"}


def clocks(client: Client) -> Finding:
    """What time the broker writes on a record, against this machine's."""
    probe = Stamped("casebus.doctor", "nothing", 1)
    client.create([probe])
    place = Partition(probe.name, 0)
    start = client.ends([probe.name])[place]
    producer = client.producer("casebus-doctor")
    begun = time.time()
    producer.begin()
    producer.send([Message(*place, None, b"what time is it?", 0)])
    producer.commit()
    ended = time.time()
    producer.close()
    return skew(max(record.timestamp for batch in client.read({place: start}) for record in batch), begun, ended)


def skew(stamp: int, begun: float, ended: float) -> Finding:
    """The broker's stamp (milliseconds) lies between these two moments of this machine (seconds), where both clocks are right."""
    apart = max(begun - stamp / 1000, stamp / 1000 - ended, 0.0)
    cure = "" if apart <= MOST_SKEW else "Set both by NTP (chrony): leases, sessions and receipt times all count by them."
    return Finding("clocks", f"the brokers' differs by {apart:.1f} s at least", cure)
