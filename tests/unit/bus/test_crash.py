"""The switch that kills a process at a named point."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bus.crash import POINTS, VARIABLE, Plan

PROGRAM = "from bus import crash\nfor n in range(3): crash.point('router.after_send'); print(n, flush=True)\n"


def run(plan: str, program: str = PROGRAM) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], env={VARIABLE: plan}, capture_output=True, text=True, check=False)


def test_the_process_dies_at_the_pass_asked_for_and_only_once(tmp_path: Path):
    """SIGKILL at the second pass; the next process finds the flag and lives."""
    plan = f"router.after_send:2:{tmp_path / 'flag'}"
    first, second = run(plan), run(plan)
    assert (first.returncode, first.stdout) == (-signal.SIGKILL, "0\n")
    assert (second.returncode, second.stdout) == (0, "0\n1\n2\n")


def test_several_points_each_kill_once(tmp_path: Path):
    """A process that lives through one dies at the next, so that one run can be killed at all of them."""
    program = "from bus import crash\nfor n in range(3): crash.point('router.after_send'); crash.point('router.before_commit')\n"
    plan = f"router.after_send:1:{tmp_path / 'a'};router.before_commit:3:{tmp_path / 'b'}"
    assert [run(plan, program).returncode for _ in range(3)] == [-signal.SIGKILL, -signal.SIGKILL, 0]


def test_another_point_does_not_kill(tmp_path: Path):
    """Only the point that was named counts."""
    assert run(f"router.before_commit:1:{tmp_path / 'flag'}").returncode == 0


@pytest.mark.parametrize("text", ["router.after_send", "router.after_send:x:/f", "nowhere:1:/f", "router.after_send:1:", ""])
def test_a_plan_that_is_none_is_refused_with_the_way_to_write_it(text: str):
    """A typing error in a kill test must not make it pass."""
    with pytest.raises(ValueError, match=r"Write name:count:flagfile"):
        Plan.parse(text)


def test_a_path_with_colons_is_a_path():
    """Only the first two colons divide."""
    plan = Plan.parse("delivery.after_effect:3:/tmp/a:b")
    assert (plan.name, plan.passes, plan.flag) == ("delivery.after_effect", 3, Path("/tmp/a:b"))  # noqa: S108  not opened


def test_every_point_names_its_service():
    """`service.moment`."""
    assert {point.split(".")[0] for point in POINTS} == {"connector", "router", "monitor", "delivery"}
