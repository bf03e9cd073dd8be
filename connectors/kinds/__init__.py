"""One file, one kind of system: each public module defines one `Kind`. Packages of other makers join by the entry point."""

from __future__ import annotations

from functools import cache

from bus.discover import discover
from connectors.source import Kind

#: Entry point group of kinds that are installed beside ours.
GROUP = "casebus.kinds"


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its name, which is the name of its file. Raises ConfigurationError for one that breaks the rule."""
    return discover(__name__, Kind, GROUP)
