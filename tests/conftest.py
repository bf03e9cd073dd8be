"""What every suite uses: one real broker a session, the shared data where it lies, the command as a user calls it."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from bus import watchdog
from bus.broker import Broker

_ROOT = Path(__file__).parents[1]

#: How many examples a property is tried with: few while one works, many in CI. `HYPOTHESIS_PROFILE=full` asks for many,
#: `long` for minutes of them: HYPOTHESIS_PROFILE=long uv run pytest tests/truth tests/wire -k fuzz
#: A machine that is busy with others draws slowly, which is no fault of what is drawn.
_BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("swift", _BUSY, max_examples=25, database=None)
settings.register_profile("full", _BUSY, max_examples=200)
settings.register_profile("long", _BUSY, max_examples=5_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("full" if os.environ.get("CI") else "swift"))


class Elsewhere(NamedTuple):
    """A Kafka that runs already."""

    bootstrap: str


def pytest_sessionstart() -> None:
    """Ctrl+C works in what tests start, though these tests run in a shell's background, where it is ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: looking through them for garbage again and again took a sixth of the unit suite."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def a_hang_is_told(pytestconfig: pytest.Config) -> Iterator[None]:
    """The watchdog ends the process, and pytest would take what it says along: a run that ended with 75 told nothing."""
    end = watchdog.end_process

    def told(sentence: str) -> None:
        pytestconfig.pluginmanager.getplugin("capturemanager").suspend_global_capture(in_=True)
        end(f"{os.environ.get('PYTEST_CURRENT_TEST')}: {sentence}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watchdog, "end_process", told)
        yield


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker | Elsewhere]:
    """A real Kafka, started once for all tests of the session, or the one whose address CASEBUS_TEST_BROKERS holds.

    Its address is `broker.bootstrap`.
    """
    if address := os.environ.get("CASEBUS_TEST_BROKERS"):
        yield Elsewhere(address)
        return
    with Broker(tmp_path_factory.mktemp("kafka")) as started:
        yield started


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the data outside the project (CASEBUS_SHARED). In CI its absence is a failure, elsewhere a skip."""
    folder = Path(os.environ.get("CASEBUS_SHARED") or _ROOT.parent / "shared").resolve()
    if not (folder / "data").is_dir():
        said = f"No shared data in {folder}: set CASEBUS_SHARED to the folder that holds data/ and tools/."
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    return folder


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
