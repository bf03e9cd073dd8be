"""The view of a deployment for commands that only look: it must be there already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bus.errors import ConfigurationError
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from monitor.view import View


@contextmanager
def opened(folder: Path) -> Iterator[tuple[Wiring, View]]:
    """Raises ConfigurationError where nothing has been recorded yet."""
    wiring = Wiring(Deployment.load(folder))
    if not (wiring.settings.view or wiring.view_file.exists()):
        raise ConfigurationError(f"Nothing has been recorded for {wiring.settings.name} yet. Run `casebus up {folder}` first.")
    view = wiring.view()
    try:
        yield wiring, view
    finally:
        view.close()
