"""A folder is a registry: each public module in it defines exactly one object of the seam's kind, named as the file.

`discover("router.rules", Rule)` gives `{"hand_up": <Rule>, ...}` in the order of the names. With a group, packages that are
installed beside ours add theirs by entry point, under the entry point's name.
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TypeVar

from bus.errors import ConfigurationError

Kind = TypeVar("Kind")


def discover(package: str, kind: type[Kind], group: str | None = None) -> dict[str, Kind]:
    """Every object of the kind, by name. Raises ConfigurationError, naming the file, where a module breaks the rule."""
    folder = importlib.import_module(package)
    names = sorted(module.name for module in pkgutil.iter_modules(folder.__path__) if not module.name.startswith("_"))
    found = {name: _only(_imported(f"{package}.{name}"), kind, name) for name in names}
    for entry in sorted(entry_points(group=group), key=lambda entry: entry.name) if group else ():
        if entry.name in found:
            raise ConfigurationError(
                f"{_origin(entry)} adds `{entry.name}`, which there is already. Uninstall it, or have it renamed."
            )
        found[entry.name] = _added(entry, kind)
    return found


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ConfigurationError(f"{name} cannot be imported: {type(error).__name__}: {error}") from error


def _only(module: ModuleType, kind: type[Kind], name: str) -> Kind:
    objects = {public: value for public, value in vars(module).items() if not public.startswith("_") and isinstance(value, kind)}
    if len({id(value) for value in objects.values()}) != 1:
        held = ", ".join(objects) or "none"
        raise ConfigurationError(f"{module.__file__} must define exactly one public {kind.__name__}; it has {held}.")
    return _named(next(iter(objects.values())), name, str(module.__file__))


def _named(value: Kind, name: str, where: str) -> Kind:
    own = getattr(value, "name", name)
    if own != name:
        raise ConfigurationError(f"{where} defines `{own}`; its name must be `{name}`. Rename one of them.")
    return value


def _added(entry: EntryPoint, kind: type[Kind]) -> Kind:
    """An entry point names a module that follows the rule, or the object itself."""
    try:
        value = entry.load()
    except Exception as error:
        raise ConfigurationError(
            f"{_origin(entry)} cannot be used: {type(error).__name__}: {error}. Repair or uninstall it."
        ) from error
    if isinstance(value, ModuleType):
        return _only(value, kind, entry.name)
    if not isinstance(value, kind):
        raise ConfigurationError(f"{_origin(entry)} gives a {type(value).__name__}, no {kind.__name__}. Repair or uninstall it.")
    return _named(value, entry.name, _origin(entry))


def _origin(entry: EntryPoint) -> str:
    package = entry.dist.name if entry.dist else "an installed package"
    return f"{package} ({entry.group}: {entry.name} = {entry.value})"
