"""Personal data out of rows that are to be kept as samples: what the mapping calls personal, and what looks like it anywhere."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors import identifiers
from connectors.config import Part
from connectors.expressions import Expression, ExpressionError, Functions
from connectors.settings import EventSettings
from connectors.shapes import Shape, fields_of, header_fields
from connectors.values import Refusal

#: Identity numbers (GB 11643), mobile numbers, addresses of mail; not inside longer numbers.
_LOOKS = re.compile(
    r"(?<!\d)\d{6}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dA-Za-z])"
    r"|(?<!\d)1[3-9]\d{9}(?!\d)|[\w.+-]+@[\w-]+\.[\w.]+"
)

#: Fields that are personal by their name, though the mapping does not use them.
_NAMED = re.compile(
    r"姓名|申请人$|联系人|法人|经办人|办理人|操作员|电话|手机|身份证|证件号|地址"
    r"|^(?:sqr|jbr|blr|lxr|fr|czry)(?:xm|mc)?$|^(?:xm|lxdh|dh|sjh|sfzh|zjhm|dz)$"  # the same in initials
    r"|applicant$|applicant_?name|applyer_name|contact_name|clerk|phone|mobile|address|identity",
    re.IGNORECASE,
)


#: A field of the source by its names from the row, or from what stands around it, inwards.
Path = tuple[str, ...]


def scrubbed(part: Part, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row, and all around it, with personal fields hidden wholly, and identity and telephone numbers wherever they stand."""
    found: dict[str, Any] = _Scrubber(fields(part), _identifying(part)).value(dict(row), ())
    return found


class _Scrubber:
    """Knows which fields are personal and which must stay: the row's key and the case's number."""

    def __init__(self, personal: set[Path], kept: set[Path]) -> None:
        self._personal, self._kept = personal, kept

    def value(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            return {name: self.value(inner, (*path, str(name))) for name, inner in value.items()}
        if isinstance(value, list):
            return [self.value(inner, path) for inner in value]
        if value is not None and (self._said(path) or (self._named(path) and not self._keeps(path))):
            return hidden(str(value))
        return _LOOKS.sub(lambda match: hidden(match[0]), value) if isinstance(value, str) and not self._keeps(path) else value

    def _said(self, path: Path) -> bool:
        """By the mapping's word for the field, or for what holds it."""
        return any(_ends(path[:size], end) for size in range(1, len(path) + 1) for end in self._personal)

    def _named(self, path: Path) -> bool:
        return any(_NAMED.search(name) for name in path)

    def _keeps(self, path: Path) -> bool:
        return any(_ends(path, end) for end in self._kept)


def _ends(path: Path, end: Path) -> bool:
    return path[-len(end) :] == end


def hidden(text: str) -> str:
    """Another text of the same shape, the same for the same: 张三 becomes 某某, digits other digits, letters x.

    A number that proves itself becomes another that does, or a mapping that checks it would refuse the sample.
    """
    drawn = str(int(hashlib.blake2b(text.encode()).hexdigest(), 16))
    if (proven := identifiers.alike(text, drawn[:12])) is not None:
        return proven
    digits = iter(drawn * (len(text) // 100 + 1))
    return "".join(next(digits) if one.isdigit() else "x" if one.isascii() and one.isalpha() else _other(one) for one in text)


def _other(one: str) -> str:
    return "某" if one.isalpha() else one


def fields(part: Part) -> set[Path]:
    """The source's fields that end in a personal field of some event, through however many columns."""
    names = {name for event in part.settings.events for name in _event(event, part)}
    columns = part.settings.columns
    seen: set[str] = set()
    while names - seen:
        name = (names - seen).pop()
        seen.add(name)
        if name in columns and columns[name].value is not None:
            names |= _names(columns[name].value)
    return {path for name in seen for path in _paths(part, name)}


def _identifying(part: Part) -> set[Path]:
    """Fields of the row's key and the case's number: a number of a case may look like one of a person."""
    settings = part.settings
    keys = settings.key if isinstance(settings.key, list) else [settings.key]
    case = [settings.case.number] if settings.case is not None else []
    return {path for source in [*keys, *case] for name in _names(source) for path in _paths(part, name)}


def _paths(part: Part, name: str) -> set[Path]:
    """Of a column: its field as the row may name it, or as the way to it (`../clerk.name`; numbers count into lists)."""
    column = part.settings.columns.get(name)
    source = name if column is None or column.source is None else column.source
    steps = [str(step) for step in source] if isinstance(source, list) else source.lstrip("./").split(".")
    inside = tuple(step for step in steps if not step.isdigit())
    return {inside} if isinstance(source, list) else {inside, (source,)}


def _event(event: EventSettings, part: Part) -> Iterator[str]:
    header = {**part.settings.header, **event.header}
    yield from _personal(header, {name: field.shape for name, field in header_fields().items()})
    yield from _personal(event.body, {name: field.shape for name, field in fields_of(event.type).items()})


def _personal(given: Mapping[str, Any], shapes: Mapping[str, Shape]) -> Iterator[str]:
    for name, source in given.items():
        shape = shapes.get(name)
        if shape is None:
            continue
        if shape.kind == "personal":
            yield from _names(source)
        elif isinstance(source, dict):
            inner = {field["name"]: shape.inner(field["type"]) for field in shape.schema["fields"]}
            yield from _personal(source, inner)


def _names(source: Any) -> set[str]:
    try:
        return set(Expression(source, Functions()).names)
    except (ExpressionError, Refusal):
        return set()
