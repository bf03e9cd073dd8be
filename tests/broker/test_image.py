"""The image of casebus beside a Kafka in a container: read-only, without a capability, under a user id that nobody has."""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import container_world
import pytest
from testcontainers.community.kafka import KafkaContainer
from testcontainers.core.container import DockerContainer

from bus.errors import BusError
from bus.ports import Client
from bus.topics import EVENTS, JOURNAL
from casebus.commands.demo import make
from casebus.demo_check import check
from casebus.deployment import Deployment
from casebus.wiring import Wiring

pytestmark = [pytest.mark.tier2, pytest.mark.timeout(900)]
STRANGER = "12345:0"  # a user id without an account, as clusters choose them
LARGEST = 700 << 20  # bytes, its base included
PATIENCE = 300.0  # seconds on a busy machine; on a quiet one each wait is one or two
LOCKED: dict[str, Any] = {
    "user": STRANGER,
    "read_only": True,
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
}


class City(NamedTuple):
    """A made-up city whose truth is known, for containers: its folder, what they write, the Kafka that they share."""

    folder: Path
    data: Path
    kafka: KafkaContainer
    truth: dict[str, Any]

    @contextmanager
    def container(self, *command: str) -> Iterator[DockerContainer]:
        """casebus with this command. `restart` and the like are the test's."""
        made = DockerContainer(container_world.image("CASEBUS_IMAGE"), command=list(command), **LOCKED)
        made.with_volume_mapping(self.folder, "/deployment", "rw").with_volume_mapping(self.data, "/data", "rw")
        made.with_tmpfs_mount("/tmp").with_exposed_ports(8080)  # noqa: S108  the container's own, in memory
        made.with_envs(CASEBUS_KAFKA=container_world.inside(self.kafka), CASEBUS_HOST="0.0.0.0")  # noqa: S104  inside the container
        with made as started:
            yield started

    def ended(self, *command: str) -> tuple[int, str, str]:
        """Exit code, output and errors of a container that runs to its end."""
        with self.container(*command) as one:
            code = one.wait()
            out, err = one.get_logs()
        return code, out.decode(), err.decode()


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("image") / "jichuan"
    data = folder.parent / "data"
    data.mkdir()
    os.chown(data, 0, 0)
    data.chmod(0o770)
    truth = make(folder, 120, 11)
    head = folder / "casebus.yaml"
    text = head.read_text("utf-8").replace("data: .casebus", "data: ${CASEBUS_DATA:-.casebus}")
    text = text.replace("brokers: embedded", "brokers: ${CASEBUS_KAFKA:-embedded}")
    head.write_text(text + 'page: {host: "${CASEBUS_HOST:-127.0.0.1}"}\n', "utf-8")
    with container_world.kafka() as kafka:
        yield City(container_world.opened(folder), data, kafka, truth)


def until(true: Callable[[], object], within: float = PATIENCE) -> None:
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"not within {within} s"
        time.sleep(0.2)


def events_of(client: Client) -> int:
    """How many records are on the bus; none before there is a topic."""
    with suppress(BusError):
        return sum(client.ends([EVENTS.name]).values())
    return 0


def answers(one: DockerContainer) -> bool:
    """Whether the page, from outside, asks who one is."""
    one.reload()
    port = one._get_exposed_port(8080)
    try:
        with urllib.request.urlopen(f"http://{one.get_container_host_ip()}:{port}/login", timeout=5) as answer:
            return answer.status == 200 and b"password" in answer.read()
    except OSError:
        return False


def stopped(one: DockerContainer) -> int:
    """The exit code after SIGTERM; whoever does not listen for 30 s is killed, and 137 says so."""
    one.get_wrapped_container().stop(timeout=30)
    return one.wait()


def healthy(one: DockerContainer) -> bool:
    one.reload()
    return one.get_wrapped_container().attrs["State"]["Health"]["Status"] == "healthy"


def test_the_image_says_what_it_is_and_is_nobody_in_particular() -> None:
    """Labels, a user that is not root, a health check, a volume; and nothing in it that only building needed."""
    client = DockerContainer("none").get_docker_client().client
    image = client.images.get(container_world.image("CASEBUS_IMAGE"))
    config = image.attrs["Config"]
    assert config["User"] == "10001:0"
    assert config["Entrypoint"] == ["casebus"]
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert set(config["Volumes"]) == {"/data"}
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert image.attrs["Size"] < LARGEST
    look = "ls -d /opt/uv /src /data/.cache /root/.cache /opt/casebus/lib/python3*/site-packages/pytest 2>/dev/null; true"
    assert client.containers.run(image, ["-c", look], entrypoint="sh", remove=True) == b""


def test_stopped_in_the_middle_and_started_again_nothing_is_lost_and_nothing_is_there_twice(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`up` under SIGTERM ends in order with 0; what it left, another container finishes, and every figure is the true one."""
    monkeypatch.setenv("CASEBUS_KAFKA", city.kafka.get_bootstrap_server())
    monkeypatch.setenv("CASEBUS_DATA", str(city.data))
    wiring = Wiring(Deployment.load(city.folder))
    with wiring.client() as client:
        with city.container("up", "/deployment") as bus:
            until(lambda: events_of(client))
            before = sum(client.ends([JOURNAL.name]).values())
            assert stopped(bus) == 0
            bus.get_wrapped_container().start()
            until(lambda: answers(bus))
            until(lambda: healthy(bus))
            assert stopped(bus) == 0
        code, out, err = city.ended("up", "/deployment", "--exit", "--json")
        assert (code, json.loads(out or "{}").get("failures")) == (0, []), out + err
        code, out, err = city.ended("audit", "/deployment")
        assert (code, "All sides are equal" in out) == (0, True), out + err
        with closing(wiring.view()) as view:
            report = check(wiring, view, client, city.truth)
        assert before < sum(client.ends([JOURNAL.name]).values())
    assert [line for line in report.lines if not line.right] == []
    assert report.wrong == []


def test_a_fault_in_the_settings_is_a_sentence_and_exit_code_2(city: City) -> None:
    """`docker logs` must say what to write instead, not where Python was."""
    code, out, err = city.ended("up", "/nowhere")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"casebus: /nowhere: here is no deployment .*\n", err)
