"""How well people were served: limits and days used, on time, in one visit, whose days, with how many detours.

Counted are cases by the day on which they were decided (or refused at the door, withdrawn, returned); what was applied
for is counted by the day of the application. Days are those of the clock: working days mostly, procedures not counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from monitor.lights import Clockwork
from monitor.rows import department
from monitor.sight import BAD
from monitor.statistics.holding import LevelOf, held
from monitor.statistics.period import Period
from monitor.statistics.source import Known
from monitor.statistics.visits import visits
from schemas.case import Case, Outcome
from schemas.clock import Reading

_DECIDED = frozenset({Outcome.GRANTED, Outcome.GRANTED_WITH_GAPS, Outcome.REFUSED})


class Score(msgspec.Struct):
    """Sums over cases, so that scores can be added; the rates are `rates`.

    The three kinds of days are summed over decided cases that have both limits in one unit, and only those: `compared`.
    """

    applied: int = 0
    ended: int = 0
    decided: int = 0
    compared: int = 0
    statutory_days: int = 0
    promised_days: int = 0
    actual_days: int = 0
    on_time: int = 0
    within_law: int = 0
    limited: int = 0
    visits: int = 0
    one_visit: int = 0
    hand_overs: int = 0
    rework: int = 0
    with_findings: int = 0
    rated: int = 0
    bad_ratings: int = 0
    #: Calendar days by who held the case (`monitor.statistics.holding`).
    held: dict[str, float] = {}

    def rates(self) -> dict[str, float | None]:
        """Shares from 0 to 1, and means per case; None where there is nothing to divide by."""
        return {
            "promise_of_law": _share(self.promised_days, self.statutory_days),
            "used_of_law": _share(self.actual_days, self.statutory_days),
            "used_of_promise": _share(self.actual_days, self.promised_days),
            "compression": None if not self.statutory_days else round(1 - self.actual_days / self.statutory_days, 4),
            "on_time": _share(self.on_time, self.limited),
            "within_law": _share(self.within_law, self.limited),
            "one_visit": _share(self.one_visit, self.ended),
            "visits_each": _share(self.visits, self.ended),
            "hand_overs_each": _share(self.hand_overs, self.ended),
            "rework_each": _share(self.rework, self.ended),
            "findings": _share(self.with_findings, self.ended),
            "bad_ratings": _share(self.bad_ratings, self.rated),
        }

    def end(self, one: Served) -> None:
        case, reading = one.case, one.reading
        self.ended += 1
        self.visits += one.visits
        self.one_visit += one.visits <= 1
        self.hand_overs += len(case.hand_overs)
        self.rework += one.rework
        self.with_findings += bool(case.findings)
        self.rated += case.rating is not None
        self.bad_ratings += case.rating is not None and case.rating >= BAD
        for holder, days in one.held.items():
            self.held[holder] = round(self.held.get(holder, 0.0) + days, 4)
        if case.outcome in _DECIDED:
            self._decide(reading)

    def _decide(self, reading: Reading) -> None:
        self.decided += 1
        if reading.promised_limit is not None or reading.statutory_limit is not None:
            self.limited += 1
            self.on_time += not reading.overdue_promise and not reading.overdue_legal
            self.within_law += not reading.overdue_legal
        promise, law = reading.promise, reading.law
        if promise and law and promise.unit is law.unit:
            self.compared += 1
            self.statutory_days += law.limit
            self.promised_days += promise.limit
            self.actual_days += promise.elapsed


class Served(NamedTuple):
    """One ended case, measured."""

    case: Case
    reading: Reading
    visits: int
    rework: int
    held: dict[str, float]


class Service(msgspec.Struct, frozen=True):
    total: Score
    by_region: dict[str, Score]
    by_department: dict[str, Score]
    by_item: dict[str, Score]


class Yardstick(NamedTuple):
    """How cases are measured: by which clock, in which directory, as of when."""

    clockwork: Clockwork
    level: LevelOf
    now: int


#: The cases one asks about.
Which = Callable[[Case], bool]


class ServiceMeasure:
    """Takes cases one by one; several periods in one pass."""

    def __init__(self, periods: Sequence[Period], measuring: Yardstick) -> None:
        zone = measuring.clockwork.zone
        self._bounds = [period.bounds(zone) for period in periods]
        self._how = measuring
        self._total = [Score() for _ in periods]
        self._parts: list[dict[str, dict[str, Score]]] = [{"region": {}, "department": {}, "item": {}} for _ in periods]

    def add(self, known: Known) -> None:
        case = known.case
        if case is None or case.applied_at is None:
            return
        applied, ended = case.applied_at, case.stopped_at
        served: Served | None = None
        for number, (start, end) in enumerate(self._bounds):
            if start <= applied < end:
                for score in self._scores(number, case):
                    score.applied += 1
            if ended is not None and start <= ended < end:
                served = served or self._served(known, case)
                for score in self._scores(number, case):
                    score.end(served)

    def _scores(self, number: int, case: Case) -> Iterable[Score]:
        names = {"region": case.region, "department": department(case.authority), "item": case.item}
        yield self._total[number]
        for part, name in names.items():
            yield self._parts[number][part].setdefault(name, Score())

    def _served(self, known: Known, case: Case) -> Served:
        how = self._how
        activities = Counter(row.activity for row in known.trace.rows)
        return Served(
            case,
            how.clockwork.reading(case, how.now),
            visits(case, how.clockwork.zone),
            activities.total() - len(activities),
            held(case, how.level, how.now),
        )

    def result(self) -> list[Service]:
        """One for each period."""
        return [
            Service(total, *(dict(sorted(parts[name].items())) for name in ("region", "department", "item")))
            for total, parts in zip(self._total, self._parts, strict=True)
        ]


class Compared(msgspec.Struct, frozen=True):
    """A period beside the one before it."""

    period: tuple[str, str]
    before: tuple[str, str]
    now: Service
    then: Service

    def changes(self) -> dict[str, dict[str, float | None]]:
        """Each rate of the total: now, then, and the difference."""
        now, then = self.now.total.rates(), self.then.total.rates()
        return {name: {"now": now[name], "then": then[name], "change": _less(now[name], then[name])} for name in now}

    def to_json(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.to_builtins(self)
        for name in ("now", "then"):
            service: Service = getattr(self, name)
            found[name]["total"]["rates"] = service.total.rates()
            for part in ("by_region", "by_department", "by_item"):
                for key, score in getattr(service, part).items():
                    found[name][part][key]["rates"] = score.rates()
        return found | {"changes": self.changes()}


def compared(cases: Iterable[Known], period: Period, measuring: Yardstick, which: Which = lambda _: True) -> Compared:
    """One pass over the cases for both periods."""
    before = period.before()
    measure = ServiceMeasure((period, before), measuring)
    for one in cases:
        if one.case is not None and which(one.case):
            measure.add(one)
    return beside(period, before, measure)


def beside(period: Period, before: Period, measure: ServiceMeasure) -> Compared:
    """The results of a measure of these two periods."""
    now, then = measure.result()
    return Compared(_named(period), _named(before), now, then)


def _named(period: Period) -> tuple[str, str]:
    return period.first.isoformat(), period.last.isoformat()


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def _less(now: float | None, then: float | None) -> float | None:
    return None if now is None or then is None else round(now - then, 4)
