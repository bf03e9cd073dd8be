"""What an event says beyond its time and place: its own fields, in words, people masked unless somebody may see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any, NamedTuple

from monitor.indicator import indicators
from monitor.mask import told
from monitor.times import shown
from monitor.web.words import Words, humanized
from schemas.envelope import Event

#: Fields that are told elsewhere, or that only machines need.
_SILENT = frozenset(
    {"step", "round", "hand_over", "pause", "ticket", "alert", "judged_sequence", "who", "about", "supervision", "appointment"}
)
#: Fields that name papers.
_PAPERS = ("document", "certificate")


class Said(NamedTuple):
    name: str
    value: str


def says(event: Event, words: Words, zone: tzinfo, *, clear: bool) -> list[Said]:
    """The fields that say something, as label and value."""
    return [Said(_label(name, words), text) for name, text in _texts(event.body, words, zone, clear) if text]


def papers(event: Event, words: Words) -> list[Said]:
    """Papers named by the event: handed in, asked for, issued."""
    body = event.body
    found = [Said(_label(name, words), str(body[name])) for name in _PAPERS if body.get(name)]
    found += [Said(_label("materials", words), str(one.get("name") or "")) for one in body.get("materials") or ()]
    return found + [Said(_label("missing", words), str(one)) for one in body.get("missing") or body.get("gaps") or ()]


def who(event: Event, *, clear: bool) -> str:
    """The person who acted."""
    return told(event.header["actor"], clear=clear)


def _texts(body: Mapping[str, Any], words: Words, zone: tzinfo, clear: bool) -> Iterator[tuple[str, str]]:
    for name, value in body.items():
        if name not in _SILENT:
            yield name, _titled(value, words) if name == "indicator" else _text(name, value, words, zone, clear)


def _text(name: str, value: Any, words: Words, zone: tzinfo, clear: bool) -> str:
    if value is None or value in ([], ""):
        return ""
    if isinstance(value, dict):
        return _record(value, words, zone, clear)
    if isinstance(value, list):
        return ", ".join(filter(None, (_text(name, one, words, zone, clear) for one in value)))
    if isinstance(value, bool):
        return words("affirmed") if value else words("denied")
    if isinstance(value, str) and value.isupper() and value.isascii() and not value.isdigit():
        return words.of(name, value.lower())
    return str(value)


def _titled(indicator: str, words: Words) -> str:
    """As the desk calls it; one that is no more by its name."""
    found = indicators().get(indicator)
    return getattr(found.title, words.language) if found else humanized(indicator)


def _record(value: dict[str, Any], words: Words, zone: tzinfo, clear: bool) -> str:
    """A moment, a personal field, or a record of fields."""
    if "precision" in value:
        return shown(value["at"], zone)
    if "cipher" in value or set(value) == {"value"}:
        return told(value, clear=clear)
    return ", ".join(filter(None, (_text(name, one, words, zone, clear) for name, one in value.items())))


def _label(name: str, words: Words) -> str:
    return words.texts.get(f"field.{name}", humanized(name))
