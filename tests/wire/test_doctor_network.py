"""Brokers that cannot be spoken to: who listens, in which language, under which name. Kafka's clients time out on each alike."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import guarded_kafka
import pytest

from bus.addresses import free_ports
from bus.errors import RetryError
from bus.settings import KafkaSettings
from bus.survey import Node
from casebus.doctor import network

SILENCE = RetryError("no broker answered")


@contextmanager
def listener(context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Somebody who listens, speaks TLS where there is a context, and hangs up on what he does not understand, as Kafka does."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                caller, _ = server.accept()
            except OSError:
                return
            try:
                if context is not None:
                    caller = context.wrap_socket(caller, server_side=True)
                caller.recv(64)
            except OSError:
                pass  # a caller who speaks otherwise, or trusts us not
            finally:
                caller.close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates of one authority for 127.0.0.1, and of another authority."""
    folder = tmp_path_factory.mktemp("tls")
    guarded_kafka.certificates(folder / "ours", ["kafka", "client"])
    guarded_kafka.certificates(folder / "theirs", ["kafka"])
    return folder


def server(tls: Path, *, ask: bool = False) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tls / "ours/ca.pem")
    context.load_cert_chain(tls / "ours/kafka.pem")
    context.verify_mode = ssl.CERT_REQUIRED if ask else ssl.CERT_NONE
    return context


def kafka(address: str, **security: Any) -> KafkaSettings:
    return KafkaSettings(brokers=address, security=security)


def test_an_address_where_nobody_listens_is_named() -> None:
    """One of two: the client would work with the other, until that is away."""
    with listener() as alive:
        dead = f"127.0.0.1:{free_ports(1)[0]}"
        ill = network.reach(kafka(f"{alive},{dead}"))
        assert ill.found == f"{dead}: nobody listens there"
        assert "kafka.brokers" in ill.cure
        assert network.reach(kafka(alive)).cure == ""
        assert network.listening([dead, alive])
        assert not network.listening([dead])


def test_a_name_that_nobody_knows_is_named() -> None:
    """`.invalid` never resolves (RFC 6761)."""
    assert "nobody knows the name kafka.invalid" in network.reach(kafka("kafka.invalid:9092")).found


def test_a_broker_that_calls_itself_by_an_unreachable_address_is_found() -> None:
    """Reached by one address, it sends its clients to another."""
    with listener() as alive:
        assert network.advertised([Node(1, alive)]).cure == ""
        ill = network.advertised([Node(1, alive), Node(2, "kafka.invalid:9092")])
    assert "broker 2 calls itself kafka.invalid:9092" in ill.found
    assert "advertised.listeners" in ill.cure


def test_plain_text_to_a_broker_that_speaks_tls(tls: Path) -> None:
    """With and without a password."""
    with listener(server(tls)) as address:
        assert "`protocol: SSL`" in network.refused(kafka(address), SILENCE).cure
        plain = {"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "username": "bus", "password": "x"}
        assert "`protocol: SASL_SSL`" in network.refused(kafka(address, **plain), SILENCE).cure


def test_tls_to_a_broker_that_speaks_plain_text(tls: Path) -> None:
    """The other way round, which shows as a time-out too."""
    with listener() as address:
        assert "does not speak TLS" in network.refused(kafka(address, protocol="SSL", cafile=tls / "ours/ca.pem"), SILENCE).found


@pytest.mark.parametrize(
    ("cafile", "host", "says"),
    [("theirs/ca.pem", "127.0.0.1", "cafile"), ("ours/ca.pem", "localhost", "as their certificates do")],
    ids=["an authority that nobody knows", "another name than the certificate's"],
)
def test_a_certificate_that_does_not_convince(tls: Path, cafile: str, host: str, says: str) -> None:
    """Which of the two it is, the client does not say."""
    with listener(server(tls)) as address:
        where = address.replace("127.0.0.1", host)
        assert says in network.refused(kafka(where, protocol="SSL", cafile=tls / cafile), SILENCE).cure


def test_a_broker_that_asks_for_our_certificate(tls: Path) -> None:
    """With TLS 1.3 it says so only after the handshake."""
    with listener(server(tls, ask=True)) as address:
        assert "certfile" in network.refused(kafka(address, protocol="SSL", cafile=tls / "ours/ca.pem"), SILENCE).cure
        own = tls / "ours/client.pem"
        found = network.refused(kafka(address, protocol="SSL", cafile=tls / "ours/ca.pem", certfile=own, keyfile=own), SILENCE)
        assert "listen and do not answer" in found.found


def test_a_password_is_the_last_suspect(tls: Path) -> None:
    """Everything before it was right."""
    security = {"protocol": "SASL_SSL", "mechanism": "SCRAM-SHA-512", "username": "bus", "password": "wrong"}
    with listener(server(tls)) as address:
        ill = network.refused(kafka(address, **security, cafile=tls / "ours/ca.pem"), SILENCE)
    assert ill.found == "the brokers turn bus by SCRAM-SHA-512 away"
    assert "wrong" not in ill.cure
