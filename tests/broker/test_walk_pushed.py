"""The last sections of docs/connect-a-department.md, walked as written: a department that calls, one that has a Kafka."""

from __future__ import annotations

import re
import shlex
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import live_connectors
import pytest
from typer.testing import CliRunner

from bus import topics
from bus.broker import Broker
from bus.memory import Cluster
from bus.ports import Client
from bus.topics import Topic
from casebus.__main__ import app
from casebus.wiring import Wall
from connectors import deadletters
from connectors.config import Connector, read
from connectors.runner import Runner
from connectors.web import gate as gates
from schemas.codec import default

pytestmark = pytest.mark.broker

DOC = (Path(__file__).parents[2] / "docs/connect-a-department.md").read_text("utf-8")
ELSEWHERE = "kafka.weather.example:9092"


@pytest.fixture(autouse=True)
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Step 1 of the page."""
    monkeypatch.chdir(tmp_path)
    walk("casebus init mycity")
    return tmp_path / "mycity"


def blocks(section: str, language: str) -> list[str]:
    found = DOC.partition(f"## {section}\n")[2].partition("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", found, re.DOTALL)


def walk(block: str) -> list[str]:
    """Run each line of a block; returns what each printed."""
    return [printed(shlex.split(line)) for line in block.splitlines()]


def printed(words: list[str]) -> str:
    program, *arguments = words
    assert program == "casebus"
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def outcome(client: Client) -> tuple[Counter[str], list[str]]:
    """Types of all events, and reasons of all dead letters."""
    places = dict.fromkeys(client.ends([topics.EVENTS.name]), 0)
    events = Counter(default().decode(one.value or b"").type for batch in client.read(places) for one in batch)
    return events, [letter.value["reason"] for letter in deadletters.read(client, default())]


def test_a_department_that_calls(deployment: Path) -> None:
    """From a sample body to an answered call; the token is the one that was made, the samples hold nobody."""
    section = "When the department calls"
    (body,) = blocks(section, "json")
    (deployment / "parks.json").write_text(body, "utf-8")
    made, shown, recorded, tested = walk(blocks(section, "sh")[0])
    assert "guesses to look at" in made
    assert "type: Applied" in shown
    assert "missing_case" in shown
    assert "4 samples are in" in recorded
    assert "parks: 4 samples hold." in tested
    file, tokens = deployment / "connectors/parks.yaml", deployment / "keys/parks.tokens"
    text = file.read_text("utf-8")
    assert not [name for name in ("张三", "李四", "王五", "陈一") if name in text]
    assert tokens.stat().st_mode & 0o077 == 0
    file.write_text(text.replace("127.0.0.1:8090", "127.0.0.1:0"), "utf-8")  # another one may have this port here
    cluster = Cluster()
    cluster.create(topics.standard(1))
    answer = called(Runner(read(file, base=deployment), cluster, default(), Wall()), body, tokens.read_text("ascii").strip())
    assert [row.get("events") for row in answer["rows"]] == [1, 1, 1, 0]
    assert answer["rows"][3]["refused"] == "missing_case"
    assert outcome(cluster) == ({"Applied": 1, "Accepted": 1, "Decided": 1}, ["missing_case"])


def called(runner: Runner, body: str, token: str) -> Any:
    """What the department is answered."""
    stop = threading.Event()
    runner.run_once()

    def work() -> None:
        while not stop.wait(0.02):
            runner.run_once()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        url = f"http://127.0.0.1:{gates.gate('127.0.0.1', 0, None).port}/in/parks"
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return httpx.post(url, content=body.encode(), headers=headers, trust_env=False).json()
    finally:
        stop.set()
        thread.join()
        runner.close()


@pytest.fixture
def client(broker: Broker) -> Iterator[Client]:
    with live_connectors.client(broker.bootstrap) as made:
        yield made


def test_a_department_that_has_a_kafka(deployment: Path, client: Client, broker: Broker) -> None:
    """From its topic on another cluster to events on the bus."""
    section = "When the department has a Kafka"
    client.create([Topic("permits.steps", "any", partitions=1)])
    live_connectors.send(client, "permits.steps", *(line.encode() for line in blocks(section, "jsonl")[0].splitlines()))
    made, shown, recorded, tested = walk(blocks(section, "sh")[0].replace(ELSEWHERE, broker.bootstrap))
    assert "guesses to look at" in made
    assert "type: Accepted" in shown
    assert "missing_case" in shown
    assert "4 samples are in" in recorded
    assert "weather: 4 samples hold." in tested
    file = deployment / "connectors/weather.yaml"
    text = file.read_text("utf-8")
    assert not [name for name in ("李四", "王五") if name in text]
    assert published(read(file, base=deployment)) == ({"Applied": 1, "Accepted": 1, "Decided": 1}, ["missing_case"])


def published(found: Connector) -> tuple[Counter[str], list[str]]:
    """Onto the bus's double: its own topic lies elsewhere."""
    cluster = Cluster()
    cluster.create(topics.standard(1))
    live_connectors.ran(cluster, found)
    return outcome(cluster)
