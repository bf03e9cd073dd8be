"""Bodies of calls, read within their time, their size and the memory that all calls of a server share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from starlette.requests import ClientDisconnect, Request

from connectors.web.doors import Rules

AGAIN = {"Retry-After": "2"}
#: Bytes of bodies that a server holds at once: a thousand callers must not bring a thousand times the largest body.
HELD = 64 << 20


class SentBackError(Exception):
    """A call that is answered at once, with a sentence."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(text)
        self.status, self.headers = status, headers


class Shelf:
    """The memory for bodies. Used by the server's thread alone."""

    def __init__(self, room: int = HELD) -> None:
        self._room = room
        self._held = 0

    @asynccontextmanager
    async def body(self, request: Request, rules: Rules) -> AsyncIterator[bytes]:
        """The whole body, kept until its call is answered. Raises SentBackError for one that is too large, slow or much."""
        took = 0

        def take(size: int) -> None:
            nonlocal took
            took += size
            self._held += size
            self._check(took, rules.largest)

        try:
            yield await _whole(request, rules, take)
        finally:
            self._held -= took

    def _check(self, size: int, largest: int) -> None:
        if size > largest:
            raise SentBackError(413, f"The body has more than {largest:,} bytes. Send fewer rows in one call.")
        if self._held > max(self._room, largest):
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
