"""A register of cases (start, deadline, end as an office keeps them) held against what came over the bus.

As of a time T only what had begun, and ended, by then counts: an end after T is none yet. Without T the whole register counts,
and what is open is judged by the time it is. Days from a to b are those of `monitor.statistics.throughput`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec

from monitor.statistics.context import Measuring
from monitor.statistics.distribution import Distribution, distribution
from monitor.statistics.throughput import exceeding
from monitor.times import DAY, local_date


class Entry(NamedTuple):
    """One case as the register has it; times are microseconds since 1970-01-01 UTC, None where it says nothing.

    `last` is the last moment that `end` can mean: a date without a time is its whole day. A deadline that is a date ends
    with that day.
    """

    key: str
    number: str
    start: int | None
    deadline: int | None
    end: int | None
    last: int | None


class Seen(NamedTuple):
    """One case as the bus has it: its first and its last event, where it belongs to."""

    number: str
    region: str
    department: str
    first: int
    last: int


class Late(msgspec.Struct, frozen=True):
    """A case over its registered deadline. `end` None: it is open still. Region and department are the bus's."""

    number: str
    region: str
    department: str
    deadline: int
    end: int | None
    days_over: float


class Durations(msgspec.Struct, frozen=True):
    start_to_end_calendar_days: Distribution
    start_to_end_workdays: Distribution


class Exceeding(msgspec.Struct, frozen=True):
    """Cases that took longer than so many days, from start to end."""

    start_to_end_calendar_days: dict[str, int]
    start_to_end_workdays: dict[str, int]


class Deadlines(msgspec.Struct, frozen=True):
    """Cases that have a deadline, by how they stand to it; `no_end` are open ones, `open_past` those of them beyond it."""

    closed_in_time: int
    closed_after: int
    no_end: int
    open_past: int


class OpenAt(msgspec.Struct, frozen=True):
    """`open` cases had started by then and had not ended."""

    started: int
    closed: int
    open: int
    open_longer_than_calendar_days: dict[str, int]
    open_longer_than_workdays: dict[str, int]


class Doubts(msgspec.Struct, frozen=True):
    """Numbers of cases of which the register, or register and bus, cannot both be right."""

    without_start: list[str]
    without_deadline: list[str]
    without_end: list[str]
    end_before_start: list[str]
    first_event_before_start: list[str]
    last_event_after_end: list[str]


class RegisterFigures(msgspec.Struct, frozen=True):
    """`never_came` are in the register and not on the bus, `unregistered` the other way round."""

    as_of: int
    cases: int
    on_the_bus: int
    never_came: list[str]
    unregistered: list[str]
    doubts: Doubts
    durations: Durations
    exceeding: Exceeding
    deadlines: Deadlines
    open_at: OpenAt
    late: list[Late]


class Judging(NamedTuple):
    """How and as of when: `now` judges what is open, `at` (None: no bound) what counts at all."""

    measuring: Measuring
    now: int
    at: int | None = None

    @property
    def moment(self) -> int:
        return self.now if self.at is None else self.at


def against(entries: Iterable[Entry], seen: Mapping[str, Seen], how: Judging) -> RegisterFigures:
    """The register's figures, and where it and the bus differ. `seen` by key, with no event after `how.at`."""
    registered = {entry.key: _as_of(entry, how.at) for entry in entries}
    kept = [entry for entry in registered.values() if _counts(entry, how.at, seen)]
    both = [(entry, seen[entry.key]) for entry in kept if entry.key in seen]
    ended = [(entry.start, entry.end) for entry in kept if entry.start is not None and entry.end is not None]
    days = [(end - start) / DAY for start, end in ended]
    work = [_workdays(start, end, how.measuring) for start, end in ended]
    return RegisterFigures(
        as_of=how.moment,
        cases=len(kept),
        on_the_bus=len(both),
        never_came=_numbers(kept, lambda entry: entry.key not in seen),
        unregistered=sorted(one.number for key, one in seen.items() if key not in registered),
        doubts=_doubts(kept, both),
        durations=Durations(distribution(days), distribution(work)),
        exceeding=Exceeding(*(exceeding(values, how.measuring.limits) for values in (days, work))),
        deadlines=_deadlines(kept, how.moment),
        open_at=_open_at(registered.values(), how),
        late=_late(kept, seen, how.moment),
    )


def _as_of(entry: Entry, at: int | None) -> Entry:
    """An end that lay ahead at that time is none yet."""
    if at is None or entry.end is None or entry.end <= at:
        return entry
    return entry._replace(end=None, last=None)


def _counts(entry: Entry, at: int | None, seen: Mapping[str, Seen]) -> bool:
    """Whether it had begun by then, by the register or by the bus."""
    if at is None or entry.key in seen or entry.end is not None:
        return True
    return entry.start is not None and entry.start <= at


def _numbers(entries: Iterable[Entry], which: Callable[[Entry], bool]) -> list[str]:
    return sorted(entry.number for entry in entries if which(entry))


def _doubts(kept: list[Entry], both: list[tuple[Entry, Seen]]) -> Doubts:
    return Doubts(
        without_start=_numbers(kept, lambda entry: entry.start is None),
        without_deadline=_numbers(kept, lambda entry: entry.deadline is None),
        without_end=_numbers(kept, lambda entry: entry.end is None),
        end_before_start=_numbers(kept, lambda entry: _before(entry.last, entry.start)),
        first_event_before_start=sorted(entry.number for entry, one in both if _before(one.first, entry.start)),
        last_event_after_end=sorted(entry.number for entry, one in both if _before(entry.last, one.last)),
    )


def _before(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one < other


def _deadlines(kept: list[Entry], moment: int) -> Deadlines:
    limited = [(entry.deadline, entry.end) for entry in kept if entry.deadline is not None]
    over = sum(end > deadline for deadline, end in limited if end is not None)
    ended = sum(end is not None for _, end in limited)
    past = sum(deadline < moment for deadline, end in limited if end is None)
    return Deadlines(ended - over, over, len(limited) - ended, past)


def _open_at(entries: Iterable[Entry], how: Judging) -> OpenAt:
    """At the moment itself, also where the whole register counts: an end that lies ahead is none yet."""
    then = [_as_of(entry, how.moment) for entry in entries]
    started = [entry.start for entry in then if entry.start is not None and entry.start <= how.moment]
    since = [entry.start for entry in then if entry.end is None and entry.start is not None and entry.start <= how.moment]
    days = exceeding(((how.moment - start) / DAY for start in since), how.measuring.limits)
    work = exceeding((_workdays(start, how.moment, how.measuring) for start in since), how.measuring.limits)
    return OpenAt(len(started), sum(entry.end is not None for entry in then), len(since), days, work)


def _workdays(start: int, end: int, measuring: Measuring) -> int:
    return measuring.calendar.working_days(*(local_date(at, measuring.zone) for at in (start, end)))


def _late(kept: list[Entry], seen: Mapping[str, Seen], moment: int) -> list[Late]:
    """The open ones first, and of each the farthest over."""
    found = [_over(entry, entry.deadline, seen.get(entry.key), moment) for entry in kept if entry.deadline is not None]
    return sorted((one for one in found if one), key=lambda one: (one.end is not None, -one.days_over, one.number))


def _over(entry: Entry, deadline: int, seen: Seen | None, moment: int) -> Late | None:
    until = moment if entry.end is None else entry.end
    if until <= deadline:
        return None
    region, department = (seen.region, seen.department) if seen else ("", "")
    return Late(entry.number, region, department, deadline, entry.end, round((until - deadline) / DAY, 4))
