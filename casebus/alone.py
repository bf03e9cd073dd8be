"""One `casebus up` for each deployment: two would fence each other's routers for ever."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bus.errors import ConfigurationError


@contextmanager
def alone(data: Path) -> Iterator[None]:
    """Hold the deployment's lock; it falls when the process ends, however it ends. Raises ConfigurationError where it is held."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / "up.lock").open("a+", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            raise ConfigurationError(
                f"Another casebus up (process {handle.read().strip() or 'unknown'}) runs this deployment. End it first."
            ) from None
        handle.truncate(0)
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield
