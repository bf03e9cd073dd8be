"""Connectors ordered about over the API, by those who run the bus and by nobody else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from bus.errors import ConfigurationError, RetryError
from monitor.web.app import build

STANDING = {
    "name": "dep", "state": "RUNNING", "kind": "sql", "about": "", "file": "dep.yaml", "worker": "a", "since": 1, "passed": 2,
    "position": "7", "rows": 3, "events": 3, "letters": 0, "error": "", "due": 0, "file_error": "",
}  # fmt: skip


class Operators:
    """Notes what it was asked."""

    def __init__(self):
        self.asked = []
        self.fails = None

    def reachable(self):
        return True

    def standings(self):
        return [STANDING]

    def order(self, name, word, by):
        if self.fails:
            raise self.fails
        self.asked.append((name, word, by))

    def rewind(self, name, to, by, *, dry):
        self.asked.append((name, to, by, dry))
        return {"now": "7", "then": to, "rows": 3 if dry else None, "order": None if dry else "o1"}


@pytest.fixture
def operators():
    return Operators()


@pytest.fixture
def ask(site, operators):
    web = TestClient(build(replace(site, operators=operators)))

    def asked(name, path, **body):
        headers = {"Authorization": f"Bearer {site.accounts.new_token(name, 0)}"}
        return (
            web.post(f"/api/v1{path}", json=body, headers=headers)
            if "get" not in body
            else web.get(f"/api/v1{path}", headers=headers)
        )

    return asked


def test_an_operator_sees_and_orders(ask, operators):
    """Each order with the name of whoever gave it."""
    assert ask("machine", "/connectors", get=True).json() == [STANDING]
    for word in ("pause", "resume", "restart"):
        assert ask("machine", f"/connectors/dep/{word}").status_code == 202
    dry = ask("machine", "/connectors/dep/rewind", to="3", dry_run=True)
    assert dry.json() == {"now": "7", "then": "3", "rows": 3, "order": None}
    assert ask("machine", "/connectors/dep/rewind", beginning=True).json()["order"] == "o1"
    orders = [("dep", word, "machine") for word in ("pause", "resume", "restart")]
    assert operators.asked == [*orders, ("dep", "3", "machine", True), ("dep", None, "machine", False)]


def test_orders_stand_with_who_looked_at_what(ask, site):
    """A dry run is no order."""
    ask("machine", "/connectors/dep/pause")
    ask("machine", "/connectors/dep/rewind", beginning=True, dry_run=True)
    ask("machine", "/connectors/dep/rewind", beginning=True)
    looks = [(look.what, look.about) for look in site.accounts.looks(10) if look.what.startswith("connector:")]
    assert sorted(looks) == [("connector:pause", "dep"), ("connector:rewind", "dep")]


@pytest.mark.parametrize("name", ["chief", "auditor", "county"])
def test_nobody_else_does(ask, operators, name):
    """Neither see nor order."""
    assert ask(name, "/connectors", get=True).status_code == 403
    assert ask(name, "/connectors/dep/pause").status_code == 403
    assert operators.asked == []


@pytest.mark.parametrize(
    ("error", "status"),
    [(LookupError("There is no dep."), 404), (ConfigurationError("no position"), 422), (RetryError("Kafka is away"), 503)],
)
def test_what_goes_wrong_is_said(ask, operators, error, status):
    """With a code that a program can act by."""
    operators.fails = error
    answer = ask("machine", "/connectors/dep/pause")
    assert (answer.status_code, answer.json()["detail"]) == (status, str(error.args[0]))


@pytest.mark.parametrize("body", [{}, {"to": "3", "beginning": True}])
def test_going_back_needs_a_place(ask, operators, body):
    """One of two."""
    assert ask("machine", "/connectors/dep/rewind", **body).status_code == 422
    assert ask("machine", "/connectors/dep/explode").status_code == 422
    assert operators.asked == []


def test_a_page_without_a_bus_says_so(site):
    """As for other acts."""
    headers = {"Authorization": f"Bearer {site.accounts.new_token('machine', 0)}"}
    assert TestClient(build(site)).get("/api/v1/connectors", headers=headers).status_code == 503
