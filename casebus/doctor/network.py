"""Whether an address can be reached, and what is said there: Kafka's clients answer every such fault by a time-out."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Sequence
from contextlib import suppress

from bus.errors import ConfigurationError
from bus.settings import KafkaSettings, Security
from bus.survey import Node
from casebus.doctor.finding import Finding

PATIENCE = 3.0  # seconds for one address
AFTERTHOUGHT = 0.5
_EXPIRED = (9, 10)  # OpenSSL's words for certificates: not yet valid, not valid any more
_OTHER_NAME = (62, 64)  # of another host, of another address


def unreached(address: str) -> str:
    """Why nobody can be spoken to there; empty where somebody can."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
    except socket.gaierror:
        return f"nobody knows the name {host}"
    except ConnectionRefusedError:
        return "nobody listens there"
    except TimeoutError:
        return f"no answer for {PATIENCE:g} s: a firewall, or another network"
    except OSError as error:
        return str(error.strerror or error)
    return ""


def reach(kafka: KafkaSettings) -> Finding:
    """Each address of `kafka.brokers`: one that is wrong hides behind the others until those are away."""
    addresses = kafka.bootstrap.split(",")
    silent = {address: why for address in addresses if (why := unreached(address))}
    if not silent:
        return Finding("brokers' addresses", ", ".join(addresses))
    cure = "Correct `kafka.brokers` in casebus.yaml, start what does not run, or let the firewall pass it."
    return Finding("brokers' addresses", "; ".join(f"{address}: {why}" for address, why in silent.items()), cure)


def advertised(nodes: Iterable[Node]) -> Finding:
    """Clients work with the addresses that brokers tell, not with those that they were given."""
    known = list(nodes)
    silent = {node: why for node in known if (why := unreached(node.address))}
    what = "addresses that brokers tell"
    if not silent:
        return Finding(what, ", ".join(node.address for node in known) or "none")
    said = "; ".join(f"broker {node.number} calls itself {node.address}: {why}" for node, why in silent.items())
    cure = "Set `advertised.listeners` of these brokers to addresses that this machine reaches, or make their names known here."
    return Finding(what, said, cure)


def refused(kafka: KafkaSettings, error: Exception) -> Finding:
    """Nobody could be spoken to by these settings, though somebody listens: TLS first, then name and password."""
    security = kafka.security
    for address in kafka.bootstrap.split(","):
        fault = _spoken(address, security)
        if fault is not None:
            return Finding("Kafka's security", *fault)
    if security.protocol.authenticates:
        who = f"{security.username or 'this process'} by {security.mechanism}"
        cure = "Correct username, password and mechanism of `kafka.security`, or have the brokers' administrator add the name."
        return Finding("Kafka's security", f"the brokers turn {who} away", cure)
    if isinstance(error, ConfigurationError):
        return Finding("Kafka", str(error), "Correct `kafka:` in casebus.yaml.")
    cure = "Ask for their listener's protocol: where it wants a name and a password, set `kafka.security` (docs/security.md)."
    return Finding("Kafka", f"the brokers listen and do not answer: {error}", cure)


def _spoken(address: str, security: Security) -> tuple[str, str] | None:
    """What is wrong with TLS there, and the cure; None where nothing is."""
    host, _, port = address.rpartition(":")
    place = (host.strip("[]"), int(port))
    if security.protocol.encrypts:
        return _handshake(place, security)
    if _speaks_tls(place):
        wanted = "SASL_SSL" if security.protocol.authenticates else "SSL"
        return f"{address} speaks TLS only", f"Write `protocol: {wanted}` and `cafile:` in `kafka.security`."
    return None


def _speaks_tls(place: tuple[str, int]) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is said there: only whether it speaks
    try:
        with socket.create_connection(place, PATIENCE) as plain, context.wrap_socket(plain):
            return True
    except ssl.SSLError as error:
        return "ALERT" in str(error.reason or "")  # it wants our certificate, which is TLS too
    except OSError:
        return False


def _handshake(place: tuple[str, int], security: Security) -> tuple[str, str] | None:
    address = f"{place[0]}:{place[1]}"
    try:
        context = security.tls()
        with socket.create_connection(place, PATIENCE) as plain, context.wrap_socket(plain, server_hostname=place[0]) as talk:
            _heard_out(talk)
            return None
    except ConfigurationError as error:
        return str(error), "Correct the files of `kafka.security`."
    except ssl.SSLCertVerificationError as error:
        return _distrusted(address, error)
    except ssl.SSLError as error:
        if "ALERT" in str(error.reason or ""):
            return (
                f"{address} refuses this client's certificate ({error.reason})",
                "Set `certfile` and `keyfile` of `kafka.security`.",
            )
        return _no_tls(address)
    except OSError:
        return _no_tls(address)


def _heard_out(talk: ssl.SSLSocket) -> None:
    """With TLS 1.3 a broker that wants a certificate says so only after the handshake. Raises SSLError then."""
    talk.settimeout(AFTERTHOUGHT)
    with suppress(TimeoutError):
        talk.recv(1)


def _no_tls(address: str) -> tuple[str, str]:
    cure = (
        "Name the port of the TLS listener in `kafka.brokers`, or write `protocol: PLAINTEXT` (SASL_PLAINTEXT) where it has none."
    )
    return f"{address} does not speak TLS", cure


def _distrusted(address: str, error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    if error.verify_code in _OTHER_NAME:
        cure = "Name the brokers in `kafka.brokers` as their certificates do, or have certificates made for these names."
        return f"the certificate of {address} is for another name", cure
    if error.verify_code in _EXPIRED:
        return f"the certificate of {address} has run out, or this machine's clock is wrong", "Renew it, or set the clock by NTP."
    cure = "Put the certificate of the authority that signed the brokers' into `cafile:` of `kafka.security`."
    return f"nobody vouches for the certificate of {address} ({error.verify_message})", cure


def listening(addresses: Sequence[str]) -> bool:
    """Whether anybody at all can be spoken to."""
    return not all(unreached(address) for address in addresses)
