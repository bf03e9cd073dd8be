"""Sentences in the languages of people: one YAML file a language in `languages/`, so that a third one is a file.

language("zh").say(Phrase("headline.near", {"left": Amount(2, "working"), ...}))

A fact is a date, an amount, a word of a list (`Word`), or plain text, and each language writes it its own way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.yamlfile import load

_FOLDER = Path(__file__).parent / "languages"
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Amount(NamedTuple):
    """A number of working days, natural days or office hours (the words of `schemas.measure.Measure`)."""

    number: float
    unit: str


class Word(NamedTuple):
    """A word of one of the lists in a language's file; as it stands where the list has it not."""

    group: str
    name: str


class Phrase(NamedTuple):
    """A sentence or a part of one, before it is said in a language."""

    key: str
    facts: Mapping[str, Any] = _NOTHING


class Language:
    """One language's file. Keys of nested mappings are joined by dots."""

    def __init__(self, code: str, texts: Mapping[str, Any]) -> None:
        self.code = code
        self._articles: Mapping[str, str] = texts.get("articles", {})
        self.texts = dict(_flat({name: text for name, text in texts.items() if name != "articles"}))

    @property
    def name(self) -> str:
        """The language's name in itself."""
        return self.texts["name"]

    def say(self, *phrases: Phrase) -> str:
        """The phrases one after another. Raises KeyError for one that the language does not have."""
        return "".join(self._said(phrase) for phrase in phrases)

    def sentence(self, *phrases: Phrase) -> str:
        return self.say(*phrases) + self.texts["end"]

    def fill(self, text: str, facts: Mapping[str, Any]) -> str:
        """A text with its facts, each as this language writes it."""
        return text.format_map({name: self._fact(fact) for name, fact in facts.items()})

    def article(self, text: str) -> str:
        """An article of law, as the language calls it."""
        return self._articles.get(text, text)

    def _said(self, phrase: Phrase) -> str:
        return self.fill(self.texts[phrase.key], phrase.facts)

    def _fact(self, fact: Any) -> str:
        if isinstance(fact, date):
            return self.texts["date"].format(year=fact.year, month=fact.month, day=fact.day)
        if isinstance(fact, Amount):
            form = "one" if fact.number == 1 else "other"
            return self.texts[f"amount.{fact.unit}.{form}"].format(n=f"{fact.number:g}")
        return self.texts.get(f"{fact.group}.{fact.name}", fact.name) if isinstance(fact, Word) else str(fact)


@cache
def languages() -> tuple[str, ...]:
    """Codes of the languages there are."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


@cache
def language(code: str) -> Language:
    """Raises ProblemsError for a language that has no file: ask `languages`."""
    return Language(code, load(_FOLDER / f"{code}.yaml"))


def _flat(texts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        if isinstance(text, Mapping):
            yield from _flat(text, f"{prefix}{name}.")
        else:
            yield prefix + name, str(text)
