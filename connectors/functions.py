"""Python functions by name, the way out where an expression will not do: `python: functions.people:clean`.

They are pure: the same values give the same result on every run and machine, or the same row would get another body. What
they raise refuses the row; the word of a ValueError goes to whoever mends it.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

from connectors.times import FormatError
from connectors.values import Refusal

Function = Callable[..., Any]
#: The deployment's folder whose files may be named; everything else is a module of an installed package.
FOLDER = "functions"
_PLAIN = (str, bool, int, float, Decimal, date, list, dict)
_EXAMPLE = "Write python: functions.people:clean for clean() in functions/people.py, or python: package.module:function"


def function(name: str, base: Path) -> Function:
    """The function of this name, its faults turned into refusals. Raises FormatError where there is none."""
    module, _, wanted = name.partition(":")
    try:
        found = getattr(_module(module, base), wanted or "", None)
    except Exception as error:
        raise FormatError(f"the module {module} cannot be loaded ({_told(error)}). {_EXAMPLE}") from error
    if not callable(found):
        raise FormatError(f"there is no function `{name}`. {_EXAMPLE}")
    return _fenced(name, found)


def _module(name: str, base: Path) -> ModuleType:
    if name.partition(".")[0] != FOLDER:
        return importlib.import_module(name)
    path = base.joinpath(*name.split(".")).with_suffix(".py")
    content = path.read_bytes()
    own = f"casebus_functions_{hashlib.blake2b(str(path).encode() + content, digest_size=8).hexdigest()}"
    return sys.modules.get(own) or _loaded(own, path)


def _loaded(name: str, path: Path) -> ModuleType:
    """The file as a module under a name of its own: two deployments in one process keep theirs apart."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _fenced(name: str, wanted: Function) -> Function:
    def call(*arguments: Any) -> Any:
        try:
            found = wanted(*arguments)
        except Refusal:
            raise
        except Exception as error:
            raise Refusal("function_failed", f"{name} failed: {_told(error)}", "Correct the row, or the function") from error
        if found is not None and not isinstance(found, _PLAIN):
            kind = type(found).__name__
            raise Refusal("function_failed", f"{name} gave a {kind}", "Let it return text, a number, a date, a list or a dict")
        return found

    return call


def _told(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0]
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}".rstrip(": ")
