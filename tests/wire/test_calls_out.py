"""Deliveries as web calls: an effect once, a receipt that becomes an event, an answer that says who must act."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from connector_world import MAPPING, NOW, connector

from bus import topics
from bus.errors import ConfigurationError, RetryError
from bus.memory import Cluster
from bus.ports import Message
from connectors import deadletters, deliver
from connectors.deliver import Deliveries, Pauses, Receiver, receivers
from connectors.source import Context
from connectors.web.caller import Caller, CallSettings
from schemas.codec import default
from schemas.problem import ProblemsError
from schemas.yamlfile import Map, validated

ORDER: dict[str, Any] = {
    "delivery_id": "d1",
    "case": "case:C1",
    "sequence": 3,
    "rule": "hand_up",
    "to": "water@990101",
    "hand_over": "H1",
    "kind": "hand_over",
    "decided_at": NOW,
    "summary": {},
}
SIGNED = {"received_at": "2026-01-02T09:00:00+08:00", "receipt": "签 7"}


class Department:
    """A receiving system: answers as told, and keeps what it was sent."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, bytes]] = []
        self.headers: dict[str, str] = {}
        self.got: list[tuple[str, str, Any]] = []
        department = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                department.got.append((self.headers["Idempotency-Key"], self.headers.get("Authorization", ""), body))
                status, text = department.answers.pop(0)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **department.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                """Tests are quiet."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/inbox"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.005,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def department() -> Iterator[Department]:
    made = Department()
    yield made
    made.close()


def caller(url: str, **more: Any) -> Caller:
    return Caller(CallSettings.model_validate({"url": url} | more), Context(Path(), [], "connectors/dep.yaml"))


def test_a_delivery_is_one_post_with_its_own_key(department: Department) -> None:
    """The receiver knows by the key that it has it already, and says so."""
    department.answers = [(200, json.dumps(SIGNED).encode()), (200, b'{"repeated": true}'), (204, b"")]
    calling = caller(department.url, token="secret-of-the-department")
    first, second, third = (calling.deliver(ORDER) for _ in range(3))
    assert (first.place, first.repeated, first.signed_at) == ("签 7", False, 1_767_315_600_000_000)
    assert (second.repeated, second.signed_at, third.place) == (True, None, department.url)
    assert department.got[0] == ("d1", "Bearer secret-of-the-department", ORDER)


@pytest.mark.parametrize(
    ("status", "error"), [(500, RetryError), (503, RetryError), (429, RetryError), (404, ConfigurationError)]
)
def test_the_answer_says_who_must_act(department: Department, status: int, error: type[Exception]) -> None:
    """Time, or somebody."""
    department.answers = [(status, b"closed")]
    with pytest.raises(error, match=f"answered {status}: closed"):
        caller(department.url).deliver(ORDER)


def test_nobody_there_is_tried_again() -> None:
    """A port that nobody listens to."""
    with pytest.raises(RetryError, match="does not answer"):
        caller("http://127.0.0.1:9/inbox", timeout=1).deliver(ORDER)


@pytest.mark.parametrize("told", ["soon", "2026-01-02T09:00:00", 7])
def test_a_receipt_without_a_moment_signs_nothing(department: Department, told: Any) -> None:
    """It is delivered all the same; whoever signs later says so himself."""
    department.answers = [(200, json.dumps({"received_at": told}).encode())]
    assert caller(department.url).deliver(ORDER).signed_at is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"url": "https://host:port/inbox"}, "no address"),
        ({"url": "https://a..b/inbox"}, "no address"),
        ({"url": "https:///inbox"}, "no host"),
        ({"token": "密码"}, "of ASCII in one line"),
        ({"token": "one\ntwo"}, "of ASCII in one line"),
    ],
)
def test_what_could_never_be_called_is_told_when_it_is_read(wrong: dict[str, str], said: str) -> None:
    """Not with the first delivery: each attempt at it would fail with a word of the library's."""
    node = Map(Path("connectors/dep.yaml"), 1)
    node.update({"url": "https://water.gov.cn:8443/收件"} | wrong)
    with pytest.raises(ProblemsError, match=said) as told:
        validated(CallSettings, node)
    assert all(text not in str(told.value) for text in ("密码", "two"))


@pytest.mark.parametrize("after", ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "later", ""])
def test_a_moment_that_no_calendar_has_is_as_good_as_none(department: Department, after: str) -> None:
    """Of the answers that say when to come again."""
    department.answers, department.headers = [(503, b"full")], {"Retry-After": after}
    with pytest.raises(RetryError, match="answered 503: full"):
        caller(department.url).deliver(ORDER)


def test_an_answer_that_nobody_can_read_has_the_delivery_all_the_same(department: Department) -> None:
    """Delivered again and again it would become a dead letter at last."""
    department.answers = [(200, b"[" * 100_000)]
    assert caller(department.url).deliver(ORDER).place == department.url


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.create(topics.standard(4))
    made.publish([Message(topics.DELIVERIES.name, 0, b"water@990101", default().encode_record("Delivery", ORDER), 0)])
    return made


def run(cluster: Cluster, *found: Receiver) -> None:
    Deliveries(found, cluster, default(), "deliver", Pauses(0, 0)).run_to_end(threading.Event())


def test_a_receipt_becomes_an_event_with_the_delivery(
    cluster: Cluster, department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the transaction of the delivery: a commit that fails brings both again, and the event counts once."""
    monkeypatch.setattr(deliver, "IDLE", 0.0)
    yaml = f"deliver: {{to: '*@990101', kind: http, target: {{url: '{department.url}'}}}}\n"
    found = receivers([connector(tmp_path, mapping=MAPPING + yaml)])
    department.answers = [(200, json.dumps(SIGNED).encode())] * 2
    cluster.fail_after_commit()
    run(cluster, *found)
    events = [default().decode(one.value or b"") for one in cluster.records(topics.EVENTS.name)]
    assert {(one.type, one.case, one.body["hand_over"], one.header["authority"]) for one in events} == {
        ("Received", "case:C1", "H1", "water@990101")
    }
    assert {one.id for one in events} == {events[0].id}
    assert list(deadletters.read(cluster, default())) == []
