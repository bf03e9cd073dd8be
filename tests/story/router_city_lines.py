"""The made-up city's lines as events: a translation by hand, so that the router can be held to the city's truth alone.

The same by YAML is the connectors' business (examples). Lines that a connector rejects give None.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from router_story import finished, moment

from router.law import LawProfile
from schemas.envelope import Event, event_id

PROFILE = LawProfile(after_end="set_aside", closing_steps={"CLOSED"}, working_steps={"REVIEW_STARTED"}, supplement_rounds=3)
STATES = {"applied": "submitted", "in_progress": "reviewing"}


def micros(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def events_of(line: str, catalogue: dict[str, Any]) -> Iterator[Event] | None:
    """The events of one line, or None for a line that no connector lets pass."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    regions = {region["code"] for region in catalogue["regions"]}
    items = {item["code"] for item in catalogue["items"]}
    fit = row["time"] and row["time"] < "2100" and row["region"] in regions and row["item"] in items
    return _events(row) if fit and row["type"] in catalogue["event_types"] else None


def _events(row: dict[str, Any]) -> Iterator[Event]:
    number, data = row["case_no"], row["data"]
    key = f"city:{number}" if number else _other(data)
    type_name, body = _body(row["type"], row, data)
    yield _event(row, key, "main", type_name, body)
    if row["type"] == "SUBMITTED":
        for field, relation in (("appt", "APPOINTMENT"), ("ticket", "TICKET")):
            if field in data:
                yield _event(row, key, field, "Linked", {"other": _other({field: data[field]}), "relation": relation})


def _other(data: dict[str, Any]) -> str:
    return f"appointment:{data['appt']}" if "appt" in data else f"ticket:{data['ticket']}"


def _event(row: dict[str, Any], key: str, kind: str, type_name: str, body: dict[str, Any]) -> Event:
    sent = micros(row["sent"])
    header = {
        "event_id": event_id(row["system"], "events", row["event_id"], kind, 1),
        "body_hash": "",
        "case": key,
        "region": row["region"],
        "item": row["item"],
        "authority": f"{row['dept']}@{row['region']}",
        "step": row["seq"],
        "sequence": row["seq"],
        "occurred_at": moment(micros(row["time"])),
        "reported_at": moment(sent),
        "received_at": sent,
        "source": {"system": row["system"], "table": "events", "key": row["event_id"], "position": ""},
    }
    return finished(type_name, header, body)


def _body(name: str, row: dict[str, Any], data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    plain: dict[str, tuple[str, dict[str, Any]]] = {
        "SUBMITTED": ("Applied", {}),
        "RECEIVED": ("Received", {}),
        "SUPPLEMENT_NOTICE": ("SupplementRequested", {"round": data.get("round", 1)}),
        "SUPPLEMENT_SUBMITTED": ("SupplementReceived", {"round": data.get("round", 1)}),
        "ACCEPTED": ("Accepted", {"promised_days": data.get("limit"), "statutory_days": data.get("legal")}),
        "NOT_ACCEPTED": ("NotAccepted", {"reason": data.get("reason")}),
        "RETURNED": ("Returned", {}),
        "WITHDRAWN": ("Withdrawn", {}),
        "LAPSED": ("Withdrawn", {"cause": "LAPSED"}),
        "TERMINATED": ("Withdrawn", {"cause": "TERMINATED"}),
        "REVIEW_STARTED": ("StepStarted", {"step": name}),
        "SPECIAL_START": ("ClockPaused", {"pause": data.get("id", row["event_id"]), "procedure": "OTHER"}),
        "SPECIAL_END": ("ClockResumed", {"pause": data.get("id", "")}),
        "EXTENDED": ("LimitExtended", {"days": data.get("days", 0)}),
        "DECIDED": ("Decided", {"result": "REFUSED" if data.get("result") == "deny" else "GRANTED"}),
        "DELIVERED": ("Collected", {"how": data.get("how")}),
        "EVALUATED": ("Rated", {"score": 6 - data.get("score", 5)}),
        "APPOINTED": ("AppointmentRequested", {"appointment": data.get("appt", "")}),
        "TAKE_NUMBER": ("TicketTaken", {"ticket": data.get("ticket", "")}),
        "JOINT_DISPATCHED": (
            "HandedAcross",
            {"hand_over": data.get("sub", ""), "to": f"{data.get('to')}@{row['region']}", "part": data.get("sub")},
        ),
        "JOINT_ACCEPTED": ("Received", {"hand_over": data.get("sub", "")}),
        "JOINT_OPINION": (
            "StepCompleted",
            {"step": name, "part": data.get("sub"), "opinion": "PASS" if data.get("agree") else "RETURN"},
        ),
    }
    return plain.get(name) or ("StepCompleted", {"step": name})
