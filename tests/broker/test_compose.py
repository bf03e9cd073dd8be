"""The Compose file, begun with the commands that docs/operate.md gives: every service in a container, one password in a file."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import container_world
import pytest
import yaml

pytestmark = [pytest.mark.tier2, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "container" / "compose.yaml"
PATIENCE = 300.0  # seconds on a busy machine; on a quiet one a few
SERVICES = ("connect", "route", "deliver", "monitor", "page")
CASE = "50000120260309000007"
ROWS = "".join(
    f"C-7-{place},1,{CASE},{state},2026-03-09 09:0{place},500001,示范公司,王,\n"
    for place, state in enumerate(("申请", "收件", "受理"))
)
#: Debian has Compose as a command of its own; to the file and to people it is the same.
DOCKER = '#!/bin/sh\n[ "$1" = compose ] || exec {docker} "$@"\nshift\nexec docker-compose "$@"\n'


class Site(NamedTuple):
    """A folder in which somebody does what the guide says."""

    folder: Path
    environment: dict[str, str]

    def shell(self, commands: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{self.logs()}"
        return done.stdout

    def compose(self, *arguments: str) -> str:
        return self.shell(" ".join(("docker compose -f deploy/container/compose.yaml", *arguments)))

    def logs(self) -> str:
        command = ["docker-compose", "-f", str(FILE), "logs", "--no-color", "--tail", "15"]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout[-8000:]

    def look(self, service: str) -> dict[str, Any]:
        """What the engine knows of a service's container."""
        labels = {"project": "$COMPOSE_PROJECT_NAME", "service": service}
        filters = " ".join(f"--filter label=com.docker.compose.{name}={value}" for name, value in labels.items())
        found: dict[str, Any] = json.loads(self.shell(f"docker inspect $(docker ps --all --quiet {filters})"))[0]
        return found

    def until(self, true: Callable[[], object], within: float = PATIENCE) -> None:
        deadline = time.monotonic() + within
        while not true():
            assert time.monotonic() < deadline, f"not within {within} s\n{self.logs()}"
            time.sleep(0.5)

    def cases(self) -> int:
        """How many the monitor shows, asked in its container."""
        return int(json.loads(self.compose("exec -T monitor casebus stats /deployment --json"))["cases"])


def blocks() -> list[str]:
    """The commands of the guide's section on containers up to the Compose file's, without the building of the image."""
    section = (ROOT / "docs" / "operate.md").read_text("utf-8").split("## In containers\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^```\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    made, begun = (re.sub(r"(?m)^docker build .*\n", "", block) for block in found[:2])
    assert "casebus init" in made
    assert "docker compose" in begun
    return [made, begun]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Where the guide's commands have been typed, and the services have come up."""
    folder = tmp_path_factory.mktemp("compose")
    folder.parent.chmod(0o755)
    (folder / "deploy").symlink_to(ROOT / "deploy")
    shim = folder / "bin" / "docker"
    shim.parent.mkdir()
    shim.write_text(DOCKER.format(docker=shutil.which("docker")), "utf-8")
    shim.chmod(0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    environment = os.environ | {
        "PATH": f"{shim.parent}:{os.environ['PATH']}",
        "COMPOSE_PROJECT_NAME": f"casebus-{os.getpid()}",
        "CASEBUS_IMAGE": container_world.image("CASEBUS_IMAGE"),
        "KAFKA_IMAGE": container_world.image("CASEBUS_KAFKA_IMAGE"),
        "CASEBUS_PUBLISH": address,
        "CASEBUS_DEPLOYMENT": str(folder / "mycity"),
        "CASEBUS_SECRETS": str(folder / "secrets"),
    }
    made = Site(folder, environment)
    try:
        for block in blocks():
            made.shell(block)
        yield made
    finally:
        with suppress(AssertionError):
            made.compose("down --volumes --timeout 5")


def test_every_service_comes_up_healthy_and_the_page_answers(site: Site) -> None:
    """What `up -d` has begun is at work within a minute; one who was added can sign in."""
    for service in ("kafka", *SERVICES):
        site.until(lambda name=service: site.look(name)["State"]["Health"]["Status"] == "healthy")
    with urllib.request.urlopen(f"http://{site.environment['CASEBUS_PUBLISH']}/login", timeout=10) as answer:
        assert answer.status == 200
    site.until(lambda: site.cases() == 2)


def test_no_password_stands_where_one_can_look(site: Site) -> None:
    """Neither in the settings nor in what the engine tells of a container."""
    password = (site.folder / "secrets" / "kafka-password").read_text("utf-8")
    assert len(password) >= 24
    for service in ("kafka", *SERVICES):
        assert password not in json.dumps(site.look(service))
    assert password not in (site.folder / "mycity" / "casebus.yaml").read_text("utf-8")
    assert password not in site.logs()


def test_containers_may_do_nothing_but_write_their_data(site: Site) -> None:
    """Read-only, no capability, no way to new ones, a user that is not root."""
    for service in SERVICES:
        host = site.look(service)["HostConfig"]
        assert (host["ReadonlyRootfs"], host["CapDrop"], host["SecurityOpt"]) == (True, ["ALL"], ["no-new-privileges:true"])
    assert site.compose("exec -T route id -u").strip() == "10001"


def test_a_service_that_is_killed_is_there_again_and_nothing_is_lost(site: Site) -> None:
    """kill -9 of the router while a case comes in: the engine starts it again, and all sides are equal."""
    before = site.look("route")["State"]
    os.kill(before["Pid"], signal.SIGKILL)
    with (site.folder / "mycity" / "exports" / "permits.csv").open("a", encoding="utf-8") as file:
        file.write(ROWS)
    site.until(lambda: site.cases() == 3)
    assert site.look("route")["State"]["Pid"] not in {0, before["Pid"]}
    assert "All sides are equal" in site.compose("exec -T monitor casebus audit /deployment")


def test_stopped_every_service_ends_in_order(site: Site) -> None:
    """None is killed (137): each has heard SIGTERM and closed what it had open. The page's server says last what ended it."""
    site.compose("stop --timeout 30", *SERVICES)
    ended = {service: site.look(service)["State"]["ExitCode"] for service in SERVICES}
    assert ended == dict.fromkeys(SERVICES, 0) | {"page": 128 + signal.SIGTERM}


def test_the_file_names_the_broker_that_casebus_is_tested_with() -> None:
    """Another Kafka than the one in the lock would be a promise nobody has tried."""
    (jar,) = re.findall(r"kafka_2\.13-([0-9.]+)\.jar", (ROOT / "bus" / "jars.lock").read_text("utf-8"))
    text = yaml.safe_load(FILE.read_text("utf-8"))["services"]["kafka"]["image"]
    assert text == f"${{KAFKA_IMAGE:-docker.io/apache/kafka:{jar}}}"
