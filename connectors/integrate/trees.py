"""Where the rows are in nested files: the record's path and every field, as the readers of XML and JSON lines name them.

The rows are what repeats most: the steps of cases rather than the cases, as long as they hold two fields or more. What stands
around them is reached by `../`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lxml import etree

Path = tuple[str, ...]


class Rows(NamedTuple):
    """The path of the record (empty: the line itself), and the fields of the rows in the order in which they came."""

    record: Path
    fields: Sequence[str]


# -- JSON


def of_json(lines: Sequence[Any]) -> Rows:
    """The rows of these lines, decoded."""
    counted: Counter[Path] = Counter()
    for line in lines:
        counted.update(path for path, _ in _lists(line, ()))
    most = max(counted, key=lambda path: (counted[path], -len(path)), default=())
    record = most if counted[most] > len(lines) else ()
    found = (name for line in lines for row, around in _held(line, record, ()) for name in _json_fields(row, around))
    return Rows(record, list(dict.fromkeys(found)))


def _lists(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Every object in a list that holds two fields or more, by the way to the list."""
    if isinstance(value, dict):
        for name, held in value.items():
            rows = [row for row in held if isinstance(row, dict)] if isinstance(held, list) else []
            yield from (((*path, name), row) for row in rows if len(row) > 1)
            for below in rows or [held]:
                yield from _lists(below, (*path, name))


def _held(value: Any, way: Path, around: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The rows at the end of the way, each with the objects around it, the nearest first."""
    if isinstance(value, list):
        for row in value:
            yield from _held(row, way, around)
    elif not way:
        yield value, around
    elif isinstance(value, dict):
        beside = {name: held for name, held in value.items() if name != way[0]}
        yield from _held(value.get(way[0]), way[1:], (beside, *around))


def _json_fields(row: Any, around: tuple[Any, ...]) -> Iterator[str]:
    yield from _leaves(row, "")
    for height, held in enumerate(around, 1):
        up = "../" * height
        yield from _leaves(held, up)


def _leaves(value: Any, prefix: str) -> Iterator[str]:
    if not isinstance(value, dict):
        return
    for name, held in value.items():
        if isinstance(held, dict):
            yield from _leaves(held, f"{prefix}{name}.")
        elif not isinstance(held, list):
            yield prefix + name


def value(row: Any, field: str) -> Any:
    """What a field of a JSON row leads to (`step.code`, `../number`); None where nothing stands."""
    inner = field.lstrip("./")
    for name in [".."] * (field.count("../")) + inner.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


# -- XML


def of_xml(root: Any) -> Rows:
    """The rows below the root of a document."""
    paths = {element: tuple(_steps(element, root)) for element in root.iter(etree.Element) if element is not root}
    counted = Counter(path for element, path in paths.items() if _holds(element))
    record = max(counted, key=lambda path: (counted[path], -len(path)), default=())
    rows = [element for element, path in paths.items() if path == record] if record else []
    return Rows(record, list(dict.fromkeys(name for row in rows for name in _xml_fields(row, root))))


def _steps(element: Any, root: Any) -> list[str]:
    return [_local(one) for one in reversed([element, *element.iterancestors()]) if one is not root]


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)


def _holds(element: Any) -> bool:
    """Two fields or more: an element with a text alone is a field itself."""
    return len(element.attrib) + len(element) > 1


def _xml_fields(row: Any, root: Any) -> Iterator[str]:
    yield from _inside(row, "")
    up, below, around = "../", row, row.getparent()
    while around is not None and around is not root:
        yield from (f"{up}@{name}" for name in _plain(around.attrib))
        for child in around:
            if child is not below and child.tag != below.tag:
                yield from _inside(child, f"{up}{_local(child)}/") if len(child) else [up + _local(child)]
        up, below, around = f"../{up}", around, around.getparent()


def _inside(element: Any, prefix: str) -> Iterator[str]:
    yield from (f"{prefix}@{name}" for name in _plain(element.attrib))
    for child in element:
        name = prefix + _local(child)
        if len(child):
            yield from _inside(child, f"{name}/")
        else:
            yield name
            yield from (f"{name}/@{one}" for one in _plain(child.attrib))


def _plain(attributes: Mapping[str, str]) -> list[str]:
    """Those without a namespace: what an attribute of a schema language says is no field."""
    return [name for name in attributes if not name.startswith("{")]
