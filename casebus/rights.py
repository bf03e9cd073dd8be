"""The exact rights that each principal of a deployment needs in Kafka: one function a service, one row a right. Pure.

All departments' events share one topic, so a connector's process can write into it whatever the connector; what differs is the
transactional id, and a department's own programs, which reach their ingress topic and their deliveries and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from bus.acl import Kind, Resource, Right, describe, group, read, transactions, write
from bus.topics import (
    ALERTS,
    ALL,
    CONTROL,
    DEADLETTERS,
    DELIVERIES,
    EVENTS,
    FORWARD,
    HANDLING,
    JOURNAL,
    POSITIONS,
    RETRIES,
    SCHEMAS,
    STATE,
    STATUS,
    ingress,
)
from casebus.access import AccessSettings, Service
from connectors.config import Connector

STANDARD = tuple(topic.name for topic in ALL)
INGRESS = ingress("").name
#: What stands between a department's name and what it likes to call a group or a transactional id of its own. No system's name
#: has it, so that no department's begins as another's.
OWN = ":"


class Traffic(NamedTuple):
    """What a connector has in the deployment's own Kafka: topics that it reads, the topic that its deliveries go to."""

    sources: frozenset[str] = frozenset()
    outlet: str | None = None


class Ground(NamedTuple):
    """A deployment as far as rights go."""

    name: str
    traffic: Mapping[str, Traffic]
    access: AccessSettings

    @property
    def outlets(self) -> set[str]:
        return {one.outlet for one in self.traffic.values() if one.outlet}

    @property
    def sources(self) -> set[str]:
        return {topic for one in self.traffic.values() for topic in one.sources}

    @property
    def resources(self) -> Iterator[Resource]:
        """All that is the deployment's: rights on it are ours to look at."""
        for topic in {*STANDARD, *self.outlets, *self.sources}:
            yield Resource(Kind.TOPIC, topic)
        yield Resource(Kind.TOPIC, INGRESS, prefixed=True)
        for service in ("connect", "router", "deliveries"):
            yield Resource(Kind.GROUP, f"{self.name}-{service}")
        for start in ("connector-", "connect-status-", "casebus-", *(f"{self.name}-{one}" for one in _IDS)):
            yield Resource(Kind.TRANSACTIONAL_ID, start, prefixed=True)
        for system in self.traffic:
            yield Resource(Kind.GROUP, system + OWN, prefixed=True)
            yield Resource(Kind.TRANSACTIONAL_ID, system + OWN, prefixed=True)


_IDS = ("router-", "deliveries-", "page", "deadletters", "schemas", "up")


def traffic(connector: Connector) -> Traffic:
    """Where a connector meets the deployment's own Kafka."""
    inside = [part.source_settings for part in connector.parts.values() if part.kind.inside(part.source_settings)]
    wanted = connector.settings.deliver
    outlet = wanted.target.get("topic") if wanted and wanted.kind == "kafka" and "cluster" not in wanted.target else None
    return Traffic(frozenset(one.topic for one in inside), outlet)


def rights(ground: Ground) -> Iterator[Right]:
    """Every right that the deployment's principals need."""
    services = ground.access.services
    own = ground.access.own()
    for service, principal in services.items():
        yield from describe(principal, STANDARD)
        yield from _schemas(principal, ground, writes=service in _WRITERS)
        yield from _SERVICES[service](principal, ground)
    for system, principal in own.items():
        yield from describe(principal, STANDARD)
        yield from _schemas(principal, ground, writes=True)
        yield from _connectors(principal, ground, [system])
    for system, one in ground.access.connectors.items():
        if one.department:
            yield from _department(one.department, system, ground.traffic.get(system, Traffic()))


def _schemas(principal: str, ground: Ground, *, writes: bool) -> Iterator[Right]:
    """Whoever writes events publishes what they are written with; everybody reads it (`casebus.published`)."""
    yield from read(principal, (SCHEMAS.name,))
    if writes:
        yield from write(principal, (SCHEMAS.name,))
        yield from transactions(principal, f"{ground.name}-schemas")


def _connect(principal: str, ground: Ground) -> Iterator[Right]:
    """The fleet runs the connectors that have no principal of their own."""
    yield group(principal, f"{ground.name}-connect")
    yield from _connectors(principal, ground, sorted(ground.traffic.keys() - ground.access.own().keys()))


def _connectors(principal: str, ground: Ground, systems: Iterable[str]) -> Iterator[Right]:
    yield from read(principal, (CONTROL.name, POSITIONS.name, STATUS.name))
    yield from write(principal, (EVENTS.name, DEADLETTERS.name, POSITIONS.name, STATUS.name))
    yield from transactions(principal, "connect-status-", prefixed=True)
    for system in systems:
        yield from transactions(principal, f"connector-{system}")
        yield from read(principal, ground.traffic.get(system, Traffic()).sources)


def _route(principal: str, ground: Ground) -> Iterator[Right]:
    yield group(principal, f"{ground.name}-router")
    yield from transactions(principal, f"{ground.name}-router-", prefixed=True)
    yield from read(principal, (EVENTS.name, FORWARD.name, ALERTS.name, JOURNAL.name, STATE.name))
    yield from write(principal, (FORWARD.name, JOURNAL.name, STATE.name, DELIVERIES.name, DEADLETTERS.name))


def _deliver(principal: str, ground: Ground) -> Iterator[Right]:
    yield group(principal, f"{ground.name}-deliveries")
    for member in (1, 2):
        yield from transactions(principal, f"{ground.name}-deliveries-{member}")
    yield from read(principal, (DELIVERIES.name, RETRIES.name))
    yield from write(principal, (RETRIES.name, DEADLETTERS.name, EVENTS.name, *ground.outlets))


def _monitor(principal: str, _: Ground) -> Iterator[Right]:
    yield from transactions(principal, "casebus-monitor")
    yield from read(principal, (JOURNAL.name, STATE.name, DEADLETTERS.name))
    yield from write(principal, (ALERTS.name,))


def _audit(principal: str, ground: Ground) -> Iterator[Right]:
    """It sees everything and writes nothing."""
    yield group(principal, f"{ground.name}-router", member=False)
    yield from read(principal, {*STANDARD, *ground.sources})


def _operate(principal: str, ground: Ground) -> Iterator[Right]:
    """People's acts: on the page, on dead letters, on connectors and deliveries; and `casebus up --exit`."""
    yield from _audit(principal, ground)
    yield from write(principal, (EVENTS.name, ALERTS.name, RETRIES.name, HANDLING.name, CONTROL.name))
    for name in ("page", "deadletters", "up", "deliveries-asked"):
        yield from transactions(principal, f"{ground.name}-{name}")
    yield from transactions(principal, "connector-orders-", prefixed=True)


def _department(principal: str, system: str, one: Traffic) -> Iterator[Right]:
    """Its own ingress topic and its own deliveries; groups and transactional ids that begin with its name."""
    mine = sorted(topic for topic in one.sources if topic.startswith(INGRESS))
    yield from write(principal, mine)
    yield from transactions(principal, system + OWN, prefixed=True)
    if one.outlet:
        yield from read(principal, (one.outlet,))
        yield group(principal, system + OWN, prefixed=True)


_SERVICES: Mapping[Service, Callable[[str, Ground], Iterator[Right]]] = {
    "connect": _connect,
    "route": _route,
    "deliver": _deliver,
    "monitor": _monitor,
    "audit": _audit,
    "operate": _operate,
}


#: Services that publish their schemas before they write.
_WRITERS = frozenset({"connect", "route", "deliver", "monitor", "operate"})


def shown(right: Right) -> tuple[str, str, str, str, str]:
    """A line for people: who, what, on what, which, and from where."""
    word = right.operation if right.allowed else f"not {right.operation}"
    return right.principal, word, right.resource.kind.lower().replace("_", " "), right.resource.shown, right.host
