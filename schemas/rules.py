"""Clock rules: what a region counts, and how. Data; a profile in `profiles/` is the base, a deployment overrides."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import Field, model_validator

from schemas.yamlfile import Settings, load

_PROFILES = Path(__file__).parent / "profiles"


class Unit(StrEnum):
    """Unit of a limit: working days (工作日) or natural days (自然日)."""

    WORKING = "working"
    NATURAL = "natural"


class Late(StrEnum):
    """What an extension is worth that was granted after the last day of the limit."""

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


class Deemed(StrEnum):
    """What an answer that did not come in time means: accepted from the day of receipt (art. 32), or nothing."""

    FROM_RECEIPT = "from_receipt"
    NEVER = "never"


class Lapsed(StrEnum):
    """A case that ends because its applicant did not come in time counts as finished on time, or as its days say."""

    ON_TIME = "on_time"
    COUNTED = "counted"


class AcceptanceRules(Settings):
    """When the clock starts where the authority does not say so."""

    deemed: Deemed = Deemed.FROM_RECEIPT
    #: A case whose receipt nobody reported was received when it was applied for; false: it has no receipt.
    received_with_application: bool = True


class Subject(StrEnum):
    """What has a limit of its own beside the case; the keys of `limits:`."""

    #: The authority's answer to the papers: supplement notice, acceptance, refusal (art. 32).
    ANSWER = "answer"
    #: The applicant brings what was missing.
    SUPPLEMENT = "supplement"
    STEP = "step"
    #: The receiver signs for a case on its way.
    HAND_OVER = "hand_over"
    #: An assisting authority answers on its part of a joint approval.
    PART = "part"
    #: The lower authority, which accepted, hands the case up (art. 43).
    HAND_UP = "hand_up"
    #: The licence comes into the applicant's hands (art. 44).
    DELIVERY = "delivery"
    #: The authority calls back about an appointment.
    CALL_BACK = "call_back"
    #: A special procedure ends by its own plan (art. 45).
    PAUSE = "pause"


class Passed(StrEnum):
    """The light of a limit that is passed; green where it is nobody's fault in the administration."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"


class LimitRow(Settings):
    """One row of `limits:`. Without days or hours only what the case or its item names is a limit."""

    days: int | None = Field(None, ge=0)
    hours: float | None = Field(None, gt=0)
    unit: Unit = Unit.WORKING
    #: Days in special procedures are not counted (art. 45).
    pauses: bool = False
    passed: Passed = Passed.YELLOW
    #: Yellow when no more than this is left, in the limit's unit; never on the first day. Null: not before the end.
    near: float | None = Field(None, ge=0)
    article: str = ""

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if self.days is not None and self.hours is not None:
            raise ValueError("a limit is in days or in hours; write null at the other")
        return self


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
    acceptance: AcceptanceRules = AcceptanceRules()
    lapsed: Lapsed = Lapsed.ON_TIME
    #: What else has a limit; null takes a row of the profile out.
    limits: dict[Subject, LimitRow | None] = Field({})
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
        return overlaid(_profile(name), given)

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
    """A profile's rules, over those of the profile that it names itself."""
    own = dict(load(_PROFILES / f"{name}.yaml"))
    base = own.pop("profile", None)
    return overlaid(_profile(base), own) if base else own


def overlaid(base: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The base with own values over it, mapping by mapping."""
    result = {**base, **own}
    for key in base.keys() & own.keys():
        if isinstance(base[key], dict) and isinstance(own[key], dict):
            result[key] = overlaid(base[key], own[key])
    return result
