"""What is true of Jichuan, told from its facts before anything is published: how each case stands, its clock, the totals.

A second opinion: it imports nothing of ours but the made-up city, and counts days with a calendar of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from casebus.demo_city import NOW, Case, Fact, days_after

PHASES = {
    "apply": "applied",
    "receive": "received",
    "ask": "supplementing",
    "bring": "received",
    "accept": "accepted",
    "start": "in_progress",
    "finish": "in_progress",
}
OUTCOMES = {"grant": "granted", "deny": "refused", "refuse": "not_accepted", "withdraw": "withdrawn"}
#: Facts before the case or about it, not in it.
BESIDE = frozenset({"book", "confirm", "ticket", "link"})
MOVES = {"up": "HandedUp", "down": "HandedDown", "across": "HandedAcross"}


def truth_of(case: Case) -> dict[str, Any]:
    """What must be known of a case at `NOW`, told from its facts in the order they happened."""
    facts = sorted(case.facts, key=lambda fact: fact.at)
    first = {fact.kind: fact.at for fact in reversed(facts)}
    kinds = [fact.kind for fact in facts]
    outcome = next((OUTCOMES[kind] for kind in kinds if kind in OUTCOMES), None)
    phase = "ended" if outcome else next((PHASES[kind] for kind in reversed(kinds) if kind in PHASES), "none")
    return {
        "case": case.number, "item": case.item.code, "region": case.county, "phase": phase, "outcome": outcome,
        "events": sum(kind not in BESIDE for kind in kinds), "paused": first.get("pause") is not None and "resume" not in first,
        **clock(case, facts, first),
    }  # fmt: skip


def clock(case: Case, facts: list[Fact], first: dict[str, datetime]) -> dict[str, Any]:
    """Working days from acceptance to the decision, days of the pause taken out; the due date; whether it is late."""
    accepted = first.get("accept")
    if accepted is None:
        return {"accepted": None, "elapsed_days": None, "paused_days": None, "due": None, "overdue": None, "overdue_legal": None}
    stop = min(first[kind] for kind in ("grant", "deny", "withdraw") if kind in first) if _stopped(first) else NOW
    extended = sum(fact.values["days"] for fact in facts if fact.kind == "extend")
    span = (first["pause"].date(), first.get("resume", stop).date()) if "pause" in first else None
    gross = list(_until(accepted.date(), stop.date()))
    counted = [day for day in gross if not _inside(day, span)]
    limit = case.item.promised + extended
    open_pause = "pause" in first and "resume" not in first and not _stopped(first)
    return {
        "accepted": accepted.isoformat(),
        "elapsed_days": len(counted),
        "paused_days": len(gross) - len(counted),
        "due": None if open_pause else _due(accepted.date(), limit, span).isoformat(),
        "overdue": len(counted) > limit,
        "overdue_legal": len(counted) > case.item.statutory + extended,
    }


def _stopped(first: dict[str, datetime]) -> bool:
    return not first.keys().isdisjoint(("grant", "deny", "withdraw"))


def _until(start: date, end: date) -> Iterator[date]:
    for day in days_after(start):
        if day > end:
            return
        yield day


def _inside(day: date, span: tuple[date, date] | None) -> bool:
    return span is not None and span[0] < day <= span[1]


def _due(start: date, limit: int, span: tuple[date, date] | None) -> date:
    counted = (day for day in days_after(start) if not _inside(day, span))
    return [next(counted) for _ in range(limit)][-1]


def findings(cases: list[Case]) -> dict[str, int]:
    """What these cases did against the law: a second notice about papers, a refusal that gives no reason."""
    second = sum(fact.kind == "ask" and fact.values["round"] == 2 for case in cases for fact in case.facts)
    silent = sum(fact.kind == "deny" for case in cases for fact in case.facts)
    counts = {"refused_without_reason": silent, "second_supplement_notice": second}
    return {code: count for code, count in counts.items() if count}


def truth(cases: list[Case], dead_letters: Counter[str]) -> dict[str, Any]:
    facts = [fact for case in cases for fact in case.facts]
    told = [truth_of(case) for case in cases]
    return {
        "city": "Jichuan", "at": f"{NOW.isoformat()}+08:00", "cases": len(cases), "events": len(facts),
        "events_by_department": dict(sorted(Counter(fact.department for fact in facts).items())),
        "moves": dict(sorted(Counter(MOVES[fact.kind] for fact in facts if fact.kind in MOVES).items())),
        "deliveries_by_receiver": dict(sorted(Counter(fact.values["to"] for fact in facts if fact.kind in MOVES).items())),
        "phases": dict(sorted(Counter(case["phase"] for case in told).items())),
        "outcomes": dict(sorted(Counter(case["outcome"] for case in told if case["outcome"]).items())),
        "overdue": sum(bool(case["overdue"]) for case in told),
        "overdue_legal": sum(bool(case["overdue_legal"]) for case in told),
        "findings": findings(cases), "dead_letters": dict(sorted(dead_letters.items())),
        "by_case": told,
    }  # fmt: skip
