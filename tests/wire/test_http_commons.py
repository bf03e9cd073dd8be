"""What departments share at one door: a noisy one is sent away before it crowds the others out."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from connector_world import connector
from http_world import GATE, STEP, TOKEN, Bureau, source

from connectors.source import Source
from connectors.web.commons import Commons


@pytest.fixture
def noisy(tmp_path: Path) -> Iterator[Source]:
    """A second department at the same address, for which nobody works just now: its calls wait."""
    opened = connector(tmp_path, source(patience=5), name="noisy").open()
    yield opened
    opened.close()


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    made = Bureau(tmp_path).work()
    yield made
    made.close()


def call(number: int) -> socket.socket:
    """A call of the noisy one, sent and not answered yet."""
    row = json.dumps(STEP | {"id": str(number)}).encode()
    head = "POST /in/noisy HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
    made = socket.create_connection(("127.0.0.1", GATE.port), 20)
    made.sendall(f"{head}Authorization: Bearer {TOKEN}\r\nContent-Length: {len(row)}\r\n\r\n".encode() + row)
    return made


def test_a_noisy_department_does_not_starve_the_others(bureau: Bureau, noisy: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have half of all places, whatever it sends; the other one is answered all the while."""
    monkeypatch.setattr(GATE._work, "room", 20)
    waiting = [call(number) for number in range(10)]
    while GATE._work.held < 10:
        time.sleep(0.005)
    with call(11) as one_more:
        answer = one_more.recv(1000)
    assert answer.startswith(b"HTTP/1.1 429")
    assert b"retry-after" in answer.lower()
    assert [bureau.send(STEP | {"id": str(number)}).status_code for number in range(5)] == [200] * 5
    noisy.close()
    assert all(one.recv(1000).startswith(b"HTTP/1.1 503") for one in waiting)
    assert GATE._work.held == 0
    for one in waiting:
        one.close()


def test_the_memory_for_bodies_is_shared_too(bureau: Bureau, noisy: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bodies count by their bytes."""
    monkeypatch.setattr(GATE._shelf._commons, "room", 1000)
    url = f"http://127.0.0.1:{GATE.port}/in/noisy"
    body = json.dumps(STEP | {"who": "x" * 600})
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    answer = httpx.post(url, content=body, headers=headers, trust_env=False)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert "fill so much memory" in answer.json()["error"]
    assert bureau.send(STEP).status_code == 200


@pytest.mark.parametrize(
    ("held", "systems", "crowded"),
    [
        ({"a": 100}, 1, False),
        ({"a": 50}, 2, False),
        ({"a": 51}, 2, True),
        ({"a": 26, "b": 25}, 4, True),
        ({"a": 25, "b": 60}, 4, False),
    ],
)
def test_each_has_its_part_and_more_while_half_is_free(held: dict[str, int], systems: int, crowded: bool) -> None:
    """Of a hundred places, asked for a."""
    commons = Commons(100)
    for system, amount in held.items():
        commons.take(system, amount)
    assert commons.crowded("a", systems) is crowded
