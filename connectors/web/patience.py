"""Connections that begin a call and do not go on with it are closed: uvicorn itself waits for headers for ever.

Of a body its reader keeps the time (`gate`); here it is the head of a call, and whatever still comes after its answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

#: Seconds in which the head of a call must have come whole.
HEAD = 10.0


class PatientProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # uvicorn chooses its own base when it is imported
    """The server's own protocol, with a clock over every connection that has no call at work."""

    clock: asyncio.TimerHandle | None = None
    cycle: Any

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._calm()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Runs on from the first byte of a head: more bytes of it win no time."""
        at_work = self.cycle is not None and not self.cycle.response_complete
        if at_work:
            self._calm()
        elif self.clock is None and not self.transport.is_closing():
            self.clock = asyncio.get_running_loop().call_later(HEAD, self.transport.close)

    def _calm(self) -> None:
        if self.clock is not None:
            self.clock.cancel()
            self.clock = None
