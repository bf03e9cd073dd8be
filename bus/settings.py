"""`kafka:` in casebus.yaml: which Kafka, and how the two clients reach it. Secrets never stand in a repr or a log."""

from __future__ import annotations

import ssl
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, field_validator, model_validator

from bus.errors import ConfigurationError
from bus.hidden import plain

EMBEDDED: Literal["embedded"] = "embedded"


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)  # the input may be a secret


_Model = TypeVar("_Model", bound=_Settings)


class Protocol(StrEnum):
    """Kafka's own names (`security.protocol`)."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def encrypts(self) -> bool:
        return self in {Protocol.SSL, Protocol.SASL_SSL}

    @property
    def authenticates(self) -> bool:
        return self in {Protocol.SASL_PLAINTEXT, Protocol.SASL_SSL}


class Mechanism(StrEnum):
    """Kafka's own names (`sasl.mechanism`), of those that both clients can do."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"
    GSSAPI = "GSSAPI"


class Security(_Settings):
    """SASL and TLS. A password stands in a file (`password_file`) or in the environment (`password: ${KAFKA_PASSWORD}`)."""

    protocol: Protocol = Protocol.PLAINTEXT
    mechanism: Mechanism | None = None
    username: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    kerberos_service: str = "kafka"
    cafile: Path | None = Field(default=None, description="PEM of who signed the brokers' certificates; the system's if absent")
    certfile: Path | None = Field(default=None, description="PEM of this client's certificate, where the brokers ask for one")
    keyfile: Path | None = None
    keyfile_password: SecretStr | None = None
    check_hostname: bool = True

    @model_validator(mode="after")
    def _complete(self) -> Self:
        faults = [said for wrong, said in self._rules() if wrong]
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _rules(self) -> list[tuple[bool, str]]:
        named = self.mechanism not in {None, Mechanism.GSSAPI}
        secret = self.password is not None or self.password_file is not None
        tls = self.cafile or self.certfile or self.keyfile
        return [
            (self.protocol.authenticates and not self.mechanism, f"{self.protocol} needs `mechanism`, such as SCRAM-SHA-512"),
            (bool(self.mechanism) and not self.protocol.authenticates, "`mechanism` needs `protocol` SASL_SSL or SASL_PLAINTEXT"),
            (named and not (self.username and secret), f"{self.mechanism} needs `username`, and `password_file` or `password`"),
            (self.password is not None and self.password_file is not None, "write `password` or `password_file`, not both"),
            (bool(tls) and not self.protocol.encrypts, "certificates need `protocol` SSL or SASL_SSL"),
            (bool(self.keyfile) and not self.certfile, "`keyfile` needs `certfile`"),
        ]

    @property
    def anonymous(self) -> bool:
        """Nothing says who comes: the brokers cannot tell one process from another."""
        return not self.mechanism and not self.certfile

    @property
    def principal(self) -> str:
        """Whom the brokers take this process for, as their rights name it, where that can be known here."""
        if self.mechanism is Mechanism.GSSAPI:
            return "the Kerberos principal of this process"
        if self.mechanism:
            return f"User:{self.username}"
        return _holder(self.certfile) if self.certfile else "User:ANONYMOUS"

    def secret(self) -> str | None:
        """The password, read when it is needed. Raises ConfigurationError where its file cannot be read."""
        if self.password_file is None:
            return self.password.get_secret_value() if self.password else None
        try:
            return self.password_file.read_text("utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(
                f"The file of kafka.security.password_file, {self.password_file}, cannot be read ({type(error).__name__}). "
                "Put it there, readable for the user that runs casebus, with nothing but the password in it."
            ) from error

    def kafka_python(self) -> dict[str, Any]:
        settings: dict[str, Any] = {"security_protocol": self.protocol.value}
        if self.protocol.encrypts:
            settings |= {"ssl_context": self.tls(), "ssl_check_hostname": self.check_hostname}
        if self.mechanism is Mechanism.GSSAPI:
            settings |= {"sasl_mechanism": self.mechanism.value, "sasl_kerberos_service_name": self.kerberos_service}
        elif self.mechanism:
            settings |= {"sasl_mechanism": self.mechanism.value, "sasl_plain_username": self.username}
            settings["sasl_plain_password"] = self.secret()
        return settings

    def tls(self) -> ssl.SSLContext:
        """TLS 1.2 or newer. Raises ConfigurationError where a certificate cannot be used."""
        try:
            context = ssl.create_default_context(cafile=self.cafile)
            if self.certfile:
                phrase = self.keyfile_password.get_secret_value() if self.keyfile_password else ""  # never ask the terminal
                context.load_cert_chain(self.certfile, self.keyfile, phrase)
        except (OSError, ssl.SSLError) as error:
            files = ", ".join(str(file) for file in (self.cafile, self.certfile, self.keyfile) if file)
            raise ConfigurationError(
                f"The certificates of kafka.security ({files}) cannot be used: {error.strerror or error}. "
                "They must be PEM files, the key belonging to the certificate."
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = self.check_hostname
        return context

    def confluent(self) -> dict[str, Any]:
        settings: dict[str, Any] = {"security.protocol": self.protocol.value}
        if self.protocol.encrypts:
            self.tls()  # librdkafka's own complaint names no file
            settings |= self._librdkafka_tls()
        if self.mechanism is Mechanism.GSSAPI:
            settings |= {"sasl.mechanism": self.mechanism.value, "sasl.kerberos.service.name": self.kerberos_service}
        elif self.mechanism:
            settings |= {"sasl.mechanism": self.mechanism.value, "sasl.username": self.username, "sasl.password": self.secret()}
        return settings

    def _librdkafka_tls(self) -> dict[str, Any]:
        phrase = self.keyfile_password.get_secret_value() if self.keyfile_password else None
        files = {"ssl.ca.location": self.cafile, "ssl.certificate.location": self.certfile, "ssl.key.location": self.keyfile}
        found = {name: str(file) for name, file in files.items() if file}
        found["ssl.endpoint.identification.algorithm"] = "https" if self.check_hostname else "none"
        return found | ({"ssl.key.password": phrase} if phrase else {})


class RegistrySettings(_Settings):
    """A Confluent-compatible schema registry. Where it asks for no name: `registry: http://host:8080/apis/ccompat/v7`."""

    url: str = Field(pattern=r"^https?://[^\s]+$", repr=False)
    username: str | None = None
    password: SecretStr | None = None
    cafile: Path | None = None
    timeout: float = Field(default=10.0, gt=0, description="seconds")

    @field_validator("url")
    @classmethod
    def _without_password(cls, url: str) -> str:
        return plain(url, "username: and password:")


class OwnRegistry(RegistrySettings):
    """The one of the bus itself. Without `write` it is only read with: the first step, and the way back, of a change."""

    write: bool = True


def _holder(certfile: Path) -> str:
    """The name in a certificate as Kafka makes a principal of it: `User:CN=permits`; the file's where it cannot be read."""
    from cryptography import x509

    try:
        return f"User:{x509.load_pem_x509_certificate(certfile.read_bytes()).subject.rfc4514_string()}"
    except (OSError, ValueError):
        return f"the holder of {certfile}"


def _addresses(value: Any) -> Any:
    """`embedded`, `a:9092,b:9092` or a list of addresses."""
    if value == EMBEDDED:
        return value
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not parts:
        raise ValueError("name at least one address, or write `embedded`")
    for part in parts:
        host, colon, port = str(part).rpartition(":")
        if not (host and colon and port.isdigit() and 0 < int(port) < 65_536):
            raise ValueError(f"`{part}` is no address; write `embedded`, or host:port, several separated by commas")
    return tuple(parts)


def _registry(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


class KafkaSettings(_Settings):
    """Which Kafka, how many partitions, which client."""

    brokers: Annotated[Literal["embedded"] | tuple[str, ...], BeforeValidator(_addresses)] = EMBEDDED
    nodes: int = Field(default=1, description="of the embedded broker: 1, or 3 where one may fail")
    partitions: int = Field(default=8, ge=1, le=1000, description="of every topic, fixed at `casebus init`")
    client: Literal["kafka-python", "confluent"] = "kafka-python"
    registry: Annotated[OwnRegistry | None, BeforeValidator(_registry)] = None
    security: Security = Security()
    #: A member that fell silent is replaced after this time; with Kafka's 45 s a take-over takes a minute.
    session_timeout_ms: int = Field(default=6_000, ge=1_000)
    #: An abandoned transaction holds readers up for this time. Above the session's, so that a slow commit is not cut off first.
    transaction_timeout_ms: int = Field(default=8_000, ge=1_000)

    @field_validator("nodes")
    @classmethod
    def _one_or_three(cls, nodes: int) -> int:
        if nodes not in {1, 3}:
            raise ValueError("write 1 or 3; two nodes cannot agree when one of them fails")
        return nodes

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.transaction_timeout_ms <= self.session_timeout_ms:
            raise ValueError("`transaction_timeout_ms` must be above `session_timeout_ms`")
        if self.brokers == EMBEDDED and self.security.protocol is not Protocol.PLAINTEXT:
            raise ValueError("`security` is for brokers with an address; the embedded one is reached from this machine only")
        return self

    @property
    def embedded(self) -> bool:
        return self.brokers == EMBEDDED

    def at(self, bootstrap: str) -> KafkaSettings:
        """These settings with the address of the broker that was started: `settings.at(broker.bootstrap)`."""
        return self.model_copy(update={"brokers": tuple(bootstrap.split(","))})

    def located(self, folder: Path) -> KafkaSettings:
        """These settings with relative paths taken from `folder`, the deployment's."""
        registry = self.registry and _located(self.registry, folder)
        return self.model_copy(update={"security": _located(self.security, folder), "registry": registry})

    @property
    def bootstrap(self) -> str:
        """Addresses separated by commas. Raises ConfigurationError while the embedded broker has none."""
        if isinstance(self.brokers, str):
            raise ConfigurationError(
                "The embedded broker has an address only when it runs: start it, or name an address in casebus.yaml."
            )
        return ",".join(self.brokers)

    def kafka_python(self) -> dict[str, Any]:
        """What every client of kafka-python needs to reach the brokers."""
        return {"bootstrap_servers": self.bootstrap.split(","), **self.security.kafka_python()}

    def confluent(self) -> dict[str, Any]:
        """What every client of confluent-kafka needs to reach the brokers."""
        return {"bootstrap.servers": self.bootstrap, **self.security.confluent()}


def _located(settings: _Model, folder: Path) -> _Model:
    paths = {name: folder / value for name, value in settings if isinstance(value, Path)}
    return settings.model_copy(update=paths)
