"""The command as a user calls it: a process of its own, what it prints, how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

CASEBUS = (sys.executable, "-P", "-m", "casebus")


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def good(self) -> Ended:
        """Itself, when it ended well; else what it said is the failure."""
        assert self.code == 0, f"exit {self.code}\n{self.out[-3000:]}\n{self.err[-3000:]}"
        return self


Casebus = Callable[..., Ended]


def casebus(*arguments: str | Path, environment: dict[str, str] | None = None) -> Ended:
    """Run `casebus` with these arguments to its end."""
    done = subprocess.run(
        [*CASEBUS, *map(str, arguments)], capture_output=True, text=True, timeout=280, check=False, env=environment
    )
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session", name="casebus")
def casebus_command() -> Casebus:
    return casebus
