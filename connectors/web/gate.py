"""The server: who may call, what a call may hold, what it is answered. One for each address in a process.

`POST /in/<system>` answers 200 when Kafka has every row, with what became of each; `GET /health`; `GET /openapi.json`.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import hmac
import re
import socket
import ssl
import threading
from collections import OrderedDict
from typing import Any, NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bus.errors import ConfigurationError
from connectors.values import Refusal
from connectors.web.body import Shelf
from connectors.web.commons import AGAIN, Commons, SentBackError
from connectors.web.doors import Door
from connectors.web.inbox import Answer
from connectors.web.page import described
from connectors.web.patience import PatientProtocol

#: Answers that are remembered by their Idempotency-Key, of each system.
REMEMBERED = 1000
_HASHED = re.compile("sha256:[0-9a-f]{64}")
#: Calls at work at once; beyond them the server itself answers 503.
CALLS = 2000


class TLS(NamedTuple):
    certfile: str
    keyfile: str


def hashed(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


def kept(text: str) -> bytes:
    """A token of the settings, which may be hashed already: `sha256:` and 64 hexadecimal digits."""
    return bytes.fromhex(text.removeprefix("sha256:")) if _HASHED.fullmatch(text) else hashed(text)


class Guard:
    """What is remembered of one system's callers: how fast they come, and what was answered to a key."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self._allowance, self._seen = door.rules.calls_a_second, 0.0
        self._answers: OrderedDict[str, tuple[bytes, Response]] = OrderedDict()
        self._working: dict[str, bytes] = {}

    def admit(self, request: Request, now: float) -> None:
        """Raises SentBackError for a wrong token, a wrong kind of body, or one call too many."""
        head, _, token = request.headers.get("authorization", "").partition(" ")
        found = hashed(token.strip()) if head.lower() == "bearer" else b""
        if not sum(hmac.compare_digest(found, known) for known in self.door.rules.tokens):  # all of them, in equal time
            raise SentBackError(
                401, "Send the token of this system: Authorization: Bearer <token>.", {"WWW-Authenticate": "Bearer"}
            )
        self._count(now)
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media not in self.door.rules.media:
            raise SentBackError(
                415, f"Found content of type {media or 'none'}. Send {' or '.join(sorted(self.door.rules.media))}."
            )
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise SentBackError(415, "Compressed bodies are not unpacked here. Send it as it is.")

    def _count(self, now: float) -> None:
        """A bucket that holds one second's calls."""
        rate = self.door.rules.calls_a_second
        self._allowance = min(rate, self._allowance + (now - self._seen) * rate)
        self._seen = now
        if self._allowance < 1:
            raise SentBackError(429, f"More than {rate:g} calls a second. Put more rows into one call.", {"Retry-After": "1"})
        self._allowance -= 1

    def known(self, key: str | None, body: bytes) -> Response | None:
        """What was answered to this key before. Raises SentBackError while that call is at work, or for another body."""
        digest, answer = self._answers.get(key or "", (self._working.get(key or ""), None))
        if digest is None:
            return None
        if digest != hashlib.sha256(body).digest():
            raise SentBackError(422, f"The Idempotency-Key {key} came with another body before. Take a new key for new rows.")
        if answer is None:
            raise SentBackError(409, f"The call with Idempotency-Key {key} is still at work. Ask again.", AGAIN)
        return answer

    def begin(self, key: str | None, body: bytes) -> None:
        if key is not None:
            self._working[key] = hashlib.sha256(body).digest()

    def end(self, key: str | None, answer: Response | None) -> None:
        """Only what Kafka has is remembered: anything else may be sent again."""
        if key is None:
            return
        digest = self._working.pop(key)
        if answer is not None:
            self._answers[key] = (digest, answer)
        if len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)


def _checked(tls: TLS) -> None:
    """Raises ConfigurationError for what the server could only die of, in a thread of its own."""
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(tls.certfile, tls.keyfile, "")
    except OSError as error:  # ssl.SSLError is one
        raise ConfigurationError(
            f"The certificate {tls.certfile} with the key {tls.keyfile} cannot be used: {error.strerror or error}. "
            "Write certfile: and keyfile: of one pair, in PEM, the key without a password."
        ) from error


class Gate:
    """One server with the doors that are open now."""

    def __init__(self, host: str, port: int, tls: TLS | None) -> None:
        self._guards: dict[str, Guard] = {}
        self._shelf = Shelf()
        self._work = Commons(CALLS)
        if tls is not None:
            _checked(tls)
        self._socket = _bound(host, port)
        routes = [
            Route("/in/{system}", self._post, methods=["POST"]),
            Route("/health", self._health),
            Route("/openapi.json", self._openapi),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes),
            log_config=None,
            http=PatientProtocol,
            limit_concurrency=CALLS,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
            ssl_certfile=tls.certfile if tls else None,
            ssl_keyfile=tls.keyfile if tls else None,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="casebus-gate", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def open(self, door: Door) -> None:
        self._guards[door.system] = Guard(door)

    def shut(self, door: Door) -> None:
        if (guard := self._guards.get(door.system)) is not None and guard.door is door:
            del self._guards[door.system]

    @property
    def idle(self) -> bool:
        """No door is open."""
        return not self._guards

    def close(self) -> None:
        """Calls at work are answered first. The address is free for another process then."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    async def _post(self, request: Request) -> Response:
        try:
            guard = self._guard(request.path_params["system"])
            guard.admit(request, asyncio.get_running_loop().time())
            key = request.headers.get("idempotency-key")
            door, systems = guard.door, len(self._guards)
            with self._work.place(door.system, systems):
                async with self._shelf.body(request, door, systems) as body:
                    return guard.known(key, body) or await _handled(guard, key, body)
        except SentBackError as error:
            return JSONResponse({"error": str(error)}, error.status, error.headers)

    def _guard(self, system: str) -> Guard:
        if (guard := self._guards.get(system)) is None:
            raise SentBackError(503, "Nobody takes calls for this system here now.", AGAIN)
        return guard

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"open": sorted(self._guards)})

    async def _openapi(self, request: Request) -> Response:
        return JSONResponse(described([guard.door for guard in self._guards.values()], str(request.base_url)))


async def _handled(guard: Guard, key: str | None, body: bytes) -> Response:
    guard.begin(key, body)
    answer: Response | None = None
    try:
        answer = await _taken(guard.door, body)
    finally:
        guard.end(key, answer)
    return answer


async def _taken(door: Door, body: bytes) -> Response:
    """Waits until Kafka has it. Raises SentBackError otherwise."""
    try:
        records = await asyncio.to_thread(door.read, body)
    except Refusal as refusal:
        raise SentBackError(400, _sentence(refusal)) from refusal
    if not records:
        raise SentBackError(400, "The body holds no rows. Send at least one.")
    if (fault := next((one.fault for one in records if one.fault is not None), None)) is not None:
        raise SentBackError(400, _sentence(fault))  # a body that breaks off is taken in no part
    if len(records) > door.inbox.room:
        raise SentBackError(413, f"The body holds {len(records):,} rows, more than {door.inbox.room:,}. Send fewer in one call.")
    call = door.inbox.put(records)
    if call is None:
        raise SentBackError(503, "Too many rows wait for Kafka. Send it again.", AGAIN)
    try:
        answer = await asyncio.wait_for(asyncio.wrap_future(call.answer), door.rules.patience)
    except TimeoutError:
        door.inbox.give_up(call)
        raise SentBackError(
            503, "Kafka did not take it in time. Send it again: what came through is recognised.", AGAIN
        ) from None
    if not answer.taken:
        raise SentBackError(503, f"{answer.why} Send it again: what came through is recognised.", AGAIN)
    return JSONResponse(_told(answer))


def _sentence(refusal: Refusal) -> str:
    return f"{refusal.found[:1].upper()}{refusal.found[1:]}. {refusal.instead}."


def _told(answer: Answer) -> dict[str, Any]:
    rows = [
        {"row": number, "events": one.events} | ({"refused": one.reason, "text": one.text} if one.reason else {})
        for number, one in enumerate(answer.rows, 1)
    ]
    return {
        "rows": rows,
        "taken": sum(not one.reason for one in answer.rows),
        "refused": sum(bool(one.reason) for one in answer.rows),
    }


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(CALLS)  # callers may come from now on, though the server's thread has only just begun
    except OSError as error:
        made.close()
        raise _untakable(host, port, error) from error
    return made


def _untakable(host: str, port: int, error: OSError) -> ConfigurationError:
    found = f"Calls cannot be taken at {host}:{port}: {error.strerror}."
    if error.errno != errno.EADDRINUSE:
        return ConfigurationError(f"{found} Write a listen: of this machine.")
    return ConfigurationError(
        f"{found} End what uses it, or write another listen:. Where it is another worker on this machine, which takes calls "
        "there for connectors of its own: give each connector a listen: of its own, or run one worker here."
    )


_gates: dict[tuple[str, int, TLS | None], Gate] = {}
_lock = threading.Lock()


def gate(host: str, port: int, tls: TLS | None) -> Gate:
    """The server of this address in this process, started where it does not run yet. Raises ConfigurationError."""
    with _lock:
        return _gate(host, port, tls)


def enter(address: tuple[str, int, TLS | None], door: Door) -> Gate:
    """The server of this address with this door open. Raises ConfigurationError."""
    with _lock:  # nobody may leave between the two
        made = _gate(*address)
        made.open(door)
        return made


def leave(address: tuple[str, int, TLS | None]) -> None:
    """Free the address where no door of it is open: another worker of this machine may have the connector now."""
    with _lock:
        if (made := _gates.get(address)) is not None and made.idle:
            del _gates[address]
            made.close()


def _gate(host: str, port: int, tls: TLS | None) -> Gate:
    key = (host, port, tls)
    if key not in _gates:
        _gates[key] = Gate(host, port, tls)
    return _gates[key]
