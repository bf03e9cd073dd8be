"""Events of made-up lives, for the router's tests: short to write, complete as the codec decodes them."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from schemas.calendar import Calendar, CalendarSettings
from schemas.codec import default
from schemas.envelope import Event, body_hash, event_id
from schemas.limits import Terms
from schemas.rules import ClockRules

DAY = 86_400_000_000
HOUR = 3_600_000_000
START = 1_740_000_000_000_000
#: What a body must hold, where a test does not say it.
NEEDED: dict[str, dict[str, Any]] = {
    "AppointmentRequested": {"appointment": "A1"},
    "AppointmentConfirmed": {"appointment": "A1"},
    "TicketTaken": {"ticket": "T1"},
    "StepStarted": {"step": "review"},
    "StepCompleted": {"step": "review"},
    "ClockPaused": {"pause": "P1", "procedure": "HEARING"},
    "ClockResumed": {"pause": "P1"},
    "LimitExtended": {"days": 5},
    "HandedUp": {"hand_over": "H1", "to": "quality@500000"},
    "HandedDown": {"hand_over": "H1", "to": "quality@500103"},
    "HandedAcross": {"hand_over": "H1", "to": "fire@500103"},
    "Decided": {"result": "GRANTED"},
    "FeeCharged": {"amount": 100},
    "Rated": {"score": 5},
    "Linked": {"other": "ticket:1", "relation": "TICKET"},
    "Corrected": {"corrects": "0" * 32, "cancels": True},
    "AlertRaised": {"alert": "W1", "indicator": "promise", "light": "YELLOW", "judged_sequence": 1},
    "AlertWithdrawn": {"alert": "W1", "judged_sequence": 1},
    "SupervisionOpened": {"supervision": "S1"},
    "SupervisionClosed": {"supervision": "S1"},
}
_serial = count(1)
_CALENDAR = Calendar.from_settings(CalendarSettings(country=None, weekend=()), Path())
#: The national law, counted by a calendar in which every day is a working day.
EVERY_DAY_WORKS = Terms(ClockRules.model_validate({}), _CALENDAR, ZoneInfo("Asia/Shanghai"))


def moment(at: int, precision: str = "SECOND") -> dict[str, Any]:
    return {"at": at, "precision": precision, "zone": "Asia/Shanghai"}


def on_day(type_name: str, day: int, **fields: Any) -> Event:
    """An event known only as a day: the local day of `event(..., day)`, which is 5 hours later."""
    midnight = START // DAY * DAY + 16 * HOUR + day * DAY
    return event(type_name, day, header_occurred_at=moment(midnight, "DAY"), **fields)


def event(type_name: str, at: float = 0, /, *, case: str = "city:1", **fields: Any) -> Event:
    """One event `at` days after the start. `header_*` fields go to the header, the others to the body.

    `row`, `version`, `system` and `kind` make its identity; without `row` it is a row of its own.
    """
    header = {name.removeprefix("header_"): fields.pop(name) for name in list(fields) if name.startswith("header_")}
    system, row = fields.pop("system", "hall"), fields.pop("row", f"r{next(_serial)}")
    version, kind = fields.pop("version", 1), fields.pop("kind", type_name)
    occurred = START + int(at * DAY)
    header = {
        "event_id": event_id(system, "cases", row, kind, version),
        "body_hash": "",
        "case": case,
        "authority": "quality@500103",
        "sequence": 1,
        "occurred_at": moment(occurred),
        "received_at": occurred + HOUR,
        "source": {"system": system, "table": "cases", "key": row, "position": "0"},
        "version": version,
    } | header
    return finished(type_name, header, {**NEEDED.get(type_name, {}), **fields})


def finished(type_name: str, header: dict[str, Any], body: dict[str, Any]) -> Event:
    """The event as it comes off the bus: defaults filled in, hashed, encoded and decoded."""
    codec = default()
    header, body = codec.complete(type_name, header, body)
    header["body_hash"] = body_hash(type_name, header, body)
    return codec.decode(codec.encode(type_name, header, body))


def life(case: str = "city:1") -> list[Event]:
    """A plain life in order: asked for, accepted, worked on, decided, collected."""
    steps = ("Applied", "Received", "Accepted", "StepStarted", "StepCompleted", "Decided", "Collected", "Rated")
    return [event(name, day, case=case) for day, name in enumerate(steps)]
