"""A deployment: the folder that says what runs where. `casebus.yaml` is its head; every fault in it has file and line.

deployment = Deployment.load(Path("mycity"))
deployment.path("connectors"), deployment.settings.zone
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from bus.settings import KafkaSettings
from casebus.access import AccessSettings
from casebus.health import HealthSettings
from casebus.logs import LogSettings
from casebus.sealing import SealingSettings
from casebus.signatures import SignatureSettings
from monitor.settings import AlertSettings
from monitor.statistics.period import YEARS
from monitor.web.settings import PageSettings
from router.law import LawProfile
from schemas.calendar import CalendarSettings
from schemas.instants import micros
from schemas.problem import Problem, ProblemsError
from schemas.rules import ClockRules
from schemas.yamlfile import Settings, load, validated

FILE = "casebus.yaml"


class Mode(StrEnum):
    """What time it is: the machine's, the sources' own stamps, or always the same."""

    WALL = "wall"
    REPLAY = "replay"
    FROZEN = "frozen"


class ClockSettings(Settings):
    """`clock:` in casebus.yaml. `at` is the moment to judge by where the machine's clock is not asked."""

    mode: Mode = Mode.WALL
    at: datetime | None = None

    @model_validator(mode="after")
    def _frozen_somewhere(self) -> Self:
        if self.mode is Mode.FROZEN and self.at is None:
            raise ValueError("a frozen clock needs `at`, a moment such as 2026-06-30T18:00")
        return self


class Rules(Settings):
    """`rules:` in casebus.yaml: how a region counts, and what it holds about the law."""

    clock: ClockRules = Field(default_factory=lambda: ClockRules.model_validate({}))
    law: LawProfile = LawProfile()


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("no such time zone; write a name such as Asia/Shanghai") from error
    return name


class Head(Settings):
    """All of `casebus.yaml`."""

    name: str = Field(min_length=1, pattern=r"^[a-z0-9][a-z0-9-]*$")
    zone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Shanghai"
    data: str = ".casebus"
    #: Where the view's tables stand: `postgresql+psycopg://user@host/database`; null: SQLite, in `data`.
    view: str | None = Field(None, repr=False)
    kafka: KafkaSettings = Field(default_factory=KafkaSettings)
    #: Who is who in Kafka, and whose events each connector may publish.
    access: AccessSettings = Field(default_factory=AccessSettings)
    #: Who signs events, and whether the router asks for it.
    signatures: SignatureSettings = Field(default_factory=SignatureSettings)
    #: Whose personal fields are sealed, and with which keys.
    sealing: SealingSettings = Field(default_factory=SealingSettings)
    calendar: CalendarSettings = CalendarSettings()
    clock: ClockSettings = ClockSettings()
    rules: Rules = Field(default_factory=Rules)
    #: An indicator's threshold in its unit; null turns it off.
    thresholds: dict[str, float | None] = Field({})
    alerts: AlertSettings = AlertSettings()
    page: PageSettings = PageSettings()
    #: Where each service tells whether it lives and is ready.
    health: HealthSettings = HealthSettings()
    logs: LogSettings = LogSettings()


@dataclass(frozen=True)
class Deployment:
    """A folder and what its `casebus.yaml` says."""

    folder: Path
    settings: Head
    #: The file that says it: one folder may have several, for processes that prove who they are in different ways.
    file: str = FILE

    @classmethod
    def load(cls, place: Path) -> Deployment:
        """From a folder or its casebus.yaml. Raises ProblemsError with file and line."""
        file = place / FILE if place.is_dir() else place
        if not file.is_file():
            remedy = f"Name its folder, or make one: casebus init {place / 'mycity'}"
            raise ProblemsError(Problem(str(place), f"here is no deployment (no {FILE})", remedy))
        return cls(file.parent.absolute(), validated(Head, load(file)), file.name)

    def path(self, name: str) -> Path:
        """A path of the deployment: relative ones are relative to its folder."""
        return self.folder / name

    @property
    def data(self) -> Path:
        """Where the broker, the states and the view of this deployment lie."""
        return self.path(self.settings.data)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.zone)

    def moment(self, text: str) -> int:
        """Microseconds UTC of an ISO 8601 text, local to the deployment's zone unless it has an offset."""
        try:
            found = datetime.fromisoformat(text)
        except ValueError as error:
            remedy = "Write it as 2026-06-30T18:00, with or without an offset."
            raise ProblemsError(Problem(text, "this is no moment", remedy)) from error
        if found.year not in YEARS:
            raise ProblemsError(Problem(text, "no case is of this year", f"Write a moment from {YEARS[0]} to {YEARS[-1]}."))
        return self.micros(found)

    def micros(self, moment: datetime) -> int:
        """Microseconds since 1970-01-01 UTC, exactly."""
        return micros(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))
