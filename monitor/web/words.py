"""The page's words: one YAML file a language in `languages/`, all with the same keys (a test holds them to it).

What the law's tables say (findings, routing rules) stands there in English; `law.<language>.yaml` says it in another one.
"""

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

    def law(self, group: str, code: str, part: str, english: str) -> str:
        """What the law's tables say, in this language; `english` is their own text."""
        return self.texts.get(f"law.{group}.{code}.{part}", english)

    def letter(self, reason: str) -> str:
        """Why a record was refused; `missing_applicant` and the like, which mappings make up, by their first word."""
        return self.texts.get(f"letter.{reason}") or self.texts.get(f"letter.{reason.partition('_')[0]}") or humanized(reason)

    def remedy(self, reason: str) -> str:
        """What to do about it; empty where the sentence that came with it is in this language."""
        return self.texts.get(f"law.letter.{reason}") or self.texts.get(f"law.letter.{reason.partition('_')[0]}", "")

    def knows(self, key: str) -> bool:
        return key in self.texts


@cache
def words(language: str) -> Words:
    """The words of a language; of the first one for a language there is none of."""
    code = language if language in LANGUAGES else LANGUAGES[0]
    return Words(code, {**_read(f"{code}.yaml"), "law": _read(f"law.{code}.yaml")})


def _read(name: str) -> dict[str, Any]:
    """Empty where there is no such file: the law's own tables are English."""
    file = files("monitor.web").joinpath("languages", name)
    texts: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return texts


def humanized(code: str) -> str:
    """`quality-supervision` and `quality_supervision` as people write it."""
    return code.replace("_", " ").replace("-", " ")


def _flat(texts: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, text in texts.items():
        if isinstance(text, Mapping):
            yield from _flat(text, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(text)
