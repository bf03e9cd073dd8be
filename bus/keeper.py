"""Stands between Python and one Kafka process, so that Kafka never outlives whoever started it.

Run as a script with the standard library only: `python -I -S keeper.py PARENT GRACE NICE COMMAND...`. It starts COMMAND,
prints its process id, and stops it as soon as its own input is closed or the process PARENT is no longer its parent: by
SIGTERM, after GRACE seconds by SIGKILL; where GRACE is 0 by SIGKILL at once, with all its children. A death signal from
the kernel alone would not do: it is bound to the *thread* that started the process, and it leaves Kafka no time to close
its files.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from types import FrameType

_LOOK_EVERY = 0.5  # seconds between looks at the parent and the child
_PR_SET_PDEATHSIG = 1  # prctl(2): the signal this process gets when the one that started it dies


class _StopRequestedError(Exception):
    """SIGTERM to the keeper itself."""


def _die_with_keeper() -> None:
    with suppress(AttributeError, OSError):  # no prctl outside Linux: there the looks at the parent have to do
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _requested(_number: int, _frame: FrameType | None) -> None:
    raise _StopRequestedError


def _watch(child: subprocess.Popen[bytes], parent: int) -> None:
    while child.poll() is None and os.getppid() == parent:
        readable, _, _ = select.select([sys.stdin], [], [], _LOOK_EVERY)
        if readable and not os.read(0, 1):
            return


def _stop(child: subprocess.Popen[bytes], grace: float) -> int:
    if not grace and child.poll() is None:
        os.killpg(0, signal.SIGKILL)  # a group of our own (start_new_session): this process, the child, its children
    child.terminate()
    try:
        return child.wait(grace)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def main(parent: int, grace: float, nice: int, command: list[str]) -> int:
    os.nice(nice)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, preexec_fn=_die_with_keeper)  # noqa: S603, PLW1509 - our own command; no threads here
    os.write(1, b"%d\n" % child.pid)
    with suppress(_StopRequestedError):
        signal.signal(signal.SIGTERM, _requested)
        _watch(child, parent)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    code = _stop(child, grace)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]))
