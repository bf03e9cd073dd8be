"""What if: the example city's recorded cases under another catalogue and another calendar; nothing is published."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from city_story import EXAMPLE, City

from casebus.commands.catalogue import _open, _row
from casebus.commands.simulate import Asked, simulated
from schemas.catalogue import Catalogue
from schemas.problem import ProblemsError

COUNTY, CITY = "housing@500103", "housing@500000"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with pytest.MonkeyPatch.context() as patch:
        city = City(tmp_path_factory.mktemp("city"), patch).run()
        yield city
        city.close()


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE / "catalogue", tmp_path / "catalogue"))


def rows(city: City, **changed: Path) -> dict[str, dict]:
    found = simulated(city.wiring, city.view, Asked("2026-03-01", **changed))
    return {row.item: row.to_json() for row in found}


def test_the_same_terms_change_nothing(city: City, catalogue: Path) -> None:
    """A copy of the catalogue, unchanged: every case ends as it did, nobody carries more."""
    found = [row.to_json() for row in simulated(city.wiring, city.view, Asked("2026-03-01", catalogue))]
    assert sum(row["cases"] for row in found) == city.opened()
    assert all((row["otherwise"], row["days_sooner"], row["load"]) == (0, 0, {}) for row in found)


def test_an_item_decided_by_the_county_ends_sooner_and_the_county_carries_it(city: City, catalogue: Path) -> None:
    """The days on the way up fall away: sent on Friday the 13th, signed on Wednesday the 18th, three working days."""
    file = catalogue / "LAND-01.yaml"
    text = file.read_text("utf-8").replace("decided_at: municipal", "decided_at: county")
    file.write_text(text.replace("housing@municipal", "housing@county"), "utf-8")
    before = len(city.cluster.records("case.deliveries"))
    found = rows(city, catalogue=catalogue)
    land = found.pop("LAND-01")
    assert (land["department"], land["cases"], land["otherwise"], land["days_sooner"]) == ("housing", 1, 1, 3)
    assert land["load"] == {CITY: -1, COUNTY: 1}
    assert all(row["otherwise"] == 0 for row in found.values())
    assert len(city.cluster.records("case.deliveries")) == before


def test_a_shorter_promise_makes_cases_late_and_an_abolished_item_has_none(city: City, catalogue: Path) -> None:
    """The limits of the other catalogue count for what was recorded; an item that ended is a power given up."""
    rest = catalogue / "REST-01.yaml"
    rest.write_text(rest.read_text("utf-8").replace("promised: 10", "promised: 3"), "utf-8")
    sign = catalogue / "SIGN-01.yaml"
    sign.write_text(sign.read_text("utf-8").replace("from: 2026-01-01", "from: 2026-01-01\n    to: 2026-12-31"), "utf-8")
    found = rows(city, catalogue=catalogue)
    assert (found["REST-01"]["late"], found["REST-01"]["late_after"]) == (0, 1)
    assert (found["SIGN-01"]["abolished"], found["SIGN-01"]["cases"]) == (2, 2)
    assert found["SIGN-01"]["load"] == {"planning@500103": -2}


def test_a_holiday_added_to_the_calendar_moves_the_days(city: City, tmp_path: Path) -> None:
    """Two days off in March: what was counted on them is counted no more."""
    notice = tmp_path / "notice.yaml"
    notice.write_text("holidays: [2026-03-16, 2026-03-17]\n", "utf-8")
    rest = rows(city, calendar=notice)["REST-01"]
    assert (rest["days_counted"], rest["days_sooner"]) == (-2, 0)


def test_other_rules_count_otherwise_and_find_otherwise(city: City, tmp_path: Path) -> None:
    """Procedures that stop no clock make a case longer against its limit; what the file does not name stays as it is."""
    rules = tmp_path / "rules.yaml"
    rules.write_text("clock: {pausing: []}\nlaw: {supplement_rounds: 9}\n", "utf-8")
    found = rows(city, rules=rules)
    paused = {case.item for case in city.cases().values() if any(one.end for one in case.pauses)}
    assert paused
    assert {code for code, row in found.items() if row["days_counted"]} <= paused
    assert found["LAND-01"]["days_counted"] > 0
    assert all(row["days_sooner"] == 0 for row in found.values())
    rules.write_text("clock: {pausing: hearing}\n", "utf-8")
    with pytest.raises(ProblemsError, match=r"rules\.yaml:1"):
        rows(city, rules=rules)
    with pytest.raises(ProblemsError, match="no file of rules"):
        rows(city, rules=tmp_path / "nowhere.yaml")


def test_a_fault_in_the_other_catalogue_has_its_file_and_line(city: City, catalogue: Path) -> None:
    """It is checked as the deployment's own."""
    (catalogue / "REST-01.yaml").write_text("item: REST-01\nname: x\nversions: []\n", "utf-8")
    with pytest.raises(ProblemsError, match=r"REST-01\.yaml"):
        rows(city, catalogue=catalogue)
    with pytest.raises(ProblemsError, match="no folder"):
        rows(city, catalogue=catalogue / "nowhere")


def test_open_cases_of_an_older_version_are_told_with_what_the_newest_changes(city: City, catalogue: Path) -> None:
    """The case that nobody decided yet keeps its version; the list says what it would mean to move it."""
    file = catalogue / "FOOD-01.yaml"
    file.write_text(file.read_text("utf-8") + '  - version: "2027"\n    from: 2026-04-01\n    promised: 5\n', "utf-8")
    known = city.wiring.catalogue
    city.wiring.catalogue = Catalogue.load(catalogue, city.wiring.directory)
    try:
        found = [_row(*pair, cases) for pair, cases in _open(city.wiring, city.view).items()]
    finally:
        city.wiring.catalogue = known
    (row,) = found
    assert (row["item"], row["from"], row["to"], row["open"], row["changes"]) == (
        "FOOD-01",
        "2026",
        "2027",
        1,
        ["form", "promised", "statutory", "steps"],
    )
    assert row["cases"] == ["case:50010320260330001"]


def test_the_commands_answer_from_the_view_alone(casebus, tmp_path_factory: pytest.TempPathFactory, catalogue: Path) -> None:
    """No broker is started: `simulate` and `catalogue migrate --dry-run` only read what was recorded."""
    place = tmp_path_factory.mktemp("alone")
    with pytest.MonkeyPatch.context() as patch:
        city = City(place, patch).run()
        opened = city.opened()
        city.close()
        environment = dict(os.environ)
    said = casebus(
        "simulate", EXAMPLE, "--from", "2026-03-01", "--catalogue", catalogue, "--json", environment=environment
    ).good()
    assert (said.json["published"], sum(row["cases"] for row in said.json["items"])) == (0, opened)
    unchanged = casebus("simulate", EXAMPLE, environment=environment).good().out
    assert ("0 would have gone otherwise" in unchanged, "LAND-01" in unchanged) == (True, False)
    rules = place / "rules.yaml"
    rules.write_text("clock: {pausing: []}\n", "utf-8")
    told = casebus("simulate", EXAMPLE, "--rules", rules, environment={**environment, "COLUMNS": "200"}).good().out
    assert ("LAND-01" in told, "Nothing was published." in told) == (True, True)
    assert casebus("catalogue", "migrate", EXAMPLE, "--dry-run", "--json", environment=environment).good().json == []
    refused = casebus("catalogue", "migrate", EXAMPLE, environment=environment)
    assert (refused.code, "--dry-run" in refused.err) == (2, True)
    assert not (place / "data" / "kafka").exists()
