"""Progress for people: a bar on a terminal, plain lines where there is none. Always on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn


class Display(Protocol):
    """What `up` tells while it works."""

    def phase(self, title: str) -> None:
        """Another part of the work begins."""
        ...

    def progress(self, done: int, total: int) -> None: ...

    def end(self) -> None:
        """The work is done; what is printed from now on stands below."""
        ...

    def say(self, sentence: str) -> None:
        """Something happened that one should know."""
        ...


class Bars:
    """One bar per phase on a terminal."""

    def __init__(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=Console(stderr=True))
        self._task: int | None = None
        self._progress.start()

    def end(self) -> None:
        self._finish()
        self._progress.stop()

    def _finish(self) -> None:
        if self._task is not None:
            task = self._progress.tasks[self._task]
            total = task.total or 1
            self._progress.update(task.id, total=total, completed=total)
            self._progress.stop_task(task.id)

    def phase(self, title: str) -> None:
        self._finish()
        self._task = self._progress.add_task(title, total=None)

    def progress(self, done: int, total: int) -> None:
        if self._task is not None and total:
            self._progress.update(self._progress.tasks[self._task].id, total=total, completed=done)

    def say(self, sentence: str) -> None:
        self._progress.console.print(sentence, style="yellow")


class Lines:
    """One line per phase, and one every few seconds while it lasts."""

    EVERY = 5.0

    def __init__(self) -> None:
        self._title = ""
        self._next = 0.0

    def end(self) -> None:
        """Lines end where they stand."""

    def phase(self, title: str) -> None:
        self._title, self._next = title, time.monotonic() + self.EVERY
        self.say(title)

    def progress(self, done: int, total: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self.EVERY
            self.say(f"{self._title}: {done:,} of {total:,}" if total else f"{self._title}: {done:,} so far")

    def say(self, sentence: str) -> None:
        sys.stderr.write(sentence + "\n")
        sys.stderr.flush()


@contextmanager
def display() -> Iterator[Display]:
    shown: Display = Bars() if sys.stderr.isatty() else Lines()
    try:
        yield shown
    finally:
        shown.end()
