"""What if, on a year of a whole city (5,000 cases) and on the demo's: judged by a truth told from the cities' own files alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from city_story import City

from casebus import demo_city
from casebus.commands.demo import make
from casebus.commands.simulate import Asked, compared, sides, simulated
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from connectors.mapping import Rejection
from schemas.envelope import Event

EXAMPLES = Path(__file__).parents[2] / "examples"
GENERATED = EXAMPLES / "generated-city"
TRUTH_END = "2026-01-01T00:00:00+08:00"


class Year(NamedTuple):
    """The city's own files, its deployment with its items, what its connector read, by case."""

    files: Path
    wiring: Wiring
    recorded: dict[str, list[Event]]

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.files / name).read_text("utf-8").splitlines()]

    def catalog(self) -> dict[str, Any]:
        return dict(json.loads((self.files / "catalog.json").read_text("utf-8")))

    def working(self, first: str, last: str) -> int:
        """Working days after the one date until the other, by the city's own calendar."""
        days = json.loads((self.files / "calendar.json").read_text("utf-8"))
        start, end = date.fromisoformat(first[:10]), date.fromisoformat(last[:10])
        span = (start + timedelta(number) for number in range(1, (end - start).days + 1))
        worked = set(days["makeup_workdays"])
        return sum(one.isoformat() in worked or (one.weekday() < 5 and one.isoformat() not in days["holidays"]) for one in span)

    def ask(self, folder: Path) -> dict[str, dict[str, Any]]:
        """What the product answers, by item."""
        both = sides(self.wiring, Asked("2025-01-01", folder))
        rows = compared(self.recorded.items(), both, self.wiring.deployment.moment(TRUTH_END))
        return {row.item: row.to_json() for row in rows}


@pytest.fixture(scope="module")
def year(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    place = tmp_path_factory.mktemp("year")
    files, folder = place / "files", place / "city"
    tool = [sys.executable, str(shared / "tools" / "gen_city.py"), "--cases", "5000", "--days", "365", "--seed", "11", "--clean"]
    subprocess.run([*tool, "--out", str(files)], check=True, capture_output=True, timeout=60)
    shutil.copytree(GENERATED, folder, ignore=shutil.ignore_patterns(".casebus"))
    subprocess.run([sys.executable, str(GENERATED / "items.py"), str(files), str(folder / "catalogue")], check=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEBUS_CITY", str(files))
        wiring = Wiring(Deployment.load(folder))
        wiring.check()
        yield Year(files, wiring, read(wiring))


def read(wiring: Wiring) -> dict[str, list[Event]]:
    """Every case that was applied for, as the connector tells it."""
    (connector,) = wiring.connectors
    found: dict[str, list[Event]] = defaultdict(list)
    for batch in connector.open().fetch(None, 1000):
        for record in batch.records:
            events = connector.mapping.translate(record, 0, replay=True)
            assert not isinstance(events, Rejection)
            for event in events:
                found[event.case].append(event)
    return {key: events for key, events in found.items() if any(one.type == "Applied" for one in events)}


def changed(year: Year, folder: Path, code: str, **words: object) -> Path:
    """A copy of the catalogue in which lines of one item read otherwise."""
    copy = Path(shutil.copytree(year.wiring.deployment.path("catalogue"), folder / "changed"))
    file = copy / f"{code}.yaml"
    lines = file.read_text("utf-8").splitlines()
    for name, value in words.items():
        mine = [line.strip().startswith(f"{name}:") for line in lines]
        lines = [f"    {name}: {value}" if here else line for here, line in zip(mine, lines, strict=True)]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return copy


def most_asked(year: Year, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The item of the city's own catalogue with most cases among those that fit."""
    asked = Counter(one["item"] for one in year.lines("truth_cases.jsonl"))
    return max((one for one in year.catalog()["items"] if fits(one)), key=lambda one: (asked[one["code"]], one["code"]))


def with_counties(year: Year) -> set[str]:
    """Departments that a county has one of, by the city's catalogue."""
    return {one["code"] for one in year.catalog()["departments"] if one["has_district_level"]}


def cases_of(year: Year, code: str) -> list[dict[str, Any]]:
    return [one for one in year.lines("truth_cases.jsonl") if one["item"] == code]


def test_nothing_changes_under_the_catalogue_as_it_is(year: Year) -> None:
    """Every case of the year is there, as late as the city's truth says, and goes no other way."""
    found = year.ask(year.wiring.deployment.path("catalogue"))
    truth = year.lines("truth_cases.jsonl")
    assert len(truth) > 4900
    assert sum(row["cases"] for row in found.values()) == len(truth)
    late = Counter(one["item"] for one in truth if one.get("overdue_promise") or one.get("overdue_legal"))
    assert {code: row["late"] for code, row in found.items() if row["late"]} == dict(late)
    assert all((row["otherwise"], row["load"], row["days_sooner"]) == (0, {}, 0) for row in found.values())


def test_a_municipal_item_decided_by_the_county_within_three_days(year: Year, tmp_path: Path) -> None:
    """Each county carries its own cases, the city none; late is who took more than three days and what was granted on top."""
    item = most_asked(year, lambda one: one["level"] == "M" and one["dept"] in with_counties(year))
    folder = changed(year, tmp_path, item["code"], accepted_at="county", decided_at="county", promised=3)
    found = year.ask(folder)
    row, cases = found.pop(item["code"]), cases_of(year, item["code"])
    assert len(cases) > 5
    load = Counter(f"{item['dept']}@{one['region']}" for one in cases)
    assert row["load"] == {f"{item['dept']}@990100": -len(cases), **load}
    clocks = [one for one in cases if one.get("accepted")]
    limits = [(one["elapsed_workdays"], 3 + one["extension_days"], one["legal_days"] + one["extension_days"]) for one in clocks]
    assert row["late_after"] == sum(used > promised or used > legal for used, promised, legal in limits)
    assert (row["cases"], row["days_sooner"]) == (len(cases), 0)
    assert not any(other["otherwise"] for other in found.values())


def test_what_the_nation_decided_is_decided_by_the_county_without_waiting_for_it(year: Year, tmp_path: Path) -> None:
    """The working days between 上报国家审批 and its answer fall away, in every case that was ended; nobody is later for it."""
    item = most_asked(year, lambda one: one["level"] == "N" and one["dept"] in with_counties(year))
    row = year.ask(changed(year, tmp_path, item["code"], accepted_at="county", decided_at="county"))[item["code"]]
    ended = {one["case_no"]: one["clock_stop"] for one in cases_of(year, item["code"]) if one.get("clock_stop")}
    begun, waited = {}, 0
    for line in year.lines("events.jsonl"):
        if line["case_no"] in ended and line["data"].get("id", "").endswith("-N"):
            if line["type"] == "SPECIAL_START":
                begun[line["data"]["id"]] = line["time"]
            elif line["data"]["id"] in begun:
                waited += year.working(begun[line["data"]["id"]], min(line["time"], ended[line["case_no"]]))
    assert waited > 10
    assert (row["days_sooner"], row["late_after"]) == (waited, row["late"])


def test_where_no_county_has_the_department_nobody_could_decide(year: Year, tmp_path: Path) -> None:
    """The answer says it, in place of a number that nobody could keep."""
    item = most_asked(year, lambda one: one["level"] == "M" and one["dept"] not in with_counties(year))
    row = year.ask(changed(year, tmp_path, item["code"], accepted_at="county", decided_at="county"))[item["code"]]
    count = len(cases_of(year, item["code"]))
    assert row["load"] == {f"{item['dept']}@990100": -count, f"nobody ({item['dept']}@county)": count}


def test_the_demo_s_item_decided_by_the_county_saves_the_way_up(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Through connectors, router and view; each day between sending up and signing, told from the facts behind the exports."""
    folder = tmp_path_factory.mktemp("demo") / "city"
    make(folder, 250, 7)
    with pytest.MonkeyPatch.context() as patch:
        city = City(tmp_path, patch, folder).run()
        copy = Path(shutil.copytree(folder / "catalogue", tmp_path / "changed"))
        file = copy / "9912-EN-001.yaml"
        file.write_text(file.read_text("utf-8").replace("municipal", "county"), "utf-8")
        found = [row.to_json() for row in simulated(city.wiring, city.view, Asked("2026-01-01", copy))]
        city.close()
    mine = [row for row in found if row["item"] == "9912-EN-001"]
    (accepted,) = [row for row in mine if row["department"] == "environment"]
    count = sum(row["cases"] for row in mine)
    assert (accepted["days_sooner"], accepted["load"], count) == told_by_the_facts(demo_city.simulate(250, 7))
    assert not any(row["otherwise"] for row in found if row is not accepted)


def told_by_the_facts(cases: list[demo_city.Case]) -> tuple[int, dict[str, int], int]:
    """Days saved, who carries what, how many cases: of those that went up, counted by the demo's own calendar."""
    mine = [case for case in cases if case.item.code == "9912-EN-001" and case.facts]
    sooner, load = 0, Counter[str]()
    for case in mine:
        at = {fact.kind: fact.at for fact in case.facts}
        if "sign" in at:
            load.update({f"environment@{demo_city.CITY}": -1, f"environment@{case.county}": 1})
        if "sign" in at and not at.keys().isdisjoint({"grant", "deny", "withdraw"}):
            sooner += between(at["up"], at["sign"])
    return sooner, dict(load), len(mine)


def between(first: datetime, last: datetime) -> int:
    days = (first.date() + timedelta(number) for number in range(1, (last.date() - first.date()).days + 1))
    return sum(map(demo_city.working, days))
