"""What going back would read again: counted on the source itself, before anybody does it."""

from __future__ import annotations

import json
from contextlib import closing
from typing import NamedTuple

from bus.errors import BusError, ConfigurationError
from bus.ports import Client
from connectors.config import Connector


class Lookback(NamedTuple):
    """From where to where. `rows` lie between: negative where they would be passed over, None where the source cannot say."""

    now: str | None
    then: str | None
    rows: int | None


def lookback(connector: Connector, client: Client, now: str | None, then: str | None) -> Lookback:
    """Reads the source's rows without translating them. Raises ConfigurationError for a position that is none of its."""
    if connector.standing:
        return Lookback(now, then, None)
    return Lookback(now, then, _behind(connector, client, then) - _behind(connector, client, now))


def check(connector: Connector, client: Client, now: str | None, then: str | None) -> None:
    """Raises ConfigurationError for a position from which the source cannot be read."""
    if then is not None and not connector.standing:
        with _understood(connector, then, now), closing(connector.open(client)) as source:
            next(source.fetch(then, 1), None)


def _behind(connector: Connector, client: Client, position: str | None) -> int:
    with _understood(connector, position, None), closing(connector.open(client)) as source:
        return sum(len(batch.records) for batch in source.fetch(position, connector.settings.batch))


class _understood:  # noqa: N801  reads as a sentence in a `with`
    """What a source raises at a position that it never gave, as a sentence."""

    def __init__(self, connector: Connector, position: str | None, now: str | None) -> None:
        self._name, self._position, self._now = connector.name, position, now

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, BusError):
            known = f" One of its positions looks like this: {self._now}" if self._now else ""
            raise ConfigurationError(
                f"{self._position} is no position of {self._name}, or its source cannot be read from there"
                f" ({type(error).__name__}: {error}).{known}"
            ) from error


def shown(position: str | None) -> str:
    """A position for people: text in JSON without its marks."""
    if position is None:
        return "the beginning"
    try:
        value = json.loads(position)
    except ValueError:
        return position
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
