"""The page's words: one YAML file a language in `languages/`, all with the same keys (a test holds them to it)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

LANGUAGES = ("zh", "en")


class Words:
    """One language. `words("case.title", number=...)` says a sentence, `words.of("phase", "ended")` a code."""

    def __init__(self, language: str, texts: Mapping[str, Any]) -> None:
        self.language = language
        self.texts = dict(_flat(texts))

    def __call__(self, key: str, /, **said: object) -> str:
        """Raises KeyError for a key that the language does not have: a fault of ours, which tests find."""
        text = self.texts[key]
        return text.format_map(said) if said else text

    def of(self, group: str, code: str | None) -> str:
        """A code of data in words; one that is not known is shown as it is, without underscores."""
        if not code:
            return self.texts["unknown"]
        return self.texts.get(f"{group}.{code}", humanized(code))

    def knows(self, key: str) -> bool:
        return key in self.texts


@cache
def words(language: str) -> Words:
    """The words of a language; of the first one for a language there is none of."""
    code = language if language in LANGUAGES else LANGUAGES[0]
    text = files("monitor.web").joinpath("languages", f"{code}.yaml").read_text(encoding="utf-8")
    return Words(code, yaml.safe_load(text))


def humanized(code: str) -> str:
    """`quality-supervision` and `quality_supervision` as people write it."""
    return code.replace("_", " ").replace("-", " ")


def _flat(texts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        if isinstance(text, Mapping):
            yield from _flat(text, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(text)
