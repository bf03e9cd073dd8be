"""A small server that speaks what is needed of a Confluent-compatible registry, as it is documented."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


class Server(ThreadingHTTPServer):
    """Registers schemas, numbers them from 1, and remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.schemas: list[tuple[str, str]] = []
        self.levels: dict[str, str] = {}
        self.asked: list[tuple[str, str, str | None]] = []
        self.refusal: tuple[int, bytes] | None = None
        self.judgement: dict[str, Any] = {"is_compatible": True}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/apis/ccompat/v7"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        """Say nothing on the terminal."""

    def _answer(self, code: int, body: Any) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _remember(self) -> bool:
        self.server.asked.append((self.command, unquote(self.path), self.headers["Authorization"]))
        if self.server.refusal:
            self._answer(*self.server.refusal)
        return self.server.refusal is not None

    def _unknown(self, code: int) -> None:
        self._answer(404, {"error_code": code, "message": "Schema not found."})

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def do_POST(self) -> None:
        body = self._body()
        if self._remember():
            return
        path = unquote(self.path).split("/subjects/")[1].partition("?")[0]
        entry = (path.removesuffix("/versions"), body["schema"])
        if "/compatibility/" in self.path:
            self._answer(200, self.server.judgement)
        elif entry in self.server.schemas or path.endswith("/versions"):
            if entry not in self.server.schemas:
                self.server.schemas.append(entry)
            self._answer(200, {"id": self.server.schemas.index(entry) + 1})
        else:
            self._unknown(40403)

    def do_PUT(self) -> None:
        self.server.levels[unquote(self.path).split("/config/")[1]] = self._body()["compatibility"]
        self._remember()
        self._answer(200, {})

    def do_GET(self) -> None:
        if self._remember():
            return
        path = unquote(self.path)
        if path.endswith("/subjects"):
            self._answer(200, [subject for subject, _ in self.server.schemas])
        elif "/config/" in path:
            self._level(path.split("/config/")[1].removesuffix("?defaultToGlobal=true"))
        elif int(path.rsplit("/", 1)[1]) <= len(self.server.schemas):
            self._answer(200, {"schema": self.server.schemas[int(path.rsplit("/", 1)[1]) - 1][1]})
        else:
            self._unknown(40403)

    def _level(self, subject: str) -> None:
        if subject in {known for known, _ in self.server.schemas}:
            self._answer(200, {"compatibilityLevel": self.server.levels.get(subject, "BACKWARD")})
        else:
            self._unknown(40401)


@contextmanager
def served() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield running
        finally:
            running.shutdown()
            thread.join()
