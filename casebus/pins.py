"""A registry's ids, pinned: what each means stands in Kafka, beside the records that bear it.

An id by itself says nothing. A registry that was set up anew, or is another one, gives the same numbers to other schemas, and
old records would say what they never said. So an id is pinned before it is written; everybody reads by the pins, whatever the
registry says now or whether it is there; and whoever would write an id in another meaning is stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import structlog

from bus.errors import BusError, CorruptionError, FencedError
from bus.ports import Client
from casebus import published
from schemas import contract
from schemas.codec import STRANGE, Registry

log = structlog.get_logger(__name__)


class Pinned:
    """`schemas.codec.Registry`: one that is held to the pins. `client` opens a connection, for the moments that need one."""

    def __init__(self, registry: Registry, client: Callable[[], AbstractContextManager[Client]], name: str) -> None:
        self._registry, self._client, self._name = registry, client, name
        self._pins: dict[int, str] = {}
        self._texts: dict[str, str] = {}
        self._strange: set[int] = set()

    def id_of(self, subject: str, schema: str) -> int:
        """Raises CorruptionError where records bear this id for another schema, and what the registry raises."""
        number, mark = self._registry.id_of(subject, schema), _mark(schema)
        known = self._pin_of(number)
        if known is None:
            self._keep(number, mark)
        elif known != mark:
            raise CorruptionError(
                f"The schema registry gives {subject} the id {number}, which records bear for {self._said(known)}: it was set up "
                "anew, or is another one. Restore its database, or name the one that these topics were written with."
            )
        return number

    def schema_of(self, schema_id: int) -> str:
        """By the pin, where there is one; else what the registry says. Raises what the registry raises.

        An id that nobody knows is asked for once: made-up ones must not keep a reader busy.
        """
        full = len(self._strange) >= STRANGE and schema_id not in self._pins
        if schema_id in self._strange or full:
            raise LookupError(f"nobody has pinned the id {schema_id}, and the registry does not know it")
        mark = self._pin_of(schema_id)
        if mark is not None and mark in self._texts:
            return self._texts[mark]
        try:
            return self._registry.schema_of(schema_id)
        except LookupError:
            self._strange.add(schema_id)
            raise

    def _pin_of(self, number: int) -> str | None:
        """Others pin too: what is not known is looked for."""
        if number not in self._pins:
            with self._client() as client:
                ours = {one.fingerprint.hex(): one.text for one in contract.frozen()}
                self._texts = published.read(client) | ours
                self._pins = published.pins(client)
        return self._pins.get(number)

    def _keep(self, number: int, mark: str) -> None:
        """Where it cannot be done (rights given by an older version), the id goes without: a warning says so."""
        for _ in range(published.ATTEMPTS):
            try:
                with self._client() as client:
                    published.pin(client, self._name, number, mark)
            except FencedError:  # another process pins or publishes now
                time.sleep(0.2)
            except BusError as error:
                log.warning("id not pinned", id=number, reason=str(error))
                return
            else:
                self._pins[number] = mark
                return

    def _said(self, mark: str) -> str:
        text = self._texts.get(mark)
        return contract.contract(text).fullname if text else "another schema"


def _mark(schema: str) -> str:
    return contract.contract(schema).fingerprint.hex()
