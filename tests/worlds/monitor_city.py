"""The made-up city of the shared tools as our events, by a translation of the test's own, and its truth."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import monitor_world as world

from monitor.lights import Clockwork
from monitor.statistics.source import Folding
from monitor.times import micros
from monitor.view import View
from router.case import fold
from router.hindsight import counted
from router.law import UNCOUNTED, AfterEnd, LawProfile
from schemas.calendar import Calendar, CalendarSettings
from schemas.case import CaseState
from schemas.clock import ClockRules
from schemas.envelope import Event, body_hash, event_id

ZONE = ZoneInfo("Asia/Shanghai")
LAW = LawProfile(closing_steps=frozenset({"CLOSED"}), after_end=AfterEnd.SET_ASIDE)
#: The generator's own rules: extensions without bound, and who gets no answer in time is not thereby accepted.
RULES = ClockRules.model_validate(
    {"extension": {"days": None, "joint": None, "late": "counted"}, "acceptance": {"deemed": "never"}}
)
FOLDING = Folding(
    lambda events, key: fold(events, LAW, key),
    counted,
    UNCOUNTED,
)


class City:
    """Generated without mess: what is bad in it is the business of connectors and router."""

    def __init__(self, shared: Path, folder: Path, seed: int, cases: int = 160) -> None:
        tool = shared / "tools/gen_city.py"
        arguments = ["--cases", str(cases), "--seed", str(seed), "--clean", "--out", str(folder)]
        subprocess.run([sys.executable, str(tool), *arguments], check=True, capture_output=True)
        self.folder = folder
        lines = [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]
        self.cases: dict[str, list[Event]] = defaultdict(list)
        for line in lines:
            if line["case_no"]:
                self.cases[line["case_no"]].append(_event(line))

    @property
    def clockwork(self) -> Clockwork:
        settings = CalendarSettings(country=None, files=("calendar.json",))
        return Clockwork(RULES, Calendar.from_settings(settings, self.folder), ZONE)

    def summary(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "truth_summary.json").read_text(encoding="utf-8")))

    def truth(self) -> list[dict[str, Any]]:
        """What is true of each case at the end."""
        lines = (self.folder / "truth_cases.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def overdue(self) -> dict[str, list[dict[str, str]]]:
        """Lines of truth_at.csv by their as-of time."""
        found: dict[str, list[dict[str, str]]] = defaultdict(list)
        with (self.folder / "truth_at.csv").open(encoding="utf-8") as file:
            for line in csv.DictReader(file):
                found[line["as_of"]].append(line)
        return found

    def feed(self, view: View) -> None:
        """Into the view, as the router's journal and states would."""
        records = []
        for number, events in self.cases.items():
            entries = world.chain(events)
            records += [world.journal_record(entry, len(records) + n) for n, entry in enumerate(entries)]
            case = fold(events, LAW, f"city:{number}")
            state = CaseState(case, world.ledger(events), len(events), entries[-1]["hash"])
            records.append(world.state_record(state, len(records)))
        view.apply_batch(records, {}, world.CODEC)


def moment(text: str) -> int:
    return micros(datetime.fromisoformat(text))


def _event(line: dict[str, Any]) -> Event:
    kind, body = _said(line["type"], line["data"])
    header = {
        "event_id": event_id(line["system"], "stream", line["event_id"], kind, 1),
        "body_hash": "",
        "case": f"city:{line['case_no']}",
        "region": line["region"],
        "item": line["item"],
        "authority": f"{line['dept']}@{line['region']}",
        "step": line["seq"],
        "sequence": line["seq"],
        "activity": line["type"],
        "occurred_at": {"at": moment(line["time"]), "precision": "SECOND", "zone": "+08:00"},
        "received_at": moment(line["sent"]),
        "source": {"system": line["system"], "table": "stream", "key": line["event_id"], "position": line["event_id"]},
    }
    full, said = world.CODEC.complete(kind, header, body)
    full["body_hash"] = body_hash(kind, full, said)
    return Event(kind, full, said, world.CODEC.encode(kind, full, said))


Said = tuple[str, dict[str, Any]]
#: Our event type and body for a type of the generator; what is not here is a step.
_SAID: dict[str, Callable[[dict[str, Any]], Said]] = {
    "SUBMITTED": lambda _: ("Applied", {}),
    "RECEIVED": lambda _: ("Received", {}),
    "SUPPLEMENT_NOTICE": lambda _: ("SupplementRequested", {}),
    "SUPPLEMENT_SUBMITTED": lambda _: ("SupplementReceived", {}),
    "NOT_ACCEPTED": lambda _: ("NotAccepted", {}),
    "RETURNED": lambda data: ("Returned", {"reason": data["reason"]}),
    "CERT_ISSUED": lambda _: ("Collected", {}),
    "DELIVERED": lambda _: ("Collected", {}),
    "ACCEPTED": lambda data: ("Accepted", {"promised_days": data["limit"], "statutory_days": data["legal"]}),
    "SPECIAL_START": lambda data: ("ClockPaused", {"pause": data["id"], "procedure": "OTHER"}),
    "SPECIAL_END": lambda data: ("ClockResumed", {"pause": data["id"]}),
    "EXTENDED": lambda data: ("LimitExtended", {"days": data["days"]}),
    "DECIDED": lambda data: ("Decided", {"result": "GRANTED" if data["result"] == "approve" else "REFUSED"}),
    "EVALUATED": lambda data: ("Rated", {"score": data["score"]}),
    "REVIEW_STARTED": lambda _: ("StepStarted", {"step": "REVIEW"}),
    "LAPSED": lambda _: ("Withdrawn", {"cause": "LAPSED"}),
    "TERMINATED": lambda _: ("Withdrawn", {"cause": "TERMINATED"}),
    "WITHDRAWN": lambda _: ("Withdrawn", {"cause": "BY_APPLICANT"}),
}


def _said(kind: str, data: dict[str, Any]) -> Said:
    return _SAID[kind](data) if kind in _SAID else ("StepCompleted", {"step": kind})


@contextmanager
def fed(city: City, folder: Path) -> Iterator[View]:
    """A view that has seen the whole city."""
    with closing(View.at(folder / "view.db")) as view:
        city.feed(view)
        yield view
