"""Clock rules: what a region counts, and how. Data; a profile in `profiles/` is the base, a deployment overrides."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import Field, model_validator

from schemas.yamlfile import Settings, load

_PROFILES = Path(__file__).parent / "profiles"


class Unit(StrEnum):
    """Unit of a limit: working days (工作日) or natural days (自然日)."""

    WORKING = "working"
    NATURAL = "natural"


class Late(StrEnum):
    """What an extension is worth that was granted after the limit had passed."""

    IGNORED = "ignored"
    COUNTED = "counted"


class HolidayEnd(StrEnum):
    """What becomes of a limit in natural days that ends on a day off."""

    MOVES = "moves"
    STAYS = "stays"


class LimitSource(StrEnum):
    """Whose limit counts where both name one: what the event says, or what the catalogue says."""

    EVENT = "event"
    ITEM = "item"


class Limit(NamedTuple):
    days: int
    unit: Unit = Unit.WORKING


class StatutoryRules(Settings):
    """The limit where neither event nor item names one; `levels` is by the level of the accepting authority."""

    days: int | None = Field(20, ge=0)
    joint: int | None = Field(45, ge=0)
    levels: dict[int, int] = Field({})


class ExtensionRules(Settings):
    """The most that can be added to a limit, all extensions together (null: no bound)."""

    days: int | None = Field(10, ge=0)
    joint: int | None = Field(15, ge=0)
    late: Late = Late.IGNORED


class Thresholds(Settings):
    """Yellow from this many days before the promise ends (never on the first day)."""

    yellow_days: int = Field(2, ge=0)


class ClockRules(Settings):
    """A region's rules of counting: a profile by name, then what is written beside it."""

    profile: str = "national-law"
    unit: Unit = Unit.WORKING
    limit_source: LimitSource = LimitSource.EVENT
    statutory: StatutoryRules = StatutoryRules()
    extension: ExtensionRules = ExtensionRules()
    end_on_holiday: HolidayEnd = HolidayEnd.MOVES
    #: Procedures (ClockPaused.procedure) whose days are not counted; null: all.
    pausing: tuple[str, ...] | None = None
    thresholds: Thresholds = Thresholds()
    #: The law behind each kind of line in an explanation.
    articles: dict[str, str] = Field({})

    @model_validator(mode="before")
    @classmethod
    def _on_profile(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        name = str(given.get("profile", "national-law"))
        if name not in profiles():
            raise ValueError(f"`{name}` is no profile of clock rules; write one of {', '.join(profiles())}")
        return _overlaid(_profile(name), given)

    def statutory_days(self, level: int, *, joint: bool) -> int | None:
        """The limit that the law sets where nothing else does."""
        return self.statutory.joint if joint else self.statutory.levels.get(level, self.statutory.days)

    def bounded(self, days: int, *, joint: bool) -> int:
        """Days of extension, no more than the rules allow."""
        most = self.extension.joint if joint else self.extension.days
        return days if most is None else min(days, most)

    def pauses(self, procedure: str) -> bool:
        return self.pausing is None or procedure in self.pausing


@cache
def profiles() -> tuple[str, ...]:
    """Names of the profiles that ship with the product."""
    return tuple(sorted(path.stem for path in _PROFILES.glob("*.yaml")))


@cache
def _profile(name: str) -> dict[str, Any]:
    return load(_PROFILES / f"{name}.yaml")


def _overlaid(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The base with own values over it, mapping by mapping."""
    result = {**base, **own}
    for key in base.keys() & own.keys():
        if isinstance(base[key], dict) and isinstance(own[key], dict):
            result[key] = _overlaid(base[key], own[key])
    return result
