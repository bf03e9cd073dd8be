"""A department that calls a connector of kind `http`, and the worker that answers it, over Kafka's double."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from connector_world import CLOCK, connector, kafka
from fleet_world import live

from bus import topics
from connectors.runner import Runner
from connectors.web import gate as gates
from schemas.codec import default

TOKEN = "a-token-of-the-police-1"
STEP = {"id": "1", "case_no": "A1", "at": "2025-06-01 09:00:00", "who": "王"}
#: Every test has the server of this process; the port is any that was free.
GATE = gates.gate("127.0.0.1", 0, None)


def source(**more: Any) -> str:
    settings = {"listen": "127.0.0.1:0", "token": TOKEN} | more
    return f"kind: http\nsource: {json.dumps(settings)}\nevery: 60\n"


class Bureau:
    """A department that calls, and a worker that answers."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.cluster = kafka()
        self.found = connector(folder, source(**more))
        self.stop = threading.Event()
        self.runner = Runner(self.found, self.cluster, default(), CLOCK)
        self._thread = threading.Thread(target=live, args=(self.runner, self.stop))
        self.caller = httpx.Client(
            base_url=f"http://127.0.0.1:{GATE.port}", headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False
        )

    def work(self) -> Bureau:
        self._thread.start()
        while "dep" not in self.caller.get("/health").json()["open"]:
            time.sleep(0.005)
        return self

    def send(self, value: Any, **headers: str) -> httpx.Response:
        kind = {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.caller.post("/in/dep", content=body, headers=kind)

    def keys(self) -> list[str]:
        events = (default().decode(one.value or b"") for one in self.cluster.records(topics.EVENTS.name))
        return sorted(one.header["source"]["key"] for one in events)

    def close(self) -> None:
        self.stop.set()
        self.runner.wake()
        if self._thread.is_alive():
            self._thread.join()
        self.runner.close()
        self.caller.close()
