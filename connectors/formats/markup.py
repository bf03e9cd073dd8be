"""XML, record by record: nothing outside the file is read, nothing is expanded, nothing is kept that is no longer needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

from lxml import etree
from pydantic import field_validator

from connectors.formats.common import FileSettings, Mark, unreadable
from connectors.formats.rolling import Rolling
from connectors.source import Context, SourceRecord
from connectors.values import Refusal

Element = Any  # lxml's elements; the stubs know only part of them
#: Elements of one record.
MOST = 100_000
Get = Callable[[Element], str | None]


class MarkupSettings(FileSettings):
    """`record` is the path of the record's element from the root's children (`办件/环节`); `namespace` holds for all names
    ("*": any, as a SOAP message needs that has several).

    Fields are paths from the record: `状态`, `@序号`, `../@编号`, `../编号`, `人/姓名`, `.` (its own text). Where one leads to an
    element around the record, that is held whole, with all its records; below the root only what stands before them is known.
    """

    format: Literal["xml"]
    record: str
    namespace: str | None = None

    @field_validator("record")
    @classmethod
    def _path(cls, path: str) -> str:
        if not all(path.split("/")):
            raise ValueError("no path, write one such as case/step")
        return path


class Markup(Rolling):
    """One XML file."""

    def __init__(self, path: Path, settings: MarkupSettings, context: Context, mark: Mark | None, name: str = "") -> None:
        self._path = path
        self._name = name or path.name
        self._context = context
        self._prefix = f"{{{settings.namespace}}}" if settings.namespace else ""  # "*" is lxml's own word for any
        self._steps = [self._tag(step) for step in settings.record.split("/")]
        self._getters: list[tuple[str, Get]] = [(str(field), self._getter(str(field))) for field in context.fields]
        heights = [_height(str(field)) for field in context.fields]
        #: The depth of what is held whole: the record, or the element around it whose other elements the mapping reads.
        self._unit = max(2, len(self._steps) + 1 - max(heights, default=0))
        self._heads = len(self._steps) in heights
        #: An element that would be on the way to the records, were it not for its namespace.
        self._stranger = ""
        super().__init__(self._records, mark)

    def _tag(self, step: str) -> str:
        return step if step in ("*", ".", "..") or step.startswith("@") else self._prefix + step

    def _getter(self, field: str) -> Get:
        *path, last = field.split("/")
        names = [self._tag(step) for step in path]
        if last.startswith("@"):
            return lambda element: ((found := _walk(element, names)) is not None and found.get(last[1:])) or None
        names.append(self._tag(last))
        return lambda element: None if (found := _walk(element, names)) is None else "".join(found.itertext())

    def _records(self) -> Iterator[SourceRecord]:
        number = 0
        try:
            for element in self._elements():
                number += 1
                row = {field: get(element) for field, get in self._getters}
                place = f"{self._name}:{element.sourceline} ({number})"
                yield SourceRecord(place, number, row, _raw(element, len(self._steps)))
            if number == 0 and self._stranger:
                self._refuse_namespace(self._stranger)
        except etree.XMLSyntaxError as error:
            yield self._broken(error, number + 1)

    def _elements(self) -> Iterator[Element]:
        """The records' elements; what is held whole is dropped, with what stood before it, when the next is asked for."""
        depth, inside = 0, 0
        trail: list[Element] = []
        for event, element in self._events():
            if event == "start":
                depth += 1
                trail.append(element)
                inside = inside + 1 if depth > self._unit else 0
                self._check_size(inside, trail)
                if depth == 1:
                    self._refuse_doctype(element)
                elif depth <= len(self._steps) + 1:
                    self._stranger = self._stranger or _stranger(self._steps[depth - 2], element.tag)
                continue
            if depth <= self._unit:
                on_way = self._is_on_way(trail)
                if depth == self._unit and on_way:
                    yield from self._records_in(element)
                if on_way or not self._heads:
                    _drop(element, depth, element.tag if self._heads else None)
            trail.pop()
            depth -= 1

    def _records_in(self, unit: Element) -> list[Element]:
        level = [unit]
        for step in self._steps[self._unit - 1 :]:
            level = [child for element in level for child in element if _matches(step, child.tag)]
        return level

    def _events(self) -> Iterator[tuple[str, Element]]:
        parse: Any = etree.iterparse
        yield from parse(
            str(self._path),
            events=("start", "end"),
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )

    def _is_on_way(self, trail: list[Element]) -> bool:
        return all(_matches(step, element.tag) for step, element in zip(self._steps, trail[1:], strict=False))

    def _check_size(self, inside: int, trail: list[Element]) -> None:
        """A record, or what is read around it, stays in memory until its end."""
        if inside > MOST:
            line = trail[self._unit - 1].sourceline
            found = f"the record in line {line} has more than {MOST:,} elements"
            raise unreadable(self._name, found, "Correct record: in the mapping, or the file", self._context)

    def _refuse_doctype(self, root: Element) -> None:
        if root.getroottree().docinfo.internalDTD is not None:
            raise unreadable(
                self._name, "it declares a document type", "Send it without <!DOCTYPE>: entities are not expanded", self._context
            )

    def _refuse_namespace(self, tag: str) -> None:
        """Without a word the file would count as read, and its rows would never come."""
        found = f"it has no records, for {tag.rpartition('}')[2]} is of the namespace {tag[1:].rpartition('}')[0] or '(none)'}"
        raise unreadable(self._name, found, "Write it as namespace: in the mapping, or '*' for any", self._context)

    def _broken(self, error: etree.XMLSyntaxError, number: int) -> SourceRecord:
        line, column = error.position or (0, 0)
        fault = Refusal(
            "broken_file", f"found no more XML from line {line}, column {column} on ({error.msg})", "Send the file again, whole"
        )
        return SourceRecord(f"{self._name}:{line} ({number})", number, {}, self._line(line), fault)

    def _line(self, number: int) -> bytes:
        """The bytes of the line where reading ended."""
        with self._path.open("rb") as file:
            for _ in range(number - 1):
                file.readline(1 << 20)
            return file.readline(1 << 16)


def _stranger(step: str, tag: str) -> str:
    """The element's name where only its namespace differs from the step's; else empty."""
    return tag if not _matches(step, tag) and step.rpartition("}")[2] == tag.rpartition("}")[2] else ""


def _matches(step: str, tag: str) -> bool:
    return step in ("*", tag) or (step.startswith("{*}") and step[3:] == tag.rpartition("}")[2])


def _walk(element: Element, names: list[str]) -> Element:
    for name in names:
        if element is None:
            return None
        if name == "..":
            element = element.getparent()
        elif name != ".":
            element = element.find(name)
    return element


def _height(field: str) -> int:
    """So many levels up stands an element that a field reads; attributes of those around a record are known with its start."""
    inner = field.lstrip("./")
    return 0 if inner.startswith("@") or not inner else field[: len(field) - len(inner)].count("../")


def _drop(element: Element, depth: int, only: str | None) -> None:
    """With what stood before it, or those of one name: others are read for the records that follow."""
    element.clear(keep_tail=False)
    if depth > 1:
        parent = element.getparent()
        for before in [] if parent is None else list(element.itersiblings(only, preceding=True)):
            parent.remove(before)


def _raw(element: Element, levels: int) -> bytes:
    """The record inside the start tags of its parents, whose attributes it may need (the case's number often stands there)."""
    text = etree.tostring(element, encoding="unicode", with_tail=False)
    parent = element.getparent()
    for _ in range(levels):
        if parent is None:
            break
        shell = etree.Element(parent.tag, parent.attrib, parent.nsmap)
        shell.text = "\n"
        head, _, tail = etree.tostring(shell, encoding="unicode").partition("\n")
        text = head + text + tail
        parent = parent.getparent()
    return text.encode()
