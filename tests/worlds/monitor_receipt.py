"""The receipt log's right answer as rows, and a calendar read from its file: no code of the product makes them."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from monitor.statistics.row import Row

ZONE = ZoneInfo("Europe/Amsterdam")


class Days:
    """Working days from a file of weekend, holidays and moved working days, counted day by day."""

    def __init__(self, data: dict[str, Any]) -> None:
        names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
        self._weekend = {names.index(name) for name in data["weekend"]}
        self._off = set(map(date.fromisoformat, data["holidays"]))
        self._work = set(map(date.fromisoformat, data.get("makeup_workdays", ())))
        self._known: dict[date, bool] = {}

    def is_working(self, day: date) -> bool:
        return day in self._work or (day.weekday() not in self._weekend and day not in self._off)

    def working_days(self, start: date, end: date) -> int:
        return sum(self.is_working(start + timedelta(n)) for n in range(1, (end - start).days + 1))


def oracle(shared: Path) -> dict[str, Any]:
    return dict(json.loads((shared / "data/receipt/oracle.json").read_text(encoding="utf-8")))


def calendar(shared: Path) -> Days:
    return Days(json.loads((shared / "data/receipt/calendar_nl.json").read_text(encoding="utf-8")))


def rows(shared: Path) -> list[Row]:
    with (shared / "data/receipt/expected_events.csv").open(encoding="utf-8") as file:
        found = [_row(line) for line in csv.DictReader(file)]
    return sorted(found, key=lambda row: row.case)


def channels(shared: Path) -> dict[str, str]:
    with (shared / "data/receipt/case_registry.csv").open(encoding="utf-8") as file:
        return {line["case_no"]: line["channel"] for line in csv.DictReader(file)}


def _row(line: dict[str, str]) -> Row:
    return Row(
        case=line["case_no"],
        at=int(line["ts_ms"]) * 1000,
        step=int(line["seq"]),
        system=line["system"],
        sequence=0,
        event_id=line["event_uid"],
        type=line["event_type"],
        activity=line["activity"],
        department=line["dept"],
        actor=line["operator"],
    )
