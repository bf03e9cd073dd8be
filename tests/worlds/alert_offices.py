"""Departments with habits of their own, and the truth about their silence and their backlog. It imports nothing of ours."""

from __future__ import annotations

from datetime import date, datetime
from itertools import pairwise
from random import Random

from alert_life import DAY, FIRST, Fact, Life, after, working

#: Departments by how many cases come to them on a working day, how many of those they end at once, and how they end up.
_HABITS = {"steady": (2, 1.0), "drowning": (3, 0.3), "sparse": (1, 0.7), "gone": (2, 0.8), "young": (1, 1.0)}
#: When a department falls silent, in working days after the first; and when a young one begins.
_GONE, _YOUNG, _DAYS = 45, 40, 60


def offices(seed: int) -> list[Life]:
    """Plain short lives at five departments, each with habits of its own."""
    rng = Random(seed)
    made: list[Life] = []
    for name, (number, ended) in _HABITS.items():
        for count in range(_DAYS):
            day = after(FIRST, count)
            if (name == "gone" and count > _GONE) or (name == "young" and count < _YOUNG) or (name == "sparse" and count % 3):
                continue
            for _ in range(rng.randint(1, number)):
                life = Life(name, f"city:{len(made):04}", Random(rng.random()))
                life.put("Applied", life.on(day, 9), authority=f"{name}@991201")
                if rng.random() < ended:
                    life.put("Withdrawn", life.on(day, 15), cause="BY_APPLICANT", authority=f"{name}@991201")
                made.append(life)
    return made


def about_offices(made: list[Life], now: datetime) -> set[tuple[str, str]]:
    """What is true of departments then: silent for longer than ever and than two working days; a backlog three weeks growing."""
    found = set()
    for name in _HABITS:
        facts = [fact for life in made if life.name == name for fact in life.facts if fact.at <= now]
        if _silent(sorted({fact.at.date() for fact in facts}), now.date()):
            found.add((name, "silent_department"))
        if _growing(facts, now):
            found.add((name, "backlog_growing"))
    return found


def _silent(days: list[date], today: date) -> bool:
    def whole(one: date, other: date) -> int:
        return sum(working(one + n * DAY) for n in range(1, (other - one).days))

    if len(days) < 20:
        return False
    return whole(days[-1], today) > max(2, *(whole(one, other) for one, other in pairwise(days)))


def _growing(facts: list[Fact], now: datetime) -> bool:
    balances = []
    for week in range(3):
        until = now - week * 7 * DAY
        inside = [fact.kind for fact in facts if until - 7 * DAY < fact.at <= until]
        balances.append(inside.count("Applied") - inside.count("Withdrawn"))
    backlog = sum(1 if fact.kind == "Applied" else -1 for fact in facts)
    return min(balances) > 0 and sum(balances) >= max(5, 0.1 * (backlog - sum(balances)))
