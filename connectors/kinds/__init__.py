"""One file, one kind of system: each public module defines `KIND`. Packages of other makers join by the entry point."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from connectors.source import Kind


@cache
def kinds() -> dict[str, Kind]:
    """Every kind by its name, which is the name of its file."""
    names = [module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")]
    return {name: importlib.import_module(f"{__name__}.{name}").KIND for name in sorted(names)}
