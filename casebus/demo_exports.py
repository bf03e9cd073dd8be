"""What Jichuan's seven systems hand over: one format and one vocabulary each, with the dirt of real exports.

Like `demo_city` it imports nothing of ours. Rows repeat, come late, come again corrected, or are plainly wrong; which
wrong row is written where is counted before anything is published.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

from casebus import demo_city as city
from casebus import demo_formats as form
from casebus.demo_city import Case, Fact
from casebus.demo_formats import Row
from casebus.demo_truth import truth


@dataclass(frozen=True)
class System:
    """How one system writes: its file, its codes for what happened, its way to write a time, and its file format."""

    name: str
    file: str
    prefix: str
    codes: dict[str, str]
    time: form.TimeText
    write: Callable[[Path, list[Row]], None]
    #: What a row claims that belongs to no application, and where the numbers of such cases begin.
    step: str
    strangers: int


VALUES = ("ref", "to", "part", "days", "round", "text", "name", "identity", "phone", "channel")


def _row(system: System, fact: Fact, serial: int, item: str, rng: Random) -> Row:
    reported = min(fact.at + fact.lag, city.NOW)
    return {
        "serial": f"{system.prefix}-{serial:07d}",
        "version": fact.version,
        "case": fact.case,
        "code": system.codes[fact.kind],
        "at": system.time(fact.at),
        "reported": system.time(reported),
        "region": fact.region,
        "item": item,
        "operator": f"{fact.department[:2].upper()}{rng.randint(1, 40):02d}",
        **{name: fact.values.get(name) for name in VALUES},
        "order": reported,
    }


# ---------------------------------------------------------------- dirt


def _dirty(system: System, rows: list[Row], rng: Random) -> tuple[list[Row], Counter[str]]:
    """The rows with dirt among them, in the order of reporting, and how many of each wrong kind were added."""
    extra: list[Row] = []
    for row in rows:
        chance = rng.random()
        if chance < 0.01:
            extra.append(dict(row))
        elif chance < 0.02 and row["code"] != system.codes.get("apply"):
            extra.append({**row, "version": 2})
            row["operator"], row["at"] = "??", _earlier(system, row)
    wrong = [_spoil(system, kind, rng.choice(rows), number) for number, kind in enumerate(_wrong_kinds(system, len(rows)), 1)]
    mixed = sorted(rows + extra + [row for row, _ in wrong], key=lambda row: (row["order"], row["serial"], row["version"]))
    return mixed, Counter(kind for _, kind in wrong)


def _earlier(system: System, row: Row) -> Any:
    return system.time(row["order"] - timedelta(days=9))


def _wrong_kinds(system: System, rows: int) -> list[str]:
    kinds = ["missing_time", "impossible_date", "unknown_code", "missing_case", "orphan"]
    kinds += ["broken_line"] if system.file.endswith("jsonl") else []
    kinds += ["unknown_item"] if system.name == city.HALL else []
    return kinds * max(1, rows // 400)


def _spoil(system: System, kind: str, row: Row, number: int) -> tuple[Row, str]:
    """A wrong row beside a right one; its serial number is its own, so that nothing true is lost with it."""
    spoilt = {**row, "serial": f"{system.prefix}-X{number:06d}"}
    orphan = f"{city.COUNTIES[0]}20251231{system.strangers + number}"
    changes: dict[str, Row] = {
        "missing_time": {"at": None},
        "impossible_date": {"at": "2026-02-30 10:00:00"},
        "unknown_code": {"code": "77"},
        "missing_case": {"case": ""},
        "broken_line": {"broken": True},
        "orphan": {"case": orphan, "code": system.codes[system.step]},
        "unknown_item": {"case": orphan, "item": "9912-XX-999", "code": form.HALL_CODES["apply"]},
    }
    return {**spoilt, **changes[kind]}, kind


SYSTEMS = (
    System(city.HALL, "hall.sqlite", "HL", form.HALL_CODES, form.spaced, form.write_hall, "bring", 901000),
    System(city.QUALITY, "quality.csv", "QS", form.QUALITY_CODES, form.slashes, form.write_quality, "accept", 902000),
    System(city.MARKET, "market.jsonl", "MS", form.MARKET_CODES, form.millis, form.write_market, "accept", 903000),
    System(
        city.ENVIRONMENT, "environment.xlsx", "EN", form.ENVIRONMENT_CODES, form.cell, form.write_environment, "accept", 904000
    ),
    System(city.PLANNING, "planning.xml", "PL", form.PLANNING_CODES, form.zulu, form.write_planning, "accept", 905000),
    System(
        city.CONSTRUCTION,
        "construction.sqlite",
        "CO",
        form.CONSTRUCTION_CODES,
        form.spaced,
        form.write_construction,
        "accept",
        906000,
    ),
    System(city.FIRE, "fire.csv", "FR", form.FIRE_CODES, form.offset, form.write_fire, "finish", 907000),
)


def write(folder: Path, cases: int = 500, seed: int = 7) -> dict[str, Any]:
    """Write the exports and, before anybody reads them, the truth (`truth.json`); returns the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    made = city.simulate(cases, seed)
    dead_letters: Counter[str] = Counter()
    for system in SYSTEMS:
        dead_letters += _export(folder, system, made, Random(f"dirt/{seed}/{system.name}"))  # noqa: S311  a made-up city
    told = truth(made, dead_letters)
    (folder / "truth.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    return told


def _export(folder: Path, system: System, cases: list[Case], rng: Random) -> Counter[str]:
    facts = [(_late(fact, rng), case.item.code) for case in cases for fact in case.facts if fact.department == system.name]
    facts.sort(key=lambda pair: pair[0].at)
    rows = [_row(system, fact, serial, item, rng) for serial, (fact, item) in enumerate(facts, 1)]
    mixed, wrong = _dirty(system, rows, rng) if rows else (rows, Counter())
    system.write(folder / system.file, mixed)
    return wrong


def _late(fact: Fact, rng: Random) -> Fact:
    """Some rows are keyed in after the fact (补录): hours or weeks late."""
    return replace(fact, lag=timedelta(hours=rng.randint(2, 900))) if rng.random() < 0.03 else fact
