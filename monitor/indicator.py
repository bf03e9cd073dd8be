"""What an indicator is: one question about a case or a department, with its unit, its threshold and its examples.

A new one is a new file in `monitor/indicators/`; everything else finds it by itself. It reads plain data (`monitor.sight`)
and never fails where there is nothing to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from bus.discover import discover
from monitor.sight import Line, Seen
from schemas.clock import Light
from schemas.deadlines import Deadline
from schemas.language import Amount, language
from schemas.problem import Problem, ProblemsError
from schemas.rules import Subject

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Text(NamedTuple):
    """The same in both languages; facts stand in braces."""

    en: str
    zh: str


class Hit(NamedTuple):
    """What an indicator says. `about` tells hits of one case apart (a step, a hand-over), and never changes.

    `who` has to act; empty: whoever has the case. `facts` fill the indicator's sentence.
    """

    light: Light
    value: float
    about: str = ""
    who: str = ""
    facts: Mapping[str, Any] = _NOTHING


class Example(NamedTuple):
    """What the indicator says of a sight, in words and as the values of its hits."""

    says: str
    sight: Seen | Line
    values: tuple[float, ...]


class Indicator(NamedTuple):
    """One question, to each case or to each department. `threshold` is in `unit`; None where the fact alone counts."""

    name: str
    title: Text
    says: Text
    unit: str
    threshold: float | None
    basis: str
    examples: tuple[Example, ...]
    of_case: Callable[[Seen, float], Iterable[Hit]] | None = None
    of_department: Callable[[Line, float], Iterable[Hit]] | None = None


class Found(NamedTuple):
    """A hit with what it is about: a case by its key, or a department, whose `case` is empty."""

    indicator: Indicator
    case: str
    who: str
    hit: Hit

    def text(self, code: str = "en") -> str:
        """The hit as a sentence that says what to do."""
        said = self.indicator.says
        return language(code).fill(said.zh if code == "zh" else said.en, {"who": self.who, **self.hit.facts})


@cache
def indicators() -> dict[str, Indicator]:
    """All that are there, by name. Raises ConfigurationError where a file breaks the rule."""
    return discover("monitor.indicators", Indicator, "casebus.indicators")


class Panel(NamedTuple):
    """The indicators of a deployment with the thresholds that hold there: `thresholds:` in casebus.yaml, null turns one off."""

    rows: tuple[tuple[Indicator, float], ...]

    @classmethod
    def of(cls, thresholds: Mapping[str, float | None] = _NOTHING) -> Panel:
        """All but those turned off. Raises ProblemsError for a name that no indicator has."""
        if strangers := thresholds.keys() - indicators().keys():
            remedy = f"Write one of {', '.join(indicators())}."
            raise ProblemsError(*(Problem("thresholds", f"`{name}` is no indicator", remedy) for name in sorted(strangers)))
        set_here = {name: one.threshold or 0 for name, one in indicators().items()} | dict(thresholds)
        return cls(tuple((indicators()[name], limit) for name, limit in set_here.items() if limit is not None))

    def of_case(self, seen: Seen) -> Iterator[Found]:
        for one, threshold in self.rows:
            for hit in one.of_case(seen, threshold) if one.of_case else ():
                yield Found(one, seen.case.key, hit.who or seen.case.holder or seen.case.authority, hit)

    def of_department(self, line: Line) -> Iterator[Found]:
        for one, threshold in self.rows:
            for hit in one.of_department(line, threshold) if one.of_department else ():
                yield Found(one, "", hit.who or line.department, hit)


def late(seen: Seen, kind: Subject) -> Iterator[Hit]:
    """Limits of that kind that are passed and still waited for."""
    return (of_limit(one) for one in seen.running(kind) if one.passed)


def of_limit(one: Deadline) -> Hit:
    """A limit as a hit: how much it is over (negative: left), and its facts for a sentence."""
    about = f"{one.name} {one.started_at}" if one.name else f"{one.limit:g}"
    return Hit(one.light, -one.left, about, one.who, _facts(one))


def _facts(one: Deadline) -> dict[str, Any]:
    return {
        "name": one.name,
        "limit": Amount(one.limit, one.unit),
        "elapsed": Amount(one.elapsed, one.unit),
        "left": Amount(one.left, one.unit),
        "over": Amount(-one.left, one.unit),
    }
