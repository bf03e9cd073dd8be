"""What a service answers about itself, over HTTP and to systemd."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bus.errors import ConfigurationError, RetryError
from bus.pulse import DEAD, Pulse
from casebus.health import Address, Health, HealthSettings, Vital

READY = Pulse(0.2, "", {"partitions": 8, "records_total": 12})
WAITING = Pulse(0.2, "The stores of its partitions catch up.")
DEAF = Pulse(DEAD + 5)


class Service:
    """Whose pulse a test sets."""

    def __init__(self) -> None:
        self.pulse = READY
        self.behind = 3.0

    def asked(self) -> Pulse:
        return self.pulse

    def lag(self) -> float:
        if self.behind < 0:
            raise RetryError("Kafka does not answer.")
        return self.behind


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def health(service: Service) -> Iterator[Health]:
    with Health(Vital("route", service.asked, service.lag), Address("127.0.0.1", 0), {}) as told:
        yield told


def asked(health: Health, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{health.port}{path}", timeout=5)


@pytest.mark.parametrize(
    ("pulse", "answers", "says"),
    [(READY, (200, 200), ""), (WAITING, (200, 503), "catch up"), (DEAF, (503, 503), "has not turned for 125 s")],
    ids=["ready", "catching up", "deaf"],
)
def test_alive_and_ready_are_two_questions(
    health: Health, service: Service, pulse: Pulse, answers: tuple[int, int], says: str
) -> None:
    """Who is not ready must not be killed for it, and who does not turn must be."""
    service.pulse = pulse
    said = [asked(health, path) for path in ("/healthz", "/readyz")]
    assert tuple(one.status_code for one in said) == answers
    assert all(says in one.json()["missing"] for one in said)
    assert said[1].json()["service"] == "route"


def test_figures_for_prometheus(health: Health, service: Service) -> None:
    """With the service as label; a lag that cannot be asked for is left out, all else still stands."""
    text = asked(health, "/metrics").text
    assert 'casebus_service_ready{service="route"} 1.0' in text
    assert 'casebus_service_partitions{service="route"} 8.0' in text
    assert 'casebus_service_records_total{service="route"} 12.0' in text
    assert 'casebus_service_behind{service="route"} 3.0' in text
    assert "process_resident_memory_bytes" in text
    service.behind, service.pulse = -1, WAITING
    text = asked(health, "/metrics").text
    assert "casebus_service_behind" not in text
    assert 'casebus_service_ready{service="route"} 0.0' in text


def test_other_paths_and_callers_that_hang_up(health: Health) -> None:
    """Neither ends anything."""
    assert asked(health, "/").status_code == 404
    with socket.create_connection(("127.0.0.1", health.port)) as caller:
        caller.sendall(b"GET /he")
    assert asked(health, "/healthz?full=1").status_code == 200


def test_a_port_that_is_taken_is_a_fault_of_the_settings(health: Health, service: Service) -> None:
    """It is said at the start: a probe would otherwise ask somebody else."""
    with pytest.raises(ConfigurationError, match=r"health of `route`.*--health"):
        Health(Vital("route", service.asked), Address("127.0.0.1", health.port), {})


def test_addresses() -> None:
    """Routers beside each other count up."""
    settings = HealthSettings(route=9101)
    assert settings.address("route", 2) == ("127.0.0.1", 9103)
    assert settings.address("monitor") is None
    assert Address.of("[::1]:9101") == ("::1", 9101)
    with pytest.raises(ConfigurationError):
        Address.of("9101")


def test_systemd_hears_that_it_works_and_what_it_waits_for(tmp_path: Path, service: Service) -> None:
    """READY at once, then its status; WATCHDOG only while the loop turns; STOPPING at the end."""
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(place))
        systemd.settimeout(5)
        environment = {"NOTIFY_SOCKET": str(place), "WATCHDOG_USEC": "100000"}
        with Health(Vital("route", service.asked), None, environment) as told:
            assert told.port == 0
            assert systemd.recv(200) == b"READY=1"
            assert systemd.recv(200) == b"STATUS=ready\nWATCHDOG=1"
            service.pulse = WAITING
            heard = {systemd.recv(200) for _ in range(3)}
            assert f"STATUS={WAITING.missing}\nWATCHDOG=1".encode() in heard
            service.pulse = DEAF
            heard = {systemd.recv(200) for _ in range(3)}
            assert b"STATUS=Its main loop has not turned for 125 s." in heard
        while systemd.recv(200) != b"STOPPING=1":
            pass


def test_without_systemd_and_address_there_is_nothing(service: Service) -> None:
    """No thread, no port."""
    with Health(Vital("route", service.asked), None, {}) as told:
        assert told.port == 0
        assert told._threads == []
