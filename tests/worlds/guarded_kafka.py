"""A Kafka that checks who comes (SCRAM or certificate, over TLS) and what they may (StandardAuthorizer), for tests of rights.

Nobody but the administrator and the broker itself may anything until it is given.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from kafka.admin import KafkaAdminClient, ScramMechanism, UserScramCredentialUpsertion

from bus import node
from bus.addresses import free_ports
from bus.broker import new_id
from bus.cluster import Cluster, Ports
from bus.jars import fetch
from bus.java import java
from bus.node import Node
from bus.settings import KafkaSettings

PASSWORD = "geheim-{}"


def topics(settings: KafkaSettings, client: str, patience: float) -> list[str]:
    """Ask the brokers something, by one client, within so many seconds: neither says at once that it was turned away."""
    if client == "confluent":
        return list(AdminClient(settings.confluent() | {"log_level": 0}).list_topics(timeout=patience).topics)
    admin = KafkaAdminClient(**settings.kafka_python(), bootstrap_timeout_ms=int(patience * 1000))
    try:
        return list(admin.list_topics())
    finally:
        admin.close()


class Guarded:
    """The running broker: `scram` and `mutual` are its two addresses."""

    def __init__(self, folder: Path, scram: int, mutual: int) -> None:
        self.folder = folder
        self.scram, self.mutual = f"127.0.0.1:{scram}", f"127.0.0.1:{mutual}"

    def by_password(self, user: str, **more: Any) -> KafkaSettings:
        security = {
            "protocol": "SASL_SSL", "mechanism": "SCRAM-SHA-512", "username": user, "password": PASSWORD.format(user),
            "cafile": self.folder / "tls/ca.pem",
        }  # fmt: skip
        return KafkaSettings(brokers=self.scram, security=security, partitions=2, **more)

    def by_certificate(self, name: str, **more: Any) -> KafkaSettings:
        tls = self.folder / "tls"
        security = {"protocol": "SSL", "cafile": tls / "ca.pem", "certfile": tls / f"{name}.pem", "keyfile": tls / f"{name}.pem"}
        return KafkaSettings(brokers=self.mutual, security=security, partitions=2, **more)

    def enlist(self, users: Sequence[str]) -> None:
        """Names and passwords, as an administrator who came by certificate."""
        admin = KafkaAdminClient(**self.by_certificate("admin").kafka_python())
        wanted = [
            UserScramCredentialUpsertion(user, ScramMechanism.SCRAM_SHA_512, PASSWORD.format(user), iterations=4096)
            for user in users
        ]
        try:
            assert not any(admin.alter_user_scram_credentials(wanted).values())
        finally:
            admin.close()


@contextmanager
def guarded(folder: Path, names: Sequence[str]) -> Iterator[Guarded]:
    """`names` have certificates too (`User:CN=name`)."""
    client, controller, mutual = free_ports(3)
    cluster = Cluster(new_id(), (Ports(client, controller),))
    certificates(folder / "tls", ["kafka", "admin", *names])
    plain = node.properties

    def properties(number: int, cluster: Cluster) -> dict[str, str]:
        return plain(number, cluster) | {
            "listeners": f"SCRAM://127.0.0.1:{client},MUTUAL://127.0.0.1:{mutual},CONTROLLER://127.0.0.1:{controller}",
            "listener.security.protocol.map": "SCRAM:SASL_SSL,MUTUAL:SSL,CONTROLLER:SSL",
            "inter.broker.listener.name": "MUTUAL",
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.controller.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.scram.scram-sha-512.sasl.jaas.config": (
                "org.apache.kafka.common.security.scram.ScramLoginModule required;"
            ),
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": "tls/kafka.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": "tls/ca.pem",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:CN=kafka;User:CN=admin",
        }

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(node, "properties", properties)
        running = Node(folder, 1, cluster, java(fetch()))
        running.prepare()
        running.launch()
    try:
        running.ready()
        yield Guarded(folder, client, mutual)
    finally:
        running.stop()


def certificates(folder: Path, names: Sequence[str]) -> None:
    """`ca.pem`, and for each name key and certificate in one file, for this machine's address."""
    folder.mkdir(parents=True)
    ca = ec.generate_private_key(ec.SECP256R1())
    (folder / "ca.pem").write_bytes(_pem(_certificate("ca", ca, ca)))
    for name in names:
        key = ec.generate_private_key(ec.SECP256R1())
        form = serialization.PrivateFormat.PKCS8
        secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        (folder / f"{name}.pem").write_bytes(secret + _pem(_certificate(name, key, ca)))


def _certificate(name: str, key: ec.EllipticCurvePrivateKey, ca: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=key is ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(ca, hashes.SHA256())
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
