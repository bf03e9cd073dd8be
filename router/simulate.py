"""What would have been: recorded cases folded and decided again under another law or catalogue. Pure.

for change in simulate(recorded, Terms(profile), Terms(changed)):
    print(change.key, change.findings)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from router.case import fold
from router.decide import NOTHING, Context, Decision, decide
from router.law import LawProfile
from schemas.case import Case
from schemas.envelope import Event


class Terms(NamedTuple):
    """Under what a case is judged: the law's profile, and what the rules know (catalogue and directory)."""

    profile: LawProfile
    context: Callable[[Case], Context] = lambda _: NOTHING


class Change(NamedTuple):
    """One case that would have come out differently. Findings and moves are given as only before, only after."""

    key: str
    before: Case
    after: Case
    findings: tuple[frozenset[str], frozenset[str]]
    moves: tuple[frozenset[str], frozenset[str]]


def simulate(recorded: Mapping[str, Iterable[Event]], then: Terms, now: Terms) -> Iterator[Change]:
    """The cases of which the fold or a decision differs. `recorded` are each case's events, as its journal holds them."""
    for key, events in recorded.items():
        known = list(events)
        one, other = _judged(key, known, then), _judged(key, known, now)
        if one != other:
            yield _change(key, one, other)


def _judged(key: str, events: list[Event], terms: Terms) -> tuple[Case, list[Decision]]:
    case = fold(events, terms.profile, key)
    return case, decide(case, terms.context(case))


def _change(key: str, one: tuple[Case, list[Decision]], other: tuple[Case, list[Decision]]) -> Change:
    found = [frozenset(finding.code for finding in case.findings) for case, _ in (one, other)]
    moved = [frozenset(f"{move.kind} to {move.to}" for _, _, move in decisions) for _, decisions in (one, other)]
    return Change(key, one[0], other[0], (found[0] - found[1], found[1] - found[0]), (moved[0] - moved[1], moved[1] - moved[0]))
