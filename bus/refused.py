"""What to say where the brokers refuse: who may not do what with what, and where such rights are looked at and given."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from bus.errors import ConfigurationError
from bus.settings import Security

_CURE = (
    "`casebus acl plan` shows the rights that are missing, and `casebus acl apply` gives them, "
    "once access: in casebus.yaml names this principal (docs/security.md)."
)


class Asker(NamedTuple):
    """Who asks the brokers, for which right (Kafka's name of it), with what."""

    security: Security
    right: str
    topics: Collection[str] = ()
    group: str = ""
    transactional_id: str = ""


def refused(asker: Asker, kind: str, doing: str, topics: Collection[str] = ()) -> ConfigurationError:
    """`kind` is what the right is on: topic, group, transactional id or cluster. `topics`: those that the brokers named."""
    return ConfigurationError(f"While {doing}: {asker.security.principal} may not {_what(asker, kind, topics)}. {_CURE}")


def unseen(security: Security, topics: Collection[str]) -> ConfigurationError:
    """Of topics that are not among those the brokers show: they hide those that one has no right on."""
    names = ", ".join(sorted(topics))
    if security.anonymous:
        return ConfigurationError(f"There is no topic {names}. Create the topics first.")
    return ConfigurationError(
        f"There is no topic {names}, or {security.principal} may not see it (DESCRIBE). Create the topics first; {_CURE}"
    )


def _what(asker: Asker, kind: str, topics: Collection[str]) -> str:
    if kind == "group":
        return f"READ the group {asker.group or 'of these offsets'}"
    if kind == "transactional id":
        return f"WRITE under the transactional id {asker.transactional_id}"
    if kind == "cluster":
        return f"do this ({asker.right}) with the cluster"
    names = sorted(topics or asker.topics)
    several = "one of the topics" if len(names) > 1 else "the topic"
    return f"{asker.right} {several} {', '.join(names)}"
