"""Whoever ends `up` in the middle of its work ends all of it: in order, with a word, and nothing stays behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

pytestmark = pytest.mark.broker
UP = (sys.executable, "-P", "-m", "casebus", "up")


class Run(NamedTuple):
    """How `up` is run, the phase that it is ended in, by what, and the exit code that shells expect of that."""

    options: tuple[str, ...]
    phase: str
    told: signal.Signals
    code: int


TERM, CTRL_C = signal.SIGTERM, signal.SIGINT
RUNS = [
    Run(("--exit",), "starting Kafka", TERM, 143),
    Run(("--exit",), "starting Kafka", CTRL_C, 130),
    Run(("--exit",), "reading the sources", TERM, 143),
    Run(("--exit",), "reading the sources", CTRL_C, 130),
    Run((), "up;", TERM, 0),
    Run((), "up;", CTRL_C, 0),
]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.phase} {run.told.name}")
def test_ended_anywhere_nothing_is_left(casebus: Any, tmp_path: Path, run: Run) -> None:
    """By SIGTERM or Ctrl+C; ending what runs for good is no failure."""
    folder = tmp_path / "mycity"
    casebus("init", folder).good()
    settings = folder / "casebus.yaml"
    settings.write_text(settings.read_text("utf-8").replace("port: 8080", "port: null"), "utf-8")
    with subprocess.Popen([*UP, str(folder), *run.options], stderr=subprocess.PIPE, text=True) as up:
        assert up.stderr
        said = next(line for line in up.stderr if line.startswith(run.phase))
        time.sleep(0.5)  # into the phase: a real process is at work
        children = psutil.Process(up.pid).children(recursive=True)
        up.send_signal(run.told)
        rest = up.stderr.read()
        ended = up.wait(30)
    assert ended == run.code, (said, rest)
    assert "Traceback" not in rest
    assert not psutil.wait_procs(children, timeout=5)[1]
