"""`access:` in casebus.yaml: who is who. Kafka knows principals, the standard knows authorities; here they meet.

access:
  services: {connect: "User:connect", route: "User:router", monitor: "User:monitor"}
  connectors:
    forestry: {authorities: ["forestry@*"], principal: "User:connector-forestry", department: "User:forestry"}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from schemas.admission import Admission
from schemas.yamlfile import Settings

Service = Literal["connect", "route", "deliver", "monitor", "audit", "operate"]
#: As Kafka writes it: the kind, a colon, the name. What TLS proves is named by the certificate: `User:CN=forestry`.
_PRINCIPAL = re.compile(r"User:[^*\s]([^*]*[^*\s])?")


def _principal(name: str) -> str:
    if not _PRINCIPAL.fullmatch(name):
        raise ValueError("no principal as Kafka writes it, such as User:water, or User:CN=water of a certificate")
    return name


Principal = Annotated[str, AfterValidator(_principal)]


class ConnectorAccess(Settings):
    """One department's system.

    `authorities` are those whose events it may publish (`*` stands for any department or region; `""` lets it leave the
    authority out). `principal` is its own process's, where it has one; `department` that of the department's own programs, which
    write its ingress topic and read its deliveries.
    """

    authorities: list[str] | None = None
    principal: Principal | None = None
    department: Principal | None = None


class AccessSettings(Settings):
    """Who runs each service, and what each connector may say. `operate`: the page, dead letters, orders to connectors."""

    services: dict[Service, Principal] = Field(default_factory=dict)
    connectors: dict[str, ConnectorAccess] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _apart(self) -> AccessSettings:
        """A department is nobody of ours, and no two are one: else one of them had the other's rights."""
        departments = [one.department for one in self.connectors.values() if one.department]
        own = [one.principal for one in self.connectors.values() if one.principal]
        taken = {*self.services.values(), *own}
        doubled = sorted({one for one in departments if departments.count(one) > 1} | (set(departments) & taken))
        doubled += sorted({one for one in own if own.count(one) > 1 or one in self.services.values()})
        if doubled:
            raise ValueError(f"{', '.join(doubled)} would be two at once; give each department and each connector its own")
        return self

    @property
    def admission(self) -> Admission | None:
        """What the router holds events against; None where no connector says whose events it publishes."""
        told = {name: tuple(one.authorities) for name, one in self.connectors.items() if one.authorities is not None}
        return Admission(told) if told else None

    def principals(self) -> Iterator[str]:
        yield from self.services.values()
        for one in self.connectors.values():
            yield from (name for name in (one.principal, one.department) if name)

    def own(self) -> Mapping[str, str]:
        """The connectors that have a process of their own, and its principal."""
        return {name: one.principal for name, one in self.connectors.items() if one.principal}
