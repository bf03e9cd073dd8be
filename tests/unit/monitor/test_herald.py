"""Alerts reach people by a webhook at least once; who does not answer holds nobody up."""

from __future__ import annotations

import http.server
import json
import threading

import monitor_world as world
import pytest
from sqlalchemy import insert, select

from bus.errors import RetryError
from monitor import tables
from monitor.herald import Herald
from monitor.settings import Webhook
from monitor.view import View


@pytest.fixture
def view(tmp_path):
    opened = View.at(tmp_path / "view.db")
    yield opened
    opened.close()


@pytest.fixture
def post_office():
    """A receiver that notes what it gets and answers as it is told."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            office.got.append((self.headers.get("Authorization"), json.loads(body)))
            self.send_response(office.answers.pop(0) if office.answers else 204)
            self.end_headers()

        def log_message(self, *_):
            """Say nothing."""

    office = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    office.got, office.answers = [], []
    thread = threading.Thread(target=office.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield office
    office.shutdown()
    thread.join()
    office.server_close()


def herald(view, office, now=10):
    webhook = Webhook(url=f"http://127.0.0.1:{office.server_port}/alerts", headers={"Authorization": "Bearer x"}, timeout=2)
    return Herald(view, webhook, lambda: world.at(now))


def waits(view, alert, hour=9):
    row = {"alert": alert, "type": "AlertRaised", "raised_at": world.at(hour), "text": "承诺时限已过", "attempt": 1}
    with view.writing() as connection:
        connection.execute(insert(tables.alerts), {**tables.empty_row(tables.alerts), **row})


def test_what_waits_is_told_once_with_the_receivers_own_headers(view, post_office):
    """A token opens the door; what was taken is not told again."""
    waits(view, "a1")
    assert herald(view, post_office).tell() == 1
    assert herald(view, post_office).tell() == 0
    ((token, body),) = post_office.got
    assert token == "Bearer x"
    assert [(one["alert"], one["text"]) for one in body["alerts"]] == [("a1", "承诺时限已过")]


def test_what_nobody_took_waits_and_is_told_again(view, post_office):
    """At least once: an answer of failure is no receipt."""
    waits(view, "a1")
    post_office.answers = [503]
    with pytest.raises(RetryError, match="took no alerts"):
        herald(view, post_office).tell()
    assert herald(view, post_office).tell() == 1
    assert [body["alerts"][0]["alert"] for _, body in post_office.got] == ["a1", "a1"]


def test_what_is_a_day_old_is_no_news(view, post_office):
    """Whoever sets a webhook up is not told last year's alerts."""
    waits(view, "old")
    assert herald(view, post_office, now=40).tell() == 0
    assert post_office.got == []
    assert view.all(select(tables.alerts.c.told)) == [(True,)]


def test_the_herald_ends_with_its_monitor(view, post_office):
    """Its thread does not outlive it."""
    with herald(view, post_office) as one:
        assert one._thread.is_alive()
    assert not one._thread.is_alive()
