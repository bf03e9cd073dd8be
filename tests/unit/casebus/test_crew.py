"""The crew: a crashed process comes back, one with wrong settings does not, and none outlives its parent."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bus.errors import ConfigurationError
from casebus import crew
from casebus.crew import ChildError, Crew


def tend_until(staff: Crew, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not done():
        assert time.monotonic() < deadline
        staff.tend()
        time.sleep(0.01)


PYTHON = (sys.executable, "-P", "-c")


def test_a_child_that_ends_well_is_done(tmp_path: Path) -> None:
    """Exit code 0 is an end, not a crash."""
    staff = Crew(tmp_path, print, PYTHON)
    staff.hire("good", "pass")
    tend_until(staff, lambda: staff.code("good") is not None)
    assert staff.code("good") == 0
    staff.demand(["good"])
    staff.dismiss_all()


def test_a_child_with_wrong_settings_speaks_for_itself(tmp_path: Path) -> None:
    """Starting it again cannot help; what it said is the sentence that its caller shows."""
    staff = Crew(tmp_path, print, PYTHON)
    staff.hire("check", "import sys; sys.stderr.write('noise\\ncasebus: no deployment here\\n'); sys.exit(2)")
    tend_until(staff, lambda: staff.code("check") is not None)
    with pytest.raises(ConfigurationError, match=r"^no deployment here$"):
        staff.demand(["check"])
    staff.dismiss_all()


def test_who_is_interrupted_while_dismissing_can_dismiss_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal that comes while one waits for a child must not lose sight of it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    staff = Crew(tmp_path, print, PYTHON)
    staff.hire("work", "import time; time.sleep(60)")
    process = staff._children["work"].process
    assert process is not None
    with monkeypatch.context() as patch:
        patch.setattr(crew, "_bury", interrupted)
        with pytest.raises(KeyboardInterrupt):
            staff.dismiss("work")
    staff.dismiss_all()
    assert process.returncode is not None


def test_a_crashed_child_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second start finds what the first one left, as after a kill -9 in the middle of the work."""
    monkeypatch.setattr(crew, "PAUSES", (0.0, 0.0))
    flag, told = tmp_path / "flag", []
    staff = Crew(tmp_path, told.append, PYTHON)
    staff.hire("work", f"import os, pathlib as p; f = p.Path({str(flag)!r}); f.exists() or (f.touch(), os.kill(os.getpid(), 9))")
    tend_until(staff, lambda: staff.code("work") is not None)
    assert staff.code("work") == 0
    assert [line.split(";")[0] for line in told] == ["work ended with signal SIGKILL"]


def test_a_child_that_will_not_stay_up_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the last pause somebody must look; the message names the log."""
    monkeypatch.setattr(crew, "PAUSES", (0.0, 0.0))
    staff = Crew(tmp_path, print, PYTHON)
    staff.hire("broken", "raise SystemExit(1)")
    with pytest.raises(ChildError, match=r"crashed 3 times in a row.*broken\.log"):
        tend_until(staff, lambda: False)


def test_no_child_outlives_a_parent_that_is_killed(tmp_path: Path) -> None:
    """kill -9 of the parent closes the pipe the children hold on to."""
    child = "from casebus import crew; import time; crew.follow_parent(); print(1, flush=True); time.sleep(60)"
    code = (
        f"import time; from casebus import crew; staff = crew.Crew(crew.Path({str(tmp_path)!r}), print, {PYTHON!r});"
        f"staff.hire('child', {child!r}); print(staff._children['child'].process.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        process = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    deadline = time.monotonic() + 10
    while not _ended(process):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _ended(process: psutil.Process) -> bool:
    """Ended; that nobody has collected it yet is no life."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
