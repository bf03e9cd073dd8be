"""docs/connect-a-department.md, walked as written: each command run, each file taken from the page, to events on the bus."""

from __future__ import annotations

import re
import shlex
import sqlite3
from collections import Counter
from pathlib import Path

import pytest
from connector_world import NOW, kafka
from typer.testing import CliRunner

from bus import topics
from casebus.__main__ import app
from casebus.wiring import Frozen
from connectors import deadletters
from connectors.config import read
from connectors.runner import Runner
from schemas.codec import default

DOC = (Path(__file__).parents[3] / "docs/connect-a-department.md").read_text("utf-8").partition("## When the department calls")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)


def walk(block: str) -> str:
    """Run each line of a block; returns what was printed."""
    said = ""
    for line in block.splitlines():
        program, *arguments = shlex.split(line)
        assert program == "casebus"
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        said += done.output
    return said


def test_the_walk_leads_from_nothing_to_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last step, which starts Kafka, runs on its double here."""
    monkeypatch.chdir(tmp_path)
    init, new, preview, samples = blocks("sh")
    walk(init)
    with sqlite3.connect("mycity/fire.db") as database:
        database.executescript(blocks("sql")[0])
    assert "guesses to look at" in walk(new)
    file = Path("mycity/connectors/fire.yaml")
    assert file.read_text("utf-8").count("# guess:") > 10
    assert read(file.absolute()).settings.version != 1
    shown = walk(preview)
    assert "张三" in shown
    assert "type: Accepted" in shown
    file.write_text(blocks("yaml")[0], "utf-8")
    said = walk(samples)
    assert "fire: 6 samples hold." in said
    assert "Never seen: opinions: 不合格." in said
    assert "Nothing to mend." in said
    text = file.read_text("utf-8")
    assert all(secret not in text for secret in ("张三", "陈一", "李四", "13812345678"))
    assert published(file.absolute()) == (
        {"Applied": 2, "Accepted": 1, "StepCompleted": 1, "Decided": 2},
        ["missing_case"],
    )


def published(file: Path) -> tuple[Counter[str], list[str]]:
    cluster = kafka()
    Runner(read(file), cluster, default(), Frozen(NOW + 365 * 86_400_000_000)).run_once()
    events = Counter(default().decode(record.value or b"").type for record in cluster.records(topics.EVENTS.name))
    return events, [letter.value["reason"] for letter in deadletters.read(cluster, default())]
