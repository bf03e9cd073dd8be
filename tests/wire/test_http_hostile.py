"""Kind `http` under callers who mean harm, or come all at once: a clear answer, bounded memory, nothing lost."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from http_world import GATE, STEP, TOKEN, Bureau

from bus.errors import ConfigurationError
from connectors.source import SourceRecord
from connectors.web import body, gate, patience
from connectors.web.doors import Door, Rules
from connectors.web.gate import TLS, Guard
from connectors.web.inbox import Inbox

HEAD = f"POST /in/dep HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    made = Bureau(tmp_path).work()
    yield made
    made.close()


def until(true: Callable[[], bool]) -> None:
    """Within a time in which it must be: a wait without end would hold all other tests up."""
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def closed_after(line: socket.socket, trickle: bytes = b"") -> float:
    """Seconds until the server ends the connection, while a byte comes now and then."""
    begun = time.monotonic()
    line.settimeout(0.05)
    while time.monotonic() - begun < 5:
        try:
            if trickle:
                line.sendall(trickle)
            if line.recv(1000) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - begun


@pytest.mark.parametrize("head", [b"", b"POST /in/dep HTTP/1.1\r\nX: "], ids=["silent", "byte by byte"])
def test_a_head_that_does_not_come_holds_no_connection(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    """A slow loris: more bytes of an unfinished head win no time."""
    monkeypatch.setattr(patience, "HEAD", 0.3)
    with socket.create_connection(("127.0.0.1", GATE.port)) as slow:
        slow.sendall(head)
        assert closed_after(slow, b"x" if head else b"") < 2


def test_a_body_that_trickles_after_its_refusal_holds_no_connection(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a token one is not listened to for long."""
    monkeypatch.setattr(patience, "HEAD", 0.3)
    head = HEAD.replace(TOKEN, "wrong") + "Content-Length: 1000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", GATE.port)) as slow:
        slow.sendall(head.encode())
        assert slow.recv(1000).startswith(b"HTTP/1.1 401")
        assert closed_after(slow, b"x") < 2


def test_a_connection_at_work_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of heads is not that of answers: whoever waits for Kafka waits on."""
    monkeypatch.setattr(patience, "HEAD", 0.05)
    bureau = Bureau(tmp_path, patience=0.4)
    opened = bureau.found.open(bureau.cluster)
    answer = bureau.send(STEP)  # nobody settles it
    opened.close()
    bureau.close()
    assert (answer.status_code, "in time" in answer.json()["error"]) == (503, True)


def test_a_body_of_200_mb_is_refused_before_it_is_read(bureau: Bureau) -> None:
    """At ten megabytes (`largest`), of which no more is kept; the next call is served."""
    piece, sent = bytes(1 << 20), 0
    with socket.create_connection(("127.0.0.1", GATE.port)) as line:
        line.sendall((HEAD + f"Content-Length: {200 << 20}\r\n\r\n").encode())
        line.settimeout(0)
        answer = b""
        while not answer and sent < 200 << 20:
            try:
                sent += line.send(piece)
                answer = line.recv(1000)
            except BlockingIOError:
                time.sleep(0.001)
    assert answer.startswith(b"HTTP/1.1 413")
    assert sent < 100 << 20
    assert bureau.send(STEP).status_code == 200


def test_the_bodies_of_all_callers_share_one_memory(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many that are each allowed would be too much together: who comes last is sent away and comes again."""
    monkeypatch.setattr(GATE._shelf._commons, "room", 0)
    monkeypatch.setattr(GATE, "_guards", {"dep": GATE._guards["dep"]})  # of several each would have a part of its own
    large = f"{HEAD}Content-Length: {8 << 20}\r\n\r\n".encode() + b" " * (7 << 20)
    with (
        socket.create_connection(("127.0.0.1", GATE.port)) as one,
        socket.create_connection(("127.0.0.1", GATE.port)) as two,
    ):
        one.sendall(large)
        until(lambda: GATE._shelf._commons.held >= 7 << 20)
        two.sendall(large)
        answer = two.recv(1000)
    assert answer.startswith(b"HTTP/1.1 503")
    assert b"retry-after" in answer.lower()
    until(lambda: not GATE._shelf._commons.held)
    assert bureau.send(STEP).status_code == 200


def test_more_rows_than_there_is_room_for_are_not_asked_for_again(tmp_path: Path) -> None:
    """Sending them again would never help: the caller is told to send fewer."""
    bureau = Bureau(tmp_path, room=2).work()
    answer = bureau.send([STEP] * 3)
    bureau.close()
    assert (answer.status_code, "Send fewer" in answer.json()["error"]) == (413, True)


def test_a_key_at_work_is_not_forgotten_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many calls were answered meanwhile."""
    monkeypatch.setattr(gate, "REMEMBERED", 2)
    guard = Guard(Door("dep", Rules([], frozenset(), 1, 1, 1), Inbox(1), lambda _: [], {}))
    answer = gate.JSONResponse({})
    guard.begin("slow", b"body")
    for number in range(5):
        guard.begin(str(number), b"")
        guard.end(str(number), answer)
    with pytest.raises(body.SentBackError, match="still at work"):
        guard.known("slow", b"body")
    guard.end("slow", answer)
    assert guard.known("slow", b"body") is answer
    assert guard.known("0", b"") is None


def test_a_caller_who_went_away_leaves_the_worker_alone() -> None:
    """His answer comes all the same, to nobody."""
    inbox = Inbox(10)
    call = inbox.put([SourceRecord("", 0, {}, b"")])
    assert call is not None
    assert not call.answer.cancel()
    inbox.close()
    assert not call.answer.result().taken


def test_a_certificate_that_is_none_is_told_at_once(tmp_path: Path) -> None:
    """Not by a server that dies in a thread of its own while its connector seems to run."""
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("no certificate", "utf-8")
    with pytest.raises(ConfigurationError, match="Write certfile: and keyfile: of one pair"):
        gate.Gate("127.0.0.1", 0, TLS(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")))


async def _calls(count: int) -> list[int]:
    """So many connections side by side, all open before the first byte is sent."""

    async def call(number: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", GATE.port)
        ready.append(number)
        while len(ready) < count:
            await asyncio.sleep(0.01)
        row = json.dumps(STEP | {"id": str(number)}).encode()
        writer.write(f"{HEAD}Connection: close\r\nContent-Length: {len(row)}\r\n\r\n".encode() + row)
        status = int((await reader.read()).split()[1])
        writer.close()
        return status

    ready: list[int] = []
    return await asyncio.gather(*(call(number) for number in range(count)))


def test_a_thousand_callers_at_once_are_all_answered(tmp_path: Path) -> None:
    """Each has a connection of its own, each row is in Kafka once."""
    bureau = Bureau(tmp_path, calls_a_second=100_000, patience=60).work()
    answers = asyncio.run(_calls(1000))
    bureau.close()
    assert set(answers) == {200}
    assert len(bureau.keys()) == len(set(bureau.keys())) == 1000
