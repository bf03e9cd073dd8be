"""What the nodes of a cluster agree on, and Kafka's settings for each of them."""

from __future__ import annotations

from typing import NamedTuple

LOGGING = """\
status = error
shutdownHook = disable
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = server.log
appender.file.filePattern = server.log.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{ISO8601} %-5p %m (%c)%n
appender.file.policies.type = SizeBasedTriggeringPolicy
appender.file.policies.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
appender.fault.type = Console
appender.fault.name = fault
appender.fault.layout.type = PatternLayout
appender.fault.layout.pattern = %-5p %m%n%ex{short.message}%n
appender.fault.filter.threshold.type = ThresholdFilter
appender.fault.filter.threshold.level = error
appender.ready.type = Console
appender.ready.name = ready
appender.ready.layout.type = PatternLayout
appender.ready.layout.pattern = %m%n
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
rootLogger.appenderRef.fault.ref = fault
logger.ready.name = kafka.server.KafkaRaftServer
logger.ready.level = info
logger.ready.appenderRef.ready.ref = ready
"""


class Ports(NamedTuple):
    client: int
    controller: int


class Cluster(NamedTuple):
    """What all nodes of a cluster agree on."""

    id: str
    ports: tuple[Ports, ...]

    @property
    def bootstrap(self) -> str:
        return ",".join(f"127.0.0.1:{ports.client}" for ports in self.ports)


def properties(number: int, cluster: Cluster) -> dict[str, str]:
    """Kafka's settings for node `number` (from 1). Each that differs from Kafka's default says why."""
    ports, count = cluster.ports[number - 1], len(cluster.ports)
    replicas, in_sync = str(min(count, 3)), str(min(count, 2))
    voters = ",".join(f"{other}@127.0.0.1:{others.controller}" for other, others in enumerate(cluster.ports, 1))
    return {
        "process.roles": "broker,controller",
        "node.id": str(number),
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        # Nothing but this machine can reach it: a Kafka for several machines is one of your own, by its address.
        "listeners": f"PLAINTEXT://127.0.0.1:{ports.client},CONTROLLER://127.0.0.1:{ports.controller}",
        "log.dirs": "data",  # relative: a list with commas, read as Latin-1, is no place for a path
        "auto.create.topics.enable": "false",  # a topic by accident has the wrong partition count
        "default.replication.factor": replicas,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": in_sync,
        "offsets.topic.num.partitions": "8",  # of 50: each is a folder to open at every start
        "transaction.state.log.num.partitions": "8",
        "log.retention.ms": "-1",  # a record is kept until its topic says otherwise
        "offsets.retention.minutes": "2147483647",  # a service that stood still for a week goes on where it was
        "log.cleaner.dedupe.buffer.size": str(8 << 20),  # of 128 MB: room for 300,000 keys a pass
        "group.initial.rebalance.delay.ms": "0",  # members here start one by one anyway
        "group.min.session.timeout.ms": "1000",
        "broker.session.timeout.ms": "2000",  # back 3 s after kill -9; with the default 11 s
        "broker.heartbeat.interval.ms": "500",
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",  # of 10 s: an abandoned one holds readers up
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
    }
