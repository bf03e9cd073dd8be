"""Which Kafka: what is understood, what is refused with a remedy, and that no secret is ever shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bus.errors import ConfigurationError
from bus.settings import KafkaSettings, Security

SCRAM = {"protocol": "SASL_PLAINTEXT", "mechanism": "SCRAM-SHA-512", "username": "bus", "password": "geheim"}


def test_without_a_word_the_broker_is_the_embedded_one_of_one_node() -> None:
    """The shortest deployment names no Kafka at all; time-outs are those that make a take-over short."""
    settings = KafkaSettings()
    assert settings.embedded
    assert (settings.nodes, settings.client) == (1, "kafka-python")
    assert (settings.session_timeout_ms, settings.transaction_timeout_ms) == (6_000, 8_000)


def test_the_embedded_broker_has_an_address_once_it_runs() -> None:
    """Before, asking for one is a mistake of ours that is said; after, both clients get it."""
    settings = KafkaSettings()
    with pytest.raises(ConfigurationError, match="only when it runs"):
        settings.kafka_python()
    running = settings.at("127.0.0.1:1,127.0.0.1:2")
    assert running.kafka_python() == {"bootstrap_servers": ["127.0.0.1:1", "127.0.0.1:2"], "security_protocol": "PLAINTEXT"}
    assert running.confluent() == {"bootstrap.servers": "127.0.0.1:1,127.0.0.1:2", "security.protocol": "PLAINTEXT"}


@pytest.mark.parametrize("brokers", ["a:9092,[::1]:9093", "a:9092, [::1]:9093", ["a:9092", "[::1]:9093"]])
def test_addresses_are_a_text_or_a_list(brokers: Any) -> None:
    """Both ways of writing several brokers mean the same."""
    settings = KafkaSettings(brokers=brokers)
    assert not settings.embedded
    assert settings.bootstrap == "a:9092,[::1]:9093"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"brokers": "kafka"}, "`kafka` is no address; write `embedded`, or host:port"),
        ({"brokers": "kafka:99999"}, "is no address"),
        ({"brokers": []}, "name at least one address"),
        ({"brokers": 9092}, "name at least one address"),
        ({"nodes": 2}, "write 1 or 3; two nodes cannot agree"),
        ({"partitions": 0}, "greater than or equal to 1"),
        ({"client": "librdkafka"}, "'kafka-python' or 'confluent'"),
        ({"session_timeout_ms": 9000}, "`transaction_timeout_ms` must be above"),
        ({"security": SCRAM}, "the embedded one is reached from this machine only"),
        ({"registry": "kafka:8080"}, "should match pattern"),
        ({"broker": "a:1"}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_work_is_refused_with_a_remedy(settings: dict[str, Any], said: str) -> None:
    """Each refusal says what to write instead."""
    with pytest.raises(ValidationError) as caught:
        KafkaSettings.model_validate(settings)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"mechanism": None}, "SASL_PLAINTEXT needs `mechanism`"),
        ({"protocol": "PLAINTEXT"}, "`mechanism` needs `protocol` SASL_SSL or SASL_PLAINTEXT"),
        ({"username": None}, "SCRAM-SHA-512 needs `username`"),
        ({"password": None}, "and `password_file` or `password`"),
        ({"password_file": "p"}, "not both"),
        ({"cafile": "ca.pem"}, "certificates need `protocol` SSL or SASL_SSL"),
        ({"keyfile": "k.pem", "protocol": "SASL_SSL"}, "`keyfile` needs `certfile`"),
    ],
)
def test_half_a_security_is_refused_and_its_password_not_repeated(change: dict[str, Any], said: str) -> None:
    """A sentence instead of a time-out at the brokers, and never the secret in it."""
    with pytest.raises(ValidationError) as caught:
        Security.model_validate(SCRAM | change)
    assert said in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_name_and_password_reach_both_clients_but_no_repr() -> None:
    """SASL passes through under each client's own names."""
    settings = KafkaSettings(brokers="a:1", security=SCRAM)
    assert settings.kafka_python() == {
        "bootstrap_servers": ["a:1"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "bus",
        "sasl_plain_password": "geheim",
    }
    assert settings.confluent() == {
        "bootstrap.servers": "a:1",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "bus",
        "sasl.password": "geheim",
    }
    assert "geheim" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_kerberos_needs_no_password() -> None:
    """The ticket is the system's; only the service's name passes through."""
    security = Security(protocol="SASL_PLAINTEXT", mechanism="GSSAPI", kerberos_service="bus")
    assert security.kafka_python()["sasl_kerberos_service_name"] == "bus"
    assert security.confluent()["sasl.kerberos.service.name"] == "bus"


def test_a_password_file_lies_in_the_deployment_and_ends_without_its_newline(tmp_path: Path) -> None:
    """Editors end a file with a newline; the password has none. Spaces belong to it."""
    (tmp_path / "password").write_text(" geheim \r\n", "utf-8")
    security = {**SCRAM, "password": None, "password_file": "password"}
    settings = KafkaSettings(brokers="a:1", security=security).located(tmp_path)
    assert settings.security.secret() == " geheim "
    (tmp_path / "password").unlink()
    with pytest.raises(ConfigurationError, match=r"password_file.*cannot be read"):
        settings.kafka_python()


def test_certificates_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    """Both clients get the same sentence, with the file."""
    (tmp_path / "ca.pem").write_text("no certificate", "ascii")
    settings = KafkaSettings(brokers="a:1", security={"protocol": "SSL", "cafile": "ca.pem"}).located(tmp_path)
    for client in (settings.kafka_python, settings.confluent):
        with pytest.raises(ConfigurationError, match=r"ca\.pem\) cannot be used"):
            client()


def test_a_registry_is_its_address_or_more() -> None:
    """The short form is the long one with defaults."""
    short = KafkaSettings(registry="http://a:8080/apis/ccompat/v7")
    assert short == KafkaSettings(registry={"url": "http://a:8080/apis/ccompat/v7"})
    assert short.registry
    assert short.registry.timeout == 10
    assert short.registry.write
