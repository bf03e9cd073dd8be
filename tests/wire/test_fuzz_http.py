"""Callers who send anything to a connector's door: a clear answer in time, and the next call is served."""

from __future__ import annotations

import json
import re
import socket
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from hostile import TREES, broken, changed, dear
from http_world import GATE, STEP, TOKEN, Bureau
from hypothesis import given
from hypothesis import strategies as st

BODY = json.dumps(STEP).encode()
HEAD = f"POST /in/dep HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n"
CALL = f"{HEAD}Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    made = Bureau(tmp_path_factory.mktemp("bureau"), calls_a_second=100_000).work()
    yield made
    made.close()


def answered(raw: bytes) -> list[int]:
    """The statuses of what comes back until the server closes, or within the time in which it must."""
    with socket.create_connection(("127.0.0.1", GATE.port), timeout=20) as line:
        line.sendall(raw)
        line.shutdown(socket.SHUT_WR)
        found = b""
        while piece := line.recv(65_536):
            found += piece
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", found)]


@dear
@given(data=st.data())
def test_bytes_that_are_nearly_a_call(bureau: Bureau, data: st.DataObject) -> None:
    """Faults anywhere in head and body, by one who has the token. A system that nobody serves is a 503."""
    raw = data.draw(st.one_of(broken(CALL), st.binary(max_size=200), st.just(CALL * 2).flatmap(broken)))
    begun = time.monotonic()
    assert {status for status in answered(raw) if status >= 500} <= {503}, raw
    assert time.monotonic() - begun < 15  # a head that does not come is waited for, on a busy machine
    assert bureau.caller.get("/health").status_code == 200


@dear
@given(data=st.data())
def test_a_body_of_anything(bureau: Bureau, data: st.DataObject) -> None:
    """Trees, and text with faults: taken, refused by row, or sent back."""
    tree = st.one_of(changed([STEP, STEP | {"id": "2"}]), TREES)
    text = data.draw(st.one_of(tree.map(lambda one: json.dumps(one).encode()), broken(BODY)))
    answer = bureau.send(text)
    assert answer.status_code in {200, 400, 413}, answer.text
    assert answer.json()


@pytest.mark.parametrize("text", [b"[" * 200_000, b'{"a":' * 100_000, b"1" * 100_000, b'"\\ud800"', b"[1e999999]", b"[NaN]"])
def test_a_body_that_stops_readers_of_json(bureau: Bureau, text: bytes) -> None:
    """A tower of brackets, a number without end, half a character."""
    assert bureau.send(text).status_code == 400
    assert bureau.send(STEP).status_code == 200


def test_what_is_sent_is_not_kept(bureau: Bureau) -> None:
    """Sixty bodies of a hundred kilobytes that are refused leave no memory behind."""
    large = b'{"id": "' + b"x" * 100_000
    bureau.send(large)
    tracemalloc.start()
    try:
        for _ in range(60):
            assert bureau.send(large).status_code == 400
        assert tracemalloc.get_traced_memory()[0] < 4 << 20
    finally:
        tracemalloc.stop()
