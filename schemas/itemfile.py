"""What a file of the catalogue may say: the shape of `catalogue/<item>.yaml`, and what is checked inside one file.

item: "0123-001"
name: 环境影响评价审批
department: environment
versions:
  - version: "2025"
    from: 2025-01-01            # first and last day; without `to` until the next version, or for ever
    form: joint                 # on_the_spot, promised, joint, preceding_joint, handed_up
    promised: 10                # working days; or {days: 10, unit: natural}
    statutory: {days: 20}
    accepted_at: county         # who accepts, who decides
    decided_at: municipal
    assisting: [fire-rescue]    # departments of a joint approval beside the lead
    steps:                      # a graph: steps without `after` between them run side by side
      - {step: review, by: environment@county}
      - {step: fire, by: fire-rescue@county, when: "applicant_kind == 'COMPANY'"}
      - {step: approve, by: environment@municipal, after: [review, fire], limit: 5}
    regions:
      "500103": {promised: 5}   # what differs there
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from graphlib import CycleError, TopologicalSorter
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, PlainValidator

from schemas.conditions import ConditionError, condition
from schemas.directory import LEVELS, Level
from schemas.problem import Problem
from schemas.rules import Limit, Unit
from schemas.words import Form
from schemas.yamlfile import Map, Settings


def _limit(value: Any) -> Any:
    given = {"days": value} if isinstance(value, int) and not isinstance(value, bool) else value
    if value is None:
        return None
    if not isinstance(given, Mapping) or not set(given) <= {"days", "unit"} or not _whole(given.get("days")):
        raise ValueError("a limit is a number of days, or {days: 10, unit: working}")
    unit = given.get("unit", Unit.WORKING)
    if not isinstance(unit, str) or unit not in set(Unit):
        raise ValueError(f"a unit is one of {', '.join(Unit)}")
    return Limit(given["days"], Unit(unit))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _level(value: Any) -> Any:
    if not isinstance(value, str) or value not in LEVELS:
        raise ValueError(f"a level is one of {', '.join(LEVELS)}")
    return LEVELS[value]


def _form(value: Any) -> Any:
    if not isinstance(value, str) or value.upper() not in set(Form):
        raise ValueError(f"a form is one of {', '.join(form.lower() for form in Form)}")
    return value.upper()


Days = Annotated[Limit | None, PlainValidator(_limit)]
AtLevel = Annotated[Level, BeforeValidator(_level)]


class StepText(Settings):
    """One step. `by` is relative to the case (`department@level`) or an authority's full name; `when` is CEL over the fields of
    `schemas.conditions`: a step whose condition does not hold is skipped, and what comes after it does not wait for it."""

    step: str = Field(min_length=1)
    by: str = Field(pattern=r"^[^\s@]+@[^\s@]+$")
    name: str = ""
    after: tuple[str, ...] = ()
    when: str | None = None
    limit: Days = None


class RegionText(Settings):
    """What differs in one region; what is not named stays."""

    promised: Days = None
    statutory: Days = None
    accepted_at: AtLevel | None = None
    decided_at: AtLevel | None = None


class VersionText(Settings):
    """One version of an item."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    version: str = Field(min_length=1)
    start: date = Field(alias="from")
    end: date | None = Field(None, alias="to")
    form: Annotated[Form, BeforeValidator(_form)] = Form.PROMISED
    promised: Days = None
    statutory: Days = None
    accepted_at: AtLevel | None = None
    decided_at: AtLevel | None = None
    assisting: tuple[str, ...] = ()
    steps: tuple[StepText, ...] = ()
    regions: dict[str, RegionText] = Field({})


class ItemText(Settings):
    """One file of the catalogue."""

    item: str = Field(min_length=1)
    name: str
    department: str = ""
    versions: tuple[VersionText, ...] = Field(min_length=1)


def faults(text: ItemText, node: Map) -> Iterator[Problem]:
    """What is wrong between the lines of one file: versions that overlap, limits, levels, the graph of steps."""
    yield from _overlaps(text.versions, node)
    for number, version in enumerate(text.versions):
        place = node["versions"][number]
        yield from _version_faults(version, place)
        if version.steps:
            yield from _graph_faults(version.steps, place)


def _overlaps(versions: Sequence[VersionText], node: Map) -> Iterator[Problem]:
    ordered = sorted(enumerate(versions), key=lambda pair: pair[1].start)
    names: set[str] = set()
    last: VersionText | None = None
    for number, version in ordered:
        place = node["versions"][number]
        if version.version in names:
            yield Problem(place.where("version"), f"version {version.version} stands twice", "Give each version its own name.")
        if last and (last.start == version.start or (last.end and last.end >= version.start)):
            found = f"version {version.version} begins while {last.version} holds"
            yield Problem(place.where("from"), found, f"End {last.version} before {version.start}, or begin later.")
        names.add(version.version)
        last = version


def _version_faults(version: VersionText, place: Map) -> Iterator[Problem]:
    if version.end and version.end < version.start:
        yield Problem(place.where("to"), f"it ends {version.end}, before it begins {version.start}", "Correct one of the dates.")
    promised, statutory = version.promised, version.statutory
    if promised and statutory and promised.unit == statutory.unit and promised.days > statutory.days:
        found = f"promised are {promised.days} days, the law allows {statutory.days}"
        yield Problem(place.where("promised"), found, "Promise no more than the statutory limit.")
    if version.accepted_at and version.decided_at and version.decided_at > version.accepted_at:
        found = f"{version.decided_at.name.lower()} decides what {version.accepted_at.name.lower()} accepts"
        yield Problem(place.where("decided_at"), found, "The deciding level is the accepting one or above it.")
    if version.form is Form.JOINT and not version.assisting:
        yield Problem(place.where("form"), "a joint approval without assisting departments", "Name them under assisting:.")


def _graph_faults(steps: Sequence[StepText], place: Map) -> Iterator[Problem]:
    places = place["steps"]
    known = [step.step for step in steps]
    for number, step in enumerate(steps):
        if step.step in known[:number]:
            yield Problem(places[number].where("step"), f"step {step.step} stands twice", "Give each step its own name.")
        for before in step.after:
            if before not in known:
                found = f"step {step.step} comes after {before}, which is no step here"
                yield Problem(places[number].where("after"), found, f"Write one of: {', '.join(known)}.")
        yield from _condition_faults(step, places[number])
        level = step.by.partition("@")[2]
        if level.isalpha() and level not in LEVELS:
            found = f"`{level}` in {step.by} is no level"
            yield Problem(places[number].where("by"), found, f"Write one of {', '.join(LEVELS)}, or a region's code.")
    yield from _cycle(steps, places)


def _condition_faults(step: StepText, place: Map) -> Iterator[Problem]:
    if step.when is not None:
        try:
            condition(step.when)
        except ConditionError as error:
            found, _, remedy = str(error).rpartition(". ")
            yield Problem(place.where("when"), found, f"{remedy}.")


def _cycle(steps: Sequence[StepText], places: Any) -> Iterator[Problem]:
    try:
        TopologicalSorter({step.step: step.after for step in steps}).prepare()
    except CycleError as error:
        path = [str(name) for name in error.args[1]][::-1]
        number = next(number for number, step in enumerate(steps) if step.step in path)
        yield Problem(
            places[number].where("after"), f"the steps wait for each other: {' after '.join(path)}", "Take one `after` out."
        )
