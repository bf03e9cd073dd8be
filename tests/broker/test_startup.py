"""The JVM's start-up cache: made beside the first broker, used by the next, given up without a trace."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from smoke import copy_jars

from bus.broker import Broker

pytestmark = pytest.mark.broker


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where start-up caches lie; there are none yet."""
    copy_jars(tmp_path / "cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "casebus" / "startup"


def within(seconds: float, true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return true()


def commands_with(text: str) -> list[str]:
    """Command lines of running processes that hold this text."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(process.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has just ended
            continue
    return [command for command in found if text in command]


def test_it_is_made_beside_the_first_broker_and_used_by_the_next(caches: Path, tmp_path: Path) -> None:
    """Nobody waits for it; what is half made is never taken for it; the next Java is told of it and does not complain."""
    with Broker(tmp_path / "kafka"):
        assert within(120, lambda: bool(list(caches.glob("*.aot"))))
    (made,) = caches.glob("*.aot")
    assert made.stat().st_size > 10 << 20
    with Broker(tmp_path / "kafka") as broker:
        command = Path(f"/proc/{broker.pid()}/cmdline").read_text("utf-8")
        assert f"-XX:AOTCache={made}" in command
        mapped = Path(f"/proc/{broker.pid()}/maps").read_text("utf-8")
        assert str(made) in mapped
    assert "error" not in (tmp_path / "kafka" / "node-1" / "jvm.log").read_text("utf-8")


def test_a_broker_that_stops_early_gives_it_up_without_a_trace(caches: Path, tmp_path: Path) -> None:
    """No process and no half file stays behind, and stopping does not take longer."""
    with Broker(tmp_path / "kafka"):
        assert within(30, lambda: bool(commands_with(f"AOTCacheOutput={caches}")))
        begin = time.monotonic()
    assert time.monotonic() - begin < 10
    assert not commands_with(str(caches))
    assert [path.name for path in caches.iterdir()] == [".lock"]
