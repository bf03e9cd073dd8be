"""Named points where a test can kill the process, so that `kill -9` is driven by a switch and not by luck.

`CASEBUS_CRASH="router.after_send:3:/tmp/flag"` sends SIGKILL to the process at the third pass of that point, once: the
flag file is created first, and a process that finds it there passes unharmed. Without the variable a point costs one
comparison.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import NamedTuple

VARIABLE = "CASEBUS_CRASH"

POINTS = frozenset(
    {
        "connector.after_send",
        "connector.before_commit",
        "connector.after_commit",
        "router.after_send",
        "router.before_commit",
        "router.after_commit_before_store",
        "monitor.between_tables_and_offsets",
        "monitor.before_commit",
        "delivery.after_effect",
    }
)


class Plan(NamedTuple):
    """Which point kills, at which pass, and the file that says it has."""

    name: str
    passes: int
    flag: Path

    @classmethod
    def parse(cls, text: str) -> Plan:
        """Read `name:count:flagfile`; ValueError with a sentence when it is not that or names no point."""
        name, count, flag = [*text.split(":", 2), "", ""][:3]
        if name not in POINTS or not count.isdigit() or not flag:
            raise ValueError(
                f"{VARIABLE}={text!r} is no crash plan. Write name:count:flagfile, with one of {', '.join(sorted(POINTS))}."
            )
        return cls(name, int(count), Path(flag))


_plan = Plan.parse(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None
_passes = 0


def point(name: str) -> None:
    """Pass a named point; dies here when the plan says so."""
    if _plan is not None and _plan.name == name:
        _pass(_plan)


def _pass(plan: Plan) -> None:
    global _passes  # noqa: PLW0603  the count is the process's, like the environment that holds the plan
    _passes += 1
    if _passes == plan.passes and _claimed(plan.flag):
        os.kill(os.getpid(), signal.SIGKILL)


def _claimed(flag: Path) -> bool:
    """Create the flag; False when somebody died for it already."""
    try:
        flag.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
