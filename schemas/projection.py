"""A few fields of an Avro record, read without building the rest of it.

    read = compiled(schema, ("header.case", "header.occurred_at.at"))
    case, at = read(data, 10)

The function is written out for the schema and compiled once, as `dataclasses` and `collections.namedtuple` do: it steps
over what nobody asked for and stops after the last field that is wanted. For a view that keeps a dozen columns of an event
it takes a third of the time of decoding the whole event (bench/view.py). Encoding: Avro specification, "Binary encoding".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from schemas.fit import Names, names_of

#: Values of the wanted fields in the order they were asked for; None where a union holds another branch.
Read = Callable[[bytes, int], tuple[Any, ...]]
_FIXED = {"null": 0, "boolean": 1, "float": 4, "double": 8}


def compiled(plain: dict[str, Any], paths: Sequence[str]) -> Read:
    """What reads these fields of a body of this parsed schema that begins at a position.

    Texts, bytes, whole numbers, enums, maps of texts, and unions of those with null can be read; a path leads through
    records and unions of records. The function raises ValueError or LookupError where the bytes end too early or are no
    such record; what lies behind the last wanted field is not looked at.
    Raises LookupError for a path that is not there, TypeError for a type that is not read.
    """
    writer = _Writer(names_of(plain), paths)
    writer.walk(plain, "")
    if writer.missing:
        raise LookupError(f"{plain['name']} has no {', '.join(sorted(writer.missing))}")
    space: dict[str, Any] = {"_number": _number, "_length": _length, "_texts": _texts, "_symbols": writer.symbols}
    exec(writer.source(), space)  # noqa: S102  built from our own schemas alone; names in it are numbered by us
    read: Read = space["read"]
    return read


class _Writer:
    """Lines of Python over `b`, the bytes, and `i`, the position."""

    def __init__(self, names: Names, paths: Sequence[str]) -> None:
        self._names, self._paths = names, paths
        self._lines: list[str] = []
        self._deep = 1
        self.missing = set(paths)
        self.symbols: list[list[str]] = []

    def source(self) -> str:
        values = [f"v{number}" for number in range(len(self._paths))]
        begin = ["def read(b, i):", *(f"    {value} = None" for value in values)]
        end = ["    if i > len(b): raise ValueError('the bytes end too early')", f"    return ({', '.join(values)},)"]
        return "\n".join([*begin, *self._lines, *end])

    def walk(self, schema: Any, path: str) -> None:
        """One value: keep it, go into it for something in it, or step over it."""
        if path in self._paths:
            self.missing.discard(path)
            self._keep(schema, f"v{self._paths.index(path)}")
        elif any(wanted.startswith(f"{path}." if path else "") for wanted in self._paths):
            self._into(schema, path)
        else:
            self._skip(schema)

    def _into(self, schema: Any, path: str) -> None:
        if isinstance(schema, list):
            self._into_union(schema, path)
            return
        for field in self._named(schema).get("fields", ()):
            if not self.missing:
                return
            self.walk(field["type"], f"{path}.{field['name']}".removeprefix("."))

    def _into_union(self, branches: Sequence[Any], path: str) -> None:
        """Each branch is looked through for all that was missing before: two may hold a field of the same name."""
        before, after = set(self.missing), set(self.missing)

        def inner(branch: Any) -> None:
            self.missing = set(before)
            self._into(branch, path)
            after.intersection_update(self.missing)

        self._union(branches, inner)
        self.missing = after

    def _keep(self, schema: Any, value: str) -> None:
        if isinstance(schema, list):
            self._union(schema, lambda branch: self._keep(branch, value))
            return
        named = self._named(schema)
        kind = named["type"]
        if kind in {"string", "bytes"}:
            self._size()
            self._line(f"{value} = b[i:i + n]{'.decode()' if kind == 'string' else ''}", "i += n")
        elif kind in {"int", "long"}:
            self._line(f"{value} = b[i]", "i += 1")
            self._line(f"if {value} > 127: {value}, i = _number(b, i - 1)", f"else: {value} = {value} >> 1 ^ -({value} & 1)")
        elif kind == "enum":
            self.symbols.append(named["symbols"])
            self._size()
            self._line(f"{value} = _symbols[{len(self.symbols) - 1}][n]")
        elif kind == "map" and named["values"] == "string":
            self._line(f"if b[i]: {value}, i = _texts(b, i)", f"else: {value}, i = {{}}, i + 1")
        elif kind != "null":
            raise TypeError(f"a field of type {kind} cannot be read alone")

    def _skip(self, schema: Any) -> None:
        if isinstance(schema, list):
            self._union(schema, self._skip)
            return
        named = self._named(schema)
        kind = named["type"]
        if kind == "record":
            for field in named["fields"]:
                self._skip(field["type"])
        elif kind in {"array", "map"}:
            self._blocks(named)
        elif kind in {"string", "bytes"}:
            self._size()
            self._line("i += n")
        elif kind in {"int", "long", "enum"}:
            self._line("while b[i] > 127: i += 1", "i += 1")
        else:
            self._line(f"i += {named['size'] if kind == 'fixed' else _FIXED[kind]}")

    def _union(self, branches: Sequence[Any], inner: Callable[[Any], None]) -> None:
        """The branch that is there; the others keep what they hold, which is None."""
        self._line("k = b[i]", "i += 1")
        for number, branch in enumerate(branches):
            self._nested(f"{'el' if number else ''}if k == {2 * number}:", partial(inner, branch))
        self._line("else: raise ValueError(f'a union has no branch {k / 2:g}')")

    def _blocks(self, schema: Mapping[str, Any]) -> None:
        """Step over an array or a map: blocks of items, the last one empty; a block may tell its size."""
        count = f"c{self._deep}"
        self._nested("while b[i]:", lambda: self._block(schema, count))
        self._line("i += 1")

    def _block(self, schema: Mapping[str, Any], count: str) -> None:
        self._line(f"{count}, i = _number(b, i)", f"if {count} < 0:")
        self._line("    n, i = _length(b, i)", "    i += n", "    continue")
        items = ["string", schema["values"]] if schema["type"] == "map" else [schema["items"]]

        def skipped() -> None:
            for item in items:
                self._skip(item)

        self._nested(f"for _ in range({count}):", skipped)

    def _size(self) -> None:
        """`n`, a size or an index; nearly always one byte."""
        self._line("n = b[i]", "if n & 129: n, i = _length(b, i)")
        self._nested("else:", lambda: self._line("n >>= 1", "i += 1"))

    def _nested(self, head: str, inner: Callable[[], None]) -> None:
        self._line(head)
        self._deep += 1
        before = len(self._lines)
        inner()
        if len(self._lines) == before:
            self._line("pass")
        self._deep -= 1

    def _line(self, *lines: str) -> None:
        self._lines += [f"{'    ' * self._deep}{line}" for line in lines]

    def _named(self, schema: Any) -> Mapping[str, Any]:
        if isinstance(schema, str):
            return self._names.get(schema) or {"type": schema}
        named: Mapping[str, Any] = schema
        return named


#: The highest bits of eight bytes, and which of them are set in a number of eight: in all but its last.
_HIGH, _EIGHT = 0x8080808080808080, 0x0080808080808080


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A whole number, variable length, zigzag; and where it ends.

    A time in microseconds has eight bytes from 1978 to 3111: their groups of seven bits are pushed together by pairs,
    in half the time of going through them one by one.
    """
    number = int.from_bytes(data[at : at + 8], "little")
    if number & _HIGH != _EIGHT:
        return _any_number(data, at)
    number = number & 0x7F007F007F007F | (number & 0x7F007F007F007F00) >> 1
    number = number & 0x3FFF00003FFF | (number & 0x3FFF00003FFF0000) >> 2
    number = number & 0xFFFFFFF | (number & 0xFFFFFFF00000000) >> 4
    return number >> 1 ^ -(number & 1), at + 8


def _any_number(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number >> 1 ^ -(number & 1), at
        shift += 7
        if shift > 63:  # a megabyte of such bytes would be put together for half a minute
            raise ValueError("a number has more than ten bytes")


def _length(data: bytes, at: int) -> tuple[int, int]:
    """A size or an index, which is never negative and never beyond the bytes."""
    number, at = _number(data, at)
    if not 0 <= number <= len(data):
        raise ValueError(f"{number} is no length here")
    return number, at


def _texts(data: bytes, at: int) -> tuple[dict[str, str], int]:
    found: dict[str, str] = {}
    while data[at]:
        count, at = _number(data, at)
        if count < 0:
            _, at = _length(data, at)
        for _ in range(abs(count)):
            key, at = _text(data, at)
            found[key], at = _text(data, at)
    return found, at + 1


def _text(data: bytes, at: int) -> tuple[str, int]:
    size, at = _length(data, at)
    return data[at : at + size].decode(), at + size


def values(record: Any, paths: Sequence[str]) -> Iterator[Any]:
    """The same fields of a record that has been decoded as a whole."""
    for path in paths:
        value = record
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        yield value
