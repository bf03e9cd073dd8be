"""People and programs that watch a page: open sockets of the page itself, and pollers of the API. Told on standard output.

python -m bench.watchers http://127.0.0.1:8080 TOKEN COOKIE --sockets 50 --pollers 150 --seconds 30
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import json
import random
import re
import time
from statistics import quantiles
from typing import Any
from uuid import uuid4

import aiohttp
import socketio

#: What an open page of each watcher shows; what a program asks for.
PAGES = ("/", "/", "/cases", "/desk", "/cases?region=991203")
ASKED = ("/api/v1/lights", "/api/v1/cases", "/api/v1/trend", "/api/v1/cases?state=all&page=2", "/api/v1/hits")
#: Seconds between two questions of one program.
EVERY = 5.0


class Heard:
    """What all watchers got."""

    def __init__(self) -> None:
        self.opened: list[float] = []
        self.answered: dict[str, list[float]] = {}
        self.updates = 0
        self.failed: list[str] = []


async def socket(base: str, cookie: str, path: str, until: float, heard: Heard) -> None:
    """Open the page as a browser does, some time in the first third, and listen."""
    await asyncio.sleep(random.random() * (until - time.monotonic()) / 3)
    jar = {"casebus_session": cookie}
    async with aiohttp.ClientSession(cookies=jar, timeout=aiohttp.ClientTimeout(120)) as session:
        began = time.perf_counter()
        async with session.get(base + path) as answer:
            text = await answer.text()
        heard.opened.append(time.perf_counter() - began)
        query: dict[str, Any] = ast.literal_eval(re.findall(r"query: (\{.*\}),", text)[0])
        query |= {"document_id": str(uuid4()), "tab_id": str(uuid4()), "old_tab_id": ""}
        client = socketio.AsyncClient(http_session=session, reconnection=False)

        def updated(_: Any) -> None:
            heard.updates += 1

        client.on("update", updated)
        said = "&".join(f"{name}={str(value).lower()}" for name, value in query.items())
        await client.connect(f"{base}?{said}", socketio_path="/_nicegui_ws/socket.io", transports=["websocket"], wait_timeout=60)
        await asyncio.sleep(until - time.monotonic())
        await client.disconnect()


async def poller(base: str, token: str, until: float, heard: Heard) -> None:
    """A program that asks again and again."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(120)) as session:
        await asyncio.sleep(random.random() * EVERY)
        while time.monotonic() < until:
            began, path = time.perf_counter(), random.choice(ASKED)
            async with session.get(base + path) as answer:
                await answer.read()
                if answer.status != 200:
                    heard.failed.append(str(answer.status))
            heard.answered.setdefault(path, []).append(time.perf_counter() - began)
            await asyncio.sleep(EVERY)


async def watch(asked: argparse.Namespace) -> dict[str, object]:
    heard, until = Heard(), time.monotonic() + asked.seconds
    people = [socket(asked.base, asked.cookie, PAGES[n % len(PAGES)], until, heard) for n in range(asked.sockets)]
    programs = [poller(asked.base, asked.token, until, heard) for _ in range(asked.pollers)]
    for one in await asyncio.gather(*people, *programs, return_exceptions=True):
        if isinstance(one, BaseException):
            heard.failed.append(repr(one))
    every = [took for some in heard.answered.values() for took in some]
    return {
        "sockets": asked.sockets, "pollers": asked.pollers, "opened": len(heard.opened),
        "page_opened_ms": spread(heard.opened), "updates": heard.updates, "api_ms": spread(every), "answers": len(every),
        "failed": len(heard.failed), "why": heard.failed[:3],
        "api_p95_ms_by_path": {path: spread(some)["p95"] for path, some in sorted(heard.answered.items())},
    }  # fmt: skip


def spread(seconds: list[float]) -> dict[str, int]:
    """Milliseconds."""
    cuts = quantiles(seconds, n=100, method="inclusive") if len(seconds) > 1 else [0.0] * 99
    return {f"p{part}": round(cuts[part - 1] * 1000) for part in (50, 95, 99)}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("base")
    options.add_argument("token")
    options.add_argument("cookie")
    options.add_argument("--sockets", type=int, default=50)
    options.add_argument("--pollers", type=int, default=150)
    options.add_argument("--seconds", type=float, default=30)
    print(json.dumps(asyncio.run(watch(options.parse_args()))))


if __name__ == "__main__":
    main()
