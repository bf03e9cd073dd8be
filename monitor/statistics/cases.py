"""Figures of cases and their clocks at one time: how many are open, running, paused, overdue; by region and department.

The clocks come in as readings (`schemas.clock`), so nothing here knows a limit or a calendar.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from monitor.rows import department, provisional
from schemas.case import Case
from schemas.clock import Light, Reading

#: Remaining days are counted in this range; what lies beyond is counted at its ends.
EARLIEST, LATEST = -20, 60


class Tally(msgspec.Struct):
    """Cases applied for. Overdue is counted apart for clocks that run and clocks that have stopped.

    A clock may run without an acceptance: who gets no answer in time is accepted by law (art. 32).
    """

    cases: int = 0
    open: int = 0
    closed: int = 0
    accepted: int = 0
    clock_running: int = 0
    paused: int = 0
    stopped: int = 0
    elapsed_sum_running: int = 0
    elapsed_sum_stopped: int = 0
    running_overdue_promise: int = 0
    running_overdue_legal: int = 0
    stopped_overdue_promise: int = 0
    stopped_overdue_legal: int = 0

    def add(self, case: Case, reading: Reading, now: int) -> None:
        ended = case.ended_at is not None and case.ended_at <= now
        self.cases += 1
        self.closed += ended
        self.open += not ended
        self.accepted += case.accepted_at is not None and case.accepted_at <= now
        if reading.light is not Light.NONE:
            self._clock(reading)

    def _clock(self, reading: Reading) -> None:
        if reading.running:
            self.clock_running += 1
            self.paused += reading.paused
            self.elapsed_sum_running += reading.elapsed_days
            self.running_overdue_promise += reading.overdue_promise
            self.running_overdue_legal += reading.overdue_legal
        else:
            self.stopped += 1
            self.elapsed_sum_stopped += reading.elapsed_days
            self.stopped_overdue_promise += reading.overdue_promise
            self.stopped_overdue_legal += reading.overdue_legal


class Overdue(msgspec.Struct, frozen=True):
    """One case over its promised or its statutory limit; days with extensions."""

    case: str
    region: str
    department: str
    running: bool
    elapsed: int
    promised_limit: int | None
    statutory_limit: int | None
    overdue_promise: bool
    overdue_legal: bool
    paused: bool


class CaseFigures(msgspec.Struct, frozen=True):
    """`remaining` counts running clocks by days left of the promise; `findings` cases by finding.

    `provisional` are keys with work on them and no application; a queue ticket alone is none.
    """

    total: Tally
    by_region: dict[str, Tally]
    by_department: dict[str, Tally]
    lights: dict[str, int]
    remaining: dict[str, int]
    phases: dict[str, int]
    outcomes: dict[str, int]
    findings: dict[str, int]
    overdue: list[Overdue]
    provisional: list[str]


class Judged(NamedTuple):
    """A case as folded up to some time, and its clock then."""

    case: Case
    reading: Reading


class CaseMeasure:
    """Takes cases one by one, as of `now`."""

    def __init__(self, now: int) -> None:
        self._now = now
        self._total = Tally()
        self._regions: dict[str, Tally] = {}
        self._departments: dict[str, Tally] = {}
        self._counts: dict[str, Counter[str]] = {name: Counter() for name in ("lights", "phases", "outcomes", "findings")}
        self._remaining: Counter[int] = Counter()
        self._overdue: list[Overdue] = []
        self._provisional: list[str] = []

    def add(self, judged: Judged) -> None:
        case, reading = judged
        if not case.opened:
            self._provisional += [case.key] if provisional(case) else []
            return
        region = self._regions.setdefault(case.region, Tally())
        line = self._departments.setdefault(department(case.authority), Tally())
        for tally in (self._total, region, line):
            tally.add(case, reading, self._now)
        self._count(case, reading)
        if reading.overdue_promise or reading.overdue_legal:
            self._overdue.append(_overdue(case, reading))

    def _count(self, case: Case, reading: Reading) -> None:
        self._counts["lights"][reading.light] += 1
        self._counts["phases"][case.phase] += 1
        self._counts["outcomes"].update([case.outcome] if case.outcome else [])
        self._counts["findings"].update({finding.code for finding in case.findings})
        promise = reading.promise
        if reading.running and promise:
            self._remaining[max(EARLIEST, min(LATEST, promise.left))] += 1

    def result(self) -> CaseFigures:
        lights, phases, outcomes, findings = (dict(sorted(counter.items())) for counter in self._counts.values())
        return CaseFigures(
            total=self._total,
            by_region=dict(sorted(self._regions.items())),
            by_department=dict(sorted(self._departments.items())),
            lights=lights,
            remaining={str(days): count for days, count in sorted(self._remaining.items())},
            phases=phases,
            outcomes=outcomes,
            findings=findings,
            overdue=sorted(self._overdue, key=lambda one: one.case),
            provisional=sorted(self._provisional),
        )


def tally(judged: Iterable[Judged], now: int) -> CaseFigures:
    """The figures of these cases at `now` (microseconds since 1970-01-01 UTC)."""
    measure = CaseMeasure(now)
    for one in judged:
        measure.add(one)
    return measure.result()


def _overdue(case: Case, reading: Reading) -> Overdue:
    return Overdue(
        case=case.key,
        region=case.region,
        department=department(case.authority),
        running=reading.running,
        elapsed=reading.elapsed_days,
        promised_limit=reading.promised_limit,
        statutory_limit=reading.statutory_limit,
        overdue_promise=reading.overdue_promise,
        overdue_legal=reading.overdue_legal,
        paused=reading.paused,
    )
