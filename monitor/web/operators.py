"""What the page asks of whoever runs the connectors: made by `casebus.operators`, since nothing here knows a connector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Operators(Protocol):
    """The connectors of the deployment, wherever they run. All raises RetryError where Kafka does not answer,
    LookupError for a connector that is none, ConfigurationError for a position that is none."""

    def reachable(self) -> bool:
        """Whether the bus runs, as far as that can be told without starting anything."""
        ...

    def standings(self) -> Sequence[Mapping[str, Any]]:
        """Each connector: name, state, worker, since, passed, position, rows, events, letters, error, due, file_error."""
        ...

    def order(self, name: str, word: str, by: str) -> None:
        """`pause`, `resume` or `restart`; it stands when this returns, and is followed by whoever has the connector."""
        ...

    def rewind(self, name: str, to: str | None, by: str, *, dry: bool) -> Mapping[str, Any]:
        """`now`, `then`, `rows` between them (None: the source cannot say), `order` (None when `dry`)."""
        ...
