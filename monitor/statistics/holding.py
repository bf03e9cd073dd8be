"""Whose days they were: the time of a case from its application to its decision, by who held it.

At each moment one of them holds it, the first of this list that does: the applicant, who is to bring what is missing; a
special procedure (`expert` where experts are asked, else `procedure`); the way, between a hand-over and its receipt; else
the level of the authority that has it. An authority that the directory does not know holds it as `unknown`. Between an end
and a reopening (重新办理) nobody has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from monitor.times import DAY
from schemas.case import Case

APPLICANT, EXPERT, PROCEDURE, WAY, UNKNOWN = "applicant", "expert", "procedure", "on the way", "unknown"
#: Between an end and a reopening.
NOBODY = ""
_EXPERTS = frozenset({"EXPERT_REVIEW", "APPRAISAL", "EXPERIMENT", "TEST", "INSPECTION", "QUARANTINE"})
_NATIONAL = "NATIONAL_DECISION"

#: The level of an authority in words: county, municipal, ...; empty where it is not known.
LevelOf = Callable[[str], str]


class Span(NamedTuple):
    """Who had it from when until when (microseconds UTC); `rank` decides where spans overlap, the smaller wins."""

    rank: int
    start: int
    end: int
    holder: str


def held(case: Case, level: LevelOf, now: int) -> dict[str, float]:
    """Calendar days by holder; they sum up to the time from the application to the decision, or to now, in all its lives."""
    found: dict[str, float] = {}
    for one in (passage for passage in passages(case, level, now) if passage.holder != NOBODY):
        found[one.holder] = found.get(one.holder, 0.0) + (one.end - one.start) / DAY
    return found


def passages(case: Case, level: LevelOf, now: int) -> list[Span]:
    """One after another, without gap or overlap, each with its holder; equal neighbours are one."""
    start = case.applied_at
    end = min(case.stopped_at if case.stopped_at is not None else now, now)
    if start is None or end <= start:
        return []
    spans = [one._replace(start=max(one.start, start), end=min(one.end, end)) for one in _spans(case, level, start, end)]
    return list(_joined(_cut([one for one in spans if one.start < one.end])))


def _cut(spans: Sequence[Span]) -> Iterator[Span]:
    edges = sorted({edge for one in spans for edge in (one.start, one.end)})
    for left, right in pairwise(edges):
        covering = (one for one in spans if one.start <= left and right <= one.end)
        best = min(covering, key=lambda one: (one.rank, -one.start))
        yield best._replace(start=left, end=right)


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    last: Span | None = None
    for one in spans:
        if last and last.holder == one.holder:
            last = last._replace(end=one.end)
            continue
        if last:
            yield last
        last = one
    if last:
        yield last


def _spans(case: Case, level: LevelOf, start: int, end: int) -> Iterator[Span]:
    def until(moment: int | None) -> int:
        return end if moment is None else moment

    yield Span(3, start, end, level(case.authority) or UNKNOWN)
    for former in case.reopenings:
        if former.stopped_at is not None:
            yield Span(-1, former.stopped_at, former.at, NOBODY)
    for notice in case.supplements:
        if notice.asked_at is not None:
            yield Span(0, notice.asked_at, until(notice.received_at), APPLICANT)
    for pause in case.pauses:
        yield Span(1, pause.start, until(pause.end), _procedure(pause.procedure))
    for move in case.hand_overs:
        if not move.part:
            yield Span(2, move.sent_at, until(move.received_at), WAY)
            if move.received_at is not None:
                yield Span(3, move.received_at, end, level(move.receiver) or UNKNOWN)


def _procedure(procedure: str) -> str:
    if procedure == _NATIONAL:
        return "national"
    return EXPERT if procedure in _EXPERTS else PROCEDURE
