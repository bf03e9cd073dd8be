"""The doctor before a Kafka that asks who comes and what they may: what it finds, and that it says so where it may not look."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import guarded_kafka
import pytest
from guarded_kafka import Guarded

from bus import connect
from bus.topics import standard

pytestmark = pytest.mark.broker

HEAD = """
name: town
kafka:
  brokers: {address}
  partitions: 2
  security: {security}
access: {{services: {{route: "User:router", monitor: "User:monitor"}}}}
"""
SCRAM = "{{protocol: SASL_SSL, mechanism: SCRAM-SHA-512, username: {user}, password_file: password, cafile: {folder}/tls/ca.pem}}"
TLS = "{{protocol: SSL, cafile: {folder}/tls/ca.pem, certfile: {folder}/tls/{user}.pem, keyfile: {folder}/tls/{user}.pem}}"


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with guarded_kafka.guarded(tmp_path_factory.mktemp("guarded"), []) as running:
        running.enlist(["router"])
        client = connect(running.by_certificate("admin"))
        client.create(standard(2))
        client.close()
        yield running


def found(casebus: Any, folder: Path, address: str, security: str) -> dict[str, dict[str, str]]:
    """What `casebus doctor` says, by what it looked at."""
    (folder / "casebus.yaml").write_text(HEAD.format(address=address, security=security), "utf-8")
    ended = casebus("doctor", folder, "--json")
    assert ended.code == 2, ended.err
    return {one["what"]: one for one in json.loads(ended.out)["findings"]}


def test_a_wrong_password_is_told_from_a_broker_that_is_away(kafka: Guarded, casebus: Any, tmp_path: Path) -> None:
    """To the client both are a time-out."""
    (tmp_path / "password").write_text("wrong\n", "utf-8")
    said = found(casebus, tmp_path, kafka.scram, SCRAM.format(user="router", folder=kafka.folder))
    assert said["brokers' addresses"]["cure"] == ""
    assert said["Kafka's security"]["found"] == "the brokers turn router by SCRAM-SHA-512 away"
    assert "others may read" in said["secrets"]["found"]


def test_an_administrator_hears_which_rights_are_missing(kafka: Guarded, casebus: Any, tmp_path: Path) -> None:
    """Nobody was given any yet; everything else may be looked at."""
    said = found(casebus, tmp_path, kafka.mutual, TLS.format(user="admin", folder=kafka.folder))
    assert "may not" in said["rights"]["found"]
    assert said["rights"]["cure"] == f"Run casebus acl apply {tmp_path}."
    assert said["brokers' limits"]["found"] == "wide enough"
    assert said["topics"]["found"] == "13 there"


def test_who_may_not_look_is_told_so(kafka: Guarded, casebus: Any, tmp_path: Path) -> None:
    """A service's own principal sees neither rights nor settings, and makes no topic for the clocks."""
    (tmp_path / "password").write_text(f"{guarded_kafka.PASSWORD.format('router')}\n", "utf-8")
    (tmp_path / "password").chmod(0o600)
    said = found(casebus, tmp_path, kafka.scram, SCRAM.format(user="router", folder=kafka.folder))
    assert "administrator" in said["rights"]["cure"]
    assert "not asked" in said["brokers' limits"]["found"]
    assert said["secrets"]["cure"] == ""
