"""Who may do what in Kafka, as values: the rights that are wanted, those that stand, and the difference. Pure.

Kafka's rights (ACLs) lie on topics, groups and transactional ids, by their exact name or by what it begins with (KIP-290). READ
and WRITE include DESCRIBE. One Kafka may serve others too: whatever is not on our ground, or not our principals', is let be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple

ANY_NAME = "*"


class Kind(StrEnum):
    """What a right lies on, in Kafka's words."""

    TOPIC = "TOPIC"
    GROUP = "GROUP"
    TRANSACTIONAL_ID = "TRANSACTIONAL_ID"
    CLUSTER = "CLUSTER"


class Operation(StrEnum):
    """What it allows, in Kafka's words: those that we give."""

    READ = "READ"
    WRITE = "WRITE"
    DESCRIBE = "DESCRIBE"
    CREATE = "CREATE"


class Resource(NamedTuple):
    """A name, or with `prefixed` every name that begins with it."""

    kind: str
    name: str
    prefixed: bool = False

    @property
    def shown(self) -> str:
        return f"{self.name}*" if self.prefixed else self.name

    def meets(self, other: Resource) -> bool:
        """Whether some name is both's."""
        if self.kind != other.kind:
            return False
        if ANY_NAME in {self.name, other.name}:
            return True
        if self.prefixed and other.prefixed:
            return self.name.startswith(other.name) or other.name.startswith(self.name)
        if self.prefixed or other.prefixed:
            start, name = (self.name, other.name) if self.prefixed else (other.name, self.name)
            return name.startswith(start)
        return self.name == other.name


class Right(NamedTuple):
    """One ACL. `principal` as the brokers name it (`User:forestry`, `User:CN=forestry`)."""

    principal: str
    resource: Resource
    operation: str
    allowed: bool = True
    host: str = "*"

    @property
    def order(self) -> tuple[str, ...]:
        return self.principal, self.resource.kind, self.resource.name, str(self.resource.prefixed), self.operation, self.host


class Plan(NamedTuple):
    """What would change, what stays as wanted, and what others hold on the same ground: it is shown and never touched.

    `denied` forbid our principals something that they need: only who wrote them knows why.
    """

    add: list[Right]
    remove: list[Right]
    keep: list[Right]
    others: list[Right]
    denied: list[Right]

    @property
    def changes(self) -> bool:
        return bool(self.add or self.remove)


def read(principal: str, topics: Iterable[str]) -> Iterator[Right]:
    return _on(principal, Kind.TOPIC, Operation.READ, topics)


def write(principal: str, topics: Iterable[str]) -> Iterator[Right]:
    return _on(principal, Kind.TOPIC, Operation.WRITE, topics)


def describe(principal: str, topics: Iterable[str]) -> Iterator[Right]:
    """To see that a topic is there, its partitions and offsets; no record of it."""
    return _on(principal, Kind.TOPIC, Operation.DESCRIBE, topics)


def group(principal: str, name: str, *, prefixed: bool = False, member: bool = True) -> Right:
    """To be a member and commit offsets; else only to see them."""
    return Right(principal, Resource(Kind.GROUP, name, prefixed), Operation.READ if member else Operation.DESCRIBE)


def transactions(principal: str, name: str, *, prefixed: bool = False) -> Iterator[Right]:
    """To write under this transactional id; whoever takes an id fences the one who had it."""
    resource = Resource(Kind.TRANSACTIONAL_ID, name, prefixed)
    yield Right(principal, resource, Operation.WRITE)
    yield Right(principal, resource, Operation.DESCRIBE)


def _on(principal: str, kind: Kind, operation: Operation, names: Iterable[str]) -> Iterator[Right]:
    return (Right(principal, Resource(kind, name), operation) for name in names)


def plan(wanted: Iterable[Right], there: Iterable[Right], ground: Iterable[Resource]) -> Plan:
    """`ground` is what belongs to the deployment; `there` every right that the brokers hold."""
    rights, land = set(wanted), list(ground)
    ours = {right.principal for right in rights}
    on_land = {right for right in there if any(right.resource.meets(one) for one in land)}
    held = {right for right in on_land if right.allowed and right.principal in ours}
    others = {right for right in on_land if right.allowed and right.principal not in ours}
    denied = {right for right in on_land if not right.allowed and _hits(right, rights)}
    return Plan(
        *(sorted(part, key=lambda one: one.order) for part in (rights - held, held - rights, held & rights, others, denied))
    )


def _hits(denial: Right, rights: set[Right]) -> bool:
    named = {"ALL", "ANY"}
    return any(
        denial.principal in {right.principal, "User:*"}
        and denial.resource.meets(right.resource)
        and (denial.operation in named or denial.operation == right.operation)
        for right in rights
    )
