"""The watchdog that ends a process which hangs."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from bus.watchdog import EX_TEMPFAIL, Watchdog

HANGS = "import threading\nfrom bus.watchdog import Watchdog\nwith Watchdog(0.05): threading.Event().wait()\n"


def test_a_hang_ends_the_process_with_a_sentence():
    """Exit code 75 asks a supervisor to try again."""
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == EX_TEMPFAIL
    *stacks, sentence = done.stderr.splitlines()
    assert sentence == "casebus: A transaction has lasted more than 0.05 s. This process ends; start it again."
    assert any('File "<string>"' in line for line in stacks)


def test_what_ends_in_time_is_left_alone():
    """Used many times, and idle longer than its limit between two uses."""
    called: list[str] = []
    watchdog = Watchdog(0.05, called.append)
    for _ in range(3):
        with watchdog:
            time.sleep(0.001)
    time.sleep(0.1)  # the one thing a watchdog measures is real time
    watchdog.close()
    assert called == []


def test_it_speaks_once():
    """The end of the process is asked for one time, from the watchdog's own thread."""
    spoken = threading.Event()
    called: list[str] = []

    def end(sentence: str) -> None:
        called.append(sentence)
        spoken.set()

    with Watchdog(0.02, end):
        assert spoken.wait(5)
    assert len(called) == 1
