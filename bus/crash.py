"""Named points where a test can kill the process, so that `kill -9` is driven by a switch and not by luck.

`CASEBUS_CRASH="router.after_send:3:/tmp/flag"` sends SIGKILL to the process at the third pass of that point, once: the
flag file is created first, and a process that finds it there passes unharmed. Several such plans, for different points,
are divided by `;`. Without the variable a point costs one look-up.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
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


def plans(text: str) -> dict[str, Plan]:
    """The plans in a variable, one for each point; several stand in a row with `;` between them."""
    found = [Plan.parse(one) for one in text.split(";")] if text else []
    return {plan.name: plan for plan in found}


_plans = plans(os.environ.get(VARIABLE, ""))
_passes: Counter[str] = Counter()


def point(name: str) -> None:
    """Pass a named point; dies here when the plan says so."""
    plan = _plans.get(name)
    if plan is not None:
        _pass(plan)


def _pass(plan: Plan) -> None:
    _passes[plan.name] += 1
    if _passes[plan.name] == plan.passes and _claimed(plan.flag):
        os.kill(os.getpid(), signal.SIGKILL)


def _claimed(flag: Path) -> bool:
    """Create the flag; False when somebody died for it already."""
    try:
        flag.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
