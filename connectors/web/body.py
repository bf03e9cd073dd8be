"""Bodies of calls, read within their time, their size and the memory that all calls of a server share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from connectors.web.commons import AGAIN, Commons, SentBackError
from connectors.web.doors import Door, Rules

#: Bytes of bodies that a server holds at once: a thousand callers must not bring a thousand times the largest body.
HELD = 64 << 20


class Shelf:
    """The memory for bodies. Used by the server's thread alone."""

    def __init__(self, room: int = HELD) -> None:
        self._commons = Commons(room)

    @asynccontextmanager
    async def body(self, request: Request, door: Door, systems: int) -> AsyncIterator[bytes]:
        """The whole body, kept until its call is answered. Raises SentBackError for one that is too large, slow or much.

        `systems` are so many as may send bodies here now.
        """
        took = 0

        def take(size: int) -> None:
            nonlocal took
            took += size
            self._commons.take(door.system, size)
            self._check(took, door, systems)

        try:
            yield await _whole(request, door.rules, take)
        finally:
            self._commons.give(door.system, took)

    def _check(self, size: int, door: Door, systems: int) -> None:
        largest = door.rules.largest
        if size > largest:
            raise SentBackError(413, f"The body has more than {largest:,} bytes. Send fewer rows in one call.")
        if self._commons.crowded(door.system, systems):
            found = "The bodies of this system fill so much memory that others would wait."
            raise SentBackError(429, f"{found} Send fewer side by side.", AGAIN)
        if self._commons.held > max(self._commons.room, largest):
            raise SentBackError(503, "The bodies of other calls fill the memory. Send it again.", AGAIN)


async def _whole(request: Request, rules: Rules, take: Callable[[int], None]) -> bytes:
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(rules.patience):
            async for part in request.stream():
                take(len(part))
                parts.append(part)
    except TimeoutError:
        raise SentBackError(408, f"The body did not come within {rules.patience:g} s. Send it again, whole.") from None
    except ClientDisconnect:
        raise SentBackError(400, "The caller went away before the body's end.") from None
    return b"".join(parts)
