"""Least rights, for real: a deployment in which each process is somebody, on a Kafka that gives nobody more than was applied."""

from __future__ import annotations

import gc
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from guarded_kafka import PASSWORD, Guarded, certificates, guarded, topics
from kafka.errors import KafkaError

import casebus
from bus import acl, connect
from bus.acl_admin import Rights
from bus.errors import ConfigurationError
from bus.ports import Client, Message, Partition
from bus.settings import Security
from bus.topics import DEADLETTERS, DELIVERIES, EVENTS, Topic
from casebus.commands import acl as command
from casebus.supervisor import end_markers
from schemas.codec import default

pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]

LIBRARIES = ["kafka-python", "confluent"]
USERS = ("connect", "router", "deliver", "monitor", "auditor", "operator", "environment", "water")
ACCESS = """
access:
  services: {connect: "User:connect", route: "User:router", deliver: "User:deliver", monitor: "User:monitor",
             audit: "User:auditor", operate: "User:operator"}
  connectors:
    permits: {authorities: ["environment@*"], principal: "User:CN=permits", department: "User:environment"}
    water: {authorities: ["water@*"], department: "User:water"}
"""
WATER = """
kind: kafka
source: {topic: approval.ingress.water}
columns:
  id: {required: true}
  case: {required: true}
  by: {required: true}
  at: {type: time, required: true}
key: id
case: case
header: {authority: by, region: "'500001'", occurred_at: at}
events: [{type: Received}]
deliver: {to: "water@*", kind: kafka, target: {topic: water.inbox}}
"""
OURS = "50000120260302000001"


class City:
    """A deployment of two departments, and the Kafka that guards it."""

    def __init__(self, folder: Path, kafka: Guarded, library: str = "kafka-python") -> None:
        self.folder, self.kafka, self.library = folder, kafka, library

    def by(self, library: str) -> City:
        """The same, reached with another client."""
        return City(self.folder, self.kafka, library)

    def run(self, user: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._command(*arguments), env=self._as(user), capture_output=True, text=True, check=False)

    def start(self, user: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(self._command(*arguments), env=self._as(user), stderr=subprocess.PIPE, text=True)

    def client(self, user: str) -> Client:
        by_name = self.kafka.by_certificate if user in {"admin", "permits"} else self.kafka.by_password
        return connect(by_name(user, client=self.library))

    def publish(self, user: str, name: str, topic: str, value: dict[str, Any]) -> None:
        with closing(self.client(user)) as client, closing(client.producer(name)) as producer:
            producer.begin()
            producer.send([Message(topic, 0, None, json.dumps(value).encode(), time.time_ns() // 1_000_000)])
            producer.commit()

    def values(self, user: str, topic: str) -> list[bytes]:
        with closing(self.client(user)) as client:
            places = dict.fromkeys(client.ends([topic]), 0)
            return [record.value or b"" for batch in client.read(places) for record in batch]

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "casebus", *arguments]

    def _as(self, user: str) -> dict[str, str]:
        return os.environ | {"KAFKA_USER": user, "KAFKA_PASSWORD": PASSWORD.format(user), "KAFKA_CLIENT": self.library}


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """`casebus acl apply` has given each its rights; the topics of deliveries are there."""
    folder = tmp_path_factory.mktemp("city") / "city"
    shutil.copytree(Path(casebus.__file__).parent / "templates" / "init", folder)
    with guarded(tmp_path_factory.mktemp("guarded"), ["permits"]) as kafka:
        kafka.enlist(USERS)
        _settings(folder, kafka)
        found = City(folder, kafka)
        with closing(found.client("admin")) as admin:
            admin.create([Topic(name, "case", 1) for name in ("water.inbox", "permits.inbox")])
        given = found.run("admin", "acl", "apply", str(folder / "admin.yaml"), "--yes")
        assert given.returncode == 0, given.stderr
        yield found
        gc.collect()  # producers that were refused lie in the tracebacks of that, and would look for this broker for ever


def _settings(folder: Path, kafka: Guarded) -> None:
    """`casebus.yaml` for those with a password; `admin.yaml` and `permits.yaml` for those with a certificate."""
    tls = kafka.folder / "tls"
    secret = f"username: '${{KAFKA_USER}}', password: '${{KAFKA_PASSWORD}}', cafile: {tls}/ca.pem"
    _write(folder / "casebus.yaml", kafka.scram, f"{{protocol: SASL_SSL, mechanism: SCRAM-SHA-512, {secret}}}")
    for name in ("admin", "permits"):
        files = f"cafile: {tls}/ca.pem, certfile: {tls}/{name}.pem, keyfile: {tls}/{name}.pem"
        _write(folder / f"{name}.yaml", kafka.mutual, f"{{protocol: SSL, {files}}}")
    (folder / "connectors/water.yaml").write_text(WATER, "utf-8")
    with (folder / "connectors/permits.yaml").open("a", encoding="utf-8") as file:
        file.write("deliver: {to: environment@500000, kind: kafka, target: {topic: permits.inbox}}\n")
    with (folder / "directory/authorities.csv").open("a", encoding="utf-8") as file:
        file.write("示范区水利局,water,500001\n")


def _write(file: Path, address: str, security: str) -> None:
    kafka = f"kafka: {{brokers: '{address}', partitions: 2, client: '${{KAFKA_CLIENT:-kafka-python}}', security: {security}}}"
    file.write_text(f"name: city\n{kafka}\ncalendar: {{country: CN, files: [calendars/2026.yaml]}}\n{ACCESS}", "utf-8")


def test_the_whole_pipeline_works_under_least_rights(city: City) -> None:
    """Each process is somebody with its own rights: from two departments' rows to figures, a delivery and a clean audit."""
    folder = str(city.folder)
    for number, by in enumerate(("water@500001", "environment@500001")):
        row = {"id": f"W-{number}", "case": OURS, "by": by, "at": "2026-03-04T09:00"}
        city.publish("water", "water:1", "approval.ingress.water", row)
    router = city.start("router", "route", folder)
    try:
        sent = city.run("permits", "connect", str(city.folder / "permits.yaml"), "--only", "permits", "--exit")
        taken = city.run("connect", "connect", folder, "--only", "water", "--exit")
        assert (sent.returncode, taken.returncode) == (0, 0), sent.stderr + taken.stderr
        _mark(city, "run")
        seen = city.run("monitor", "monitor", folder, "--until", "run")
        assert seen.returncode == 0, seen.stderr
    finally:
        router.terminate()
        said = router.communicate(timeout=30)[1]
    assert "may not" not in said
    delivered = city.run("deliver", "deliver", folder, "--exit")
    assert delivered.returncode == 0, delivered.stderr
    (received,) = city.values("environment", "permits.inbox")
    assert json.loads(received)["case"] == f"case:{OURS}"
    audited = city.run("auditor", "audit", folder)
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_the_same_services_work_with_the_other_client(city: City) -> None:
    """`client: confluent` under the same least rights, by password and by certificate: a row through all services, audited."""
    city, folder = city.by("confluent"), str(city.folder)
    row = {"id": "W-confluent", "case": OURS, "by": "water@500001", "at": "2026-03-05T09:00"}
    city.publish("water", "water:1", "approval.ingress.water", row)
    router = city.start("router", "route", folder)
    try:
        sent = city.run("permits", "connect", str(city.folder / "permits.yaml"), "--only", "permits", "--exit")
        taken = city.run("connect", "connect", folder, "--only", "water", "--exit")
        assert (sent.returncode, taken.returncode) == (0, 0), sent.stderr + taken.stderr
        _mark(city, "again")
        for user, *arguments in (("monitor", "monitor", folder, "--until", "again"), ("deliver", "deliver", folder, "--exit")):
            done = city.run(user, *arguments)
            assert done.returncode == 0, done.stderr
    finally:
        router.terminate()
        said = router.communicate(timeout=30)[1]
    assert "may not" not in said
    audited = city.run("auditor", "audit", folder)
    assert audited.returncode == 0, audited.stdout + audited.stderr
    values = [value for value in city.values("operator", EVENTS.name) if default().written(value)[0] == "Received"]
    published = [default().decode(value).header["source"]["key"] for value in values]
    assert published.count("W-confluent") == 1


def test_a_connector_that_speaks_for_another_department_is_refused_with_the_reason(city: City) -> None:
    """The second row of the water office says that the environment bureau did it: Kafka cannot know, the router does."""
    letters = [default().decode_record(value)[1] for value in city.values("operator", DEADLETTERS.name)]
    (letter,) = [one for one in letters if one["reason"] == "foreign_authority"]
    assert letter["system"] == "water"
    assert "water may not speak for environment@500001, only for water@*" in letter["text"]


def test_an_operator_can_act_and_an_auditor_cannot(city: City) -> None:
    """Orders to connectors and acts on dead letters, under the operator's rights and no others."""
    folder = str(city.folder)
    letter, *_ = json.loads(city.run("operator", "deadletters", "list", folder, "--json").stdout)
    for arguments in (
        ("connector", "pause", "water", folder),
        ("deadletters", "dismiss", letter["id"], folder, "--why", "told them"),
    ):
        done = city.run("operator", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    refused = city.run("auditor", "connector", "resume", "water", folder)
    assert refused.returncode == 2
    assert "User:auditor may not WRITE under the transactional id" in refused.stderr


def _write_ingress(city: City) -> None:
    city.publish("environment", "permits:1", "approval.ingress.water", {})


def _write_events(city: City) -> None:
    city.publish("environment", "permits:1", EVENTS.name, {})


def _take_its_id(city: City) -> None:
    city.publish("environment", "water:1", "approval.ingress.water", {})


def _fence_its_connector(city: City) -> None:
    city.client("environment").producer("connector-water")


def _fence_by_another_connector(city: City) -> None:
    city.client("permits").producer("connector-water")


def _read(topic: str, user: str = "environment") -> Callable[[City], object]:
    return lambda city: list(city.client(user).read({Partition(topic, 0): 0}))


def _read_events(city: City) -> None:
    """Where there is something to read: of a topic that is empty nothing is asked."""
    _mark(city, "seen")
    _read(EVENTS.name, "monitor")(city)


def _mark(city: City, run: str) -> None:
    with closing(city.client("operator")) as client, closing(client.producer("city-up")) as producer:
        producer.begin()
        producer.send(end_markers(default(), run, [0, 1]))
        producer.commit()


def _join(city: City) -> None:
    with closing(city.client("environment").consumer("water:1", ["permits.inbox"])) as member:
        member.poll(3.0)


def _give(city: City) -> None:
    with Rights(city.kafka.by_password("environment")) as rights:
        rights.add([acl.Right("User:environment", acl.Resource(acl.Kind.TOPIC, EVENTS.name), acl.Operation.READ)])


FORBIDDEN: dict[str, Callable[[City], object]] = {
    "write B's ingress": _write_ingress,
    "write the events of all": _write_events,
    "take B's transactional id": _take_its_id,
    "fence B's connector": _fence_its_connector,
    "fence B's connector from A's connector": _fence_by_another_connector,
    "read B's ingress": _read("approval.ingress.water"),
    "read B's deliveries": _read("water.inbox"),
    "read everybody's deliveries": _read(DELIVERIES.name),
    "read the events of all": _read(EVENTS.name),
    "read the events as their monitor": _read_events,
    "join B's group": _join,
    "give itself a right": _give,
}


#: In which words each is told: who may not do what.
REFUSED = {
    "write B's ingress": "User:environment may not WRITE the topic approval.ingress.water",
    "write the events of all": "User:environment may not WRITE the topic approval.events",
    "take B's transactional id": "User:environment may not WRITE under the transactional id water:1",
    "fence B's connector": "User:environment may not WRITE under the transactional id connector-water",
    "fence B's connector from A's connector": "User:CN=permits may not WRITE under the transactional id connector-water",
    "read B's ingress": "There is no topic approval.ingress.water, or User:environment may not see it",
    "read B's deliveries": "There is no topic water.inbox, or User:environment may not see it",
    "read everybody's deliveries": "There is no topic case.deliveries, or User:environment may not see it",
    "read the events of all": "There is no topic approval.events, or User:environment may not see it",
    "read the events as their monitor": "User:monitor may not READ the topic approval.events",
    "join B's group": "User:environment may not READ the group water:1",
    "give itself a right": "While giving rights: User:environment may not",
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_department_can_neither_read_nor_write_what_is_anothers(city: City, what: str, library: str) -> None:
    """Kafka itself says no, to either client, and we say who may not do what and where rights are given."""
    with pytest.raises(ConfigurationError) as told:
        FORBIDDEN[what](city.by(library))
    assert re.search(REFUSED[what], str(told.value))
    assert re.search("`casebus acl plan` shows|Run this as an administrator", str(told.value))


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("certificate", ["stranger", None])
def test_a_certificate_that_nobody_vouches_for_is_no_door(
    city: City, tmp_path: Path, library: str, certificate: str | None
) -> None:
    """Mutual TLS: one whom another authority signed is turned away, and who has none; the same call by the right one works."""
    certificates(tmp_path / "tls", ["stranger"])
    files = {"certfile": tmp_path / "tls/stranger.pem", "keyfile": tmp_path / "tls/stranger.pem"} if certificate else {}
    right = city.kafka.by_certificate("permits")
    wrong = right.model_copy(update={"security": Security(protocol="SSL", cafile=right.security.cafile, **files)})
    assert topics(right, library, 20)
    with pytest.raises((KafkaError, KafkaException)):
        topics(wrong, library, 2.5)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_department_can_do_what_is_its_own(city: City, library: str) -> None:
    """The same calls, each by the one whose it is: what was refused above was refused for who asked."""
    city = city.by(library)
    city.publish("water", "water:2", "approval.ingress.water", {"id": "W-9"})
    assert city.values("water", "water.inbox") == []
    with closing(city.client("water").consumer("water:1", ["water.inbox"])) as member:
        assert member.poll(0.1) == []


def _right(who: str, topic: str, *, prefixed: bool = False) -> acl.Right:
    return acl.Right(who, acl.Resource(acl.Kind.TOPIC, topic, prefixed), acl.Operation.READ)


def test_what_is_too_much_is_taken_back_and_what_is_others_is_let_be(city: City, capsys: pytest.CaptureFixture[str]) -> None:
    """After a hand gave a department all topics: one plan tells it, one apply mends it, and strangers' rights stand."""
    wide = _right("User:environment", "approval.", prefixed=True)
    own = _right("User:environment", "environment.own")
    stranger = _right("User:auditors-office", EVENTS.name)
    admin = city.folder / "admin.yaml"
    with Rights(city.kafka.by_certificate("admin")) as rights:
        rights.add([wide, own, stranger])
    assert command.plan(admin, as_json=True) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["name"] for one in found["remove"]] == ["approval."]
    assert [one["principal"] for one in found["others"]] == ["User:auditors-office"]
    assert found["add"] == []
    assert command.apply(admin, yes=False, as_json=False) == 1  # nobody to ask: nothing changes
    assert command.apply(admin, yes=True, as_json=False) == 0
    with Rights(city.kafka.by_certificate("admin")) as rights:
        there = set(rights.there())
    assert {own, stranger} <= there
    assert wide not in there
    capsys.readouterr()
    assert command.plan(admin, as_json=False) == 0
    assert "exactly the rights that this deployment needs" in capsys.readouterr().out


def test_who_is_no_administrator_is_told_so(city: City) -> None:
    """A sentence, no traceback: the router's password does not change rights."""
    tried = city.run("router", "acl", "plan", str(city.folder))
    assert tried.returncode == 2
    assert "Run this as an administrator of the brokers" in tried.stderr


def test_a_kafka_that_checks_nothing_says_so(broker: Any, tmp_path: Path) -> None:
    """Without an authorizer there are no rights to look at: every department could read everything."""
    folder = tmp_path / "open"
    shutil.copytree(Path(casebus.__file__).parent / "templates" / "init", folder)
    access = 'access: {services: {route: "User:router"}}\n'
    (folder / "casebus.yaml").write_text(f"name: open\nkafka: {{brokers: '{broker.bootstrap}'}}\n{access}", "utf-8")
    with pytest.raises(ConfigurationError, match="checks no rights"):
        command.plan(folder, as_json=False)
