"""CEL, fenced: the one expression language of mappings, with functions of ours and only the columns that are needed.

The library's faults are kept out [seen]: `size('张三')` counts bytes, so `length` counts characters; decimals and large
integers would silently become floats, so values are exact text or 64-bit integers before they come here; names are not
checked when compiling, so `Expression.names` is checked against the columns at load.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

import cel

from connectors import identifiers, values
from connectors.gb18030 import repaired
from connectors.times import FormatError, TimeReader
from connectors.values import Refusal

#: The library logs each Refusal of our functions as a warning; it reaches the dead letters with the row instead.
logging.getLogger("cel").setLevel(logging.CRITICAL)

Evaluate = Callable[[Mapping[str, Any]], Any]
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_WORDS = {"true": True, "false": False, "null": None}
#: Functions of CEL's standard library that may be used; `size` and `timestamp` are fenced off.
STANDARD = frozenset(
    [
        "has",
        "all",
        "exists",
        "exists_one",
        "map",
        "filter",
        "contains",
        "startsWith",
        "endsWith",
        "matches",
        "string",
        "int",
        "uint",
        "double",
        "bool",
        "type",
        "min",
        "max",
        "optional",
    ]
)
_FENCED = {
    "size": "length(text), which counts characters",
    "timestamp": "time(text, format, zone)",
    "duration": "whole numbers of days",
}


#: The table that a call names in quotes; one that is computed is known only with a row.
_LOOKED_UP = re.compile(r"""\blookup\(\s*['"]([^'"]*)['"]\s*,""")


class ExpressionError(ValueError):
    """An expression that cannot be used as it stands; the message says what to write."""


class Functions:
    """Our functions, by the names expressions use; `tables` answer `lookup` (None: they are not at hand)."""

    def __init__(self, tables: Mapping[str, Callable[[Any], Any]] | None = None, zone: str | None = None) -> None:
        self._tables = tables
        self._zone = zone
        self._readers: dict[tuple[str, str | None], TimeReader] = {}
        #: What the last function refused: CEL would keep only its text.
        self.refusal: Refusal | None = None
        self.table: dict[str, Callable[..., Any]] = {
            "trim": self._guarded(lambda text: None if text is None else str(text).strip()),
            "key": self._guarded(lambda text: None if text is None else values.key_text(str(text))),
            "upper": self._guarded(lambda text: None if text is None else str(text).upper()),
            "lower": self._guarded(lambda text: None if text is None else str(text).lower()),
            "greatest": self._guarded(lambda items: max((item for item in items or () if item is not None), default=None)),
            "length": self._guarded(lambda text: 0 if text is None else len(text)),
            "text": self._guarded(values.text_of),
            "whole": self._guarded(values.int_of),
            "number": self._guarded(values.number_of),
            "money": self._guarded(values.money_of),
            "pieces": self._guarded(values.list_of),
            "matched": self._guarded(lambda text, regex: text is not None and re.fullmatch(regex, str(text)) is not None),
            "replaced": self._guarded(lambda text, old, new: None if text is None else str(text).replace(old, new)),
            "part": self._guarded(lambda text, start, end: None if text is None else str(text)[start:end]),
            "repair": self._guarded(lambda text: None if text is None else repaired(str(text))),
            "identity": self._guarded(identifiers.identity),
            "credit_code": self._guarded(identifiers.credit_code),
            "phone": self._guarded(identifiers.phone),
            "time": self._guarded(self._time),
            "lookup": self._guarded(self._lookup),
        }

    def check_lookups(self, text: str) -> None:
        """Raise ExpressionError for a lookup that this expression names and that is not there."""
        for name in _LOOKED_UP.findall(text):
            if self._tables is not None and name not in self._tables:
                known = ", ".join(sorted(self._tables)) or "there are none"
                raise ExpressionError(f"there is no lookup `{name}` under lookups: ({known}). Declare it, or name one that is")

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            try:
                return function(*map(_ordered, arguments))
            except Refusal as refusal:
                self.refusal = refusal
                raise
            except (TypeError, ValueError, IndexError) as error:
                self.refusal = Refusal("expression_failed", f"a function failed: {error}", "Correct its arguments in the mapping")
                raise

        return call

    def _time(self, value: Any, form: str = "iso", zone: str | None = None) -> Any:
        if value is None:
            return None
        reader = self._readers.get((form, zone))
        if reader is None:
            reader = self._readers[form, zone] = TimeReader([form], zone or self._zone)
        return reader.read(value)

    def _lookup(self, table: str, key: Any) -> Any:
        if self._tables is None or table not in self._tables:
            raise FormatError(f"there is no lookup '{table}'")
        return self._tables[table](key)


class Expression:
    """One compiled expression. A constant has no names; a path alone costs no CEL at all."""

    def __init__(self, source: Any, functions: Functions) -> None:
        self.source = source
        self.names: frozenset[str] = frozenset()
        self.constant = False
        self.evaluate: Evaluate = self._compiled(source, functions)

    def _compiled(self, source: Any, functions: Functions) -> Evaluate:
        if not isinstance(source, str):
            return self._fixed(source)
        text = source.strip()
        if text in _WORDS:
            return self._fixed(_WORDS[text])
        if _PATH.fullmatch(text):
            head, *rest = text.split(".")
            self.names = frozenset({head})
            return _path(head, rest)
        return self._program(text, functions)

    def _fixed(self, value: Any) -> Evaluate:
        self.constant = True
        return lambda _: value

    def _program(self, text: str, functions: Functions) -> Evaluate:
        program = _parse(text)
        known = program.references()
        self.names = frozenset(known["variables"]) - frozenset(_bound(text))
        _check_functions(known["functions"], functions)
        functions.check_lookups(text)
        used = {name: functions.table[name] for name in known["functions"] if name in functions.table}
        run = _runner(program, tuple(self.names), used, functions)
        return self._fixed(run({})) if not self.names and "lookup" not in used else run


def _parse(text: str) -> Any:
    try:
        return cel.compile(text)
    except ValueError as error:
        detail = str(error).partition("ERROR: ")[2].splitlines() or [str(error)]
        raise ExpressionError(
            f"'{text}' is no expression ({detail[0]}). Write a column's name, a text in quotes ('…'), or CEL"
        ) from None


def _check_functions(found: list[str], functions: Functions) -> None:
    for name in found:
        if name in _FENCED:
            raise ExpressionError(f"the function {name} is not for mappings. Write {_FENCED[name]}")
        if name[0].isalpha() and name not in functions.table and name not in STANDARD:
            raise ExpressionError(f"there is no function {name}. Write one of {', '.join(sorted(functions.table))}")


def _bound(text: str) -> set[str]:
    """Names that a comprehension binds itself: the x of `missing.filter(x, x != '')`."""
    return set(re.findall(r"\.(?:all|exists|exists_one|map|filter)\(\s*([A-Za-z_]\w*)\s*,", text))


def _path(head: str, rest: list[str]) -> Evaluate:
    if not rest:
        return lambda values: values[head]

    def walk(values: Mapping[str, Any]) -> Any:
        value = values[head]
        for name in rest:
            if value is None:
                return None
            value = value.get(name) if isinstance(value, dict) else None
        return value

    return walk


def _runner(program: Any, names: tuple[str, ...], used: dict[str, Any], functions: Functions) -> Evaluate:
    def run(row: Mapping[str, Any]) -> Any:
        functions.refusal = None
        try:
            return _ordered(program.execute({name: row[name] for name in names} | used))
        except (ValueError, TypeError, RuntimeError, ArithmeticError, LookupError) as error:
            raise functions.refusal or _failed(program.source, error) from None

    return run


def _ordered(value: Any) -> Any:
    """CEL keeps no order of keys: written as text, the same row would give another body each time."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=str)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def _failed(source: str, error: Exception) -> Refusal:
    first = str(error).partition(".")[0]
    return Refusal(
        "expression_failed", f"'{source}' failed: {first}", "Correct the expression, or say what holds where a value is null"
    )
