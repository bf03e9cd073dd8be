"""One system's entrance: who may call, what a call may hold, how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from connectors.source import SourceRecord
from connectors.web.inbox import Inbox


class Rules(NamedTuple):
    """What one system's calls must keep to. Times in seconds, sizes in bytes."""

    tokens: Sequence[bytes]
    media: frozenset[str]
    largest: int
    patience: float
    calls_a_second: float


class Door(NamedTuple):
    """One system's entrance: its rules, its inbox, how a body is read, and what it may hold (JSON Schema)."""

    system: str
    rules: Rules
    inbox: Inbox
    read: Callable[[bytes], list[SourceRecord]]
    schema: Mapping[str, Any]
