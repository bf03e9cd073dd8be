"""docs/write-an-item.md, walked as written: its files, its refusal, its moves, its answer to what if."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from city_story import EXAMPLE, City
from msgspec.structs import replace
from rich.console import Console

from casebus.commands.catalogue import _open, _row
from casebus.commands.look import inputs
from casebus.commands.simulate import Asked as If
from casebus.commands.simulate import simulated
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from monitor.casetext import page
from monitor.caseview import Asked, case_view
from monitor.told import told
from router.decide import all_rules
from schemas.catalogue import Catalogue

PAGE = (Path(__file__).parents[2] / "docs" / "write-an-item.md").read_text("utf-8")


def block(name: str) -> str:
    """A fenced block of the page by what stands after its language."""
    found = re.search(rf"^```\w+ {re.escape(name)}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Steps 1, 2 and 4: the copy of the small city, the item, the two cases."""
    folder = tmp_path_factory.mktemp("walk") / "mycity"
    shutil.copytree(EXAMPLE, folder)
    (folder / "catalogue" / "TREE-01.yaml").write_text(block("catalogue/TREE-01.yaml"), "utf-8")
    with (folder / "exports" / "planning.csv").open("a", encoding="utf-8") as file:
        file.write(block("exports/planning.csv"))
    return folder


@pytest.fixture(scope="module")
def city(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with pytest.MonkeyPatch.context() as patch:
        city = City(tmp_path_factory.mktemp("city"), patch, folder).run()
        yield city
        city.close()


def test_the_check_refuses_a_condition_as_the_page_says(folder: Path, tmp_path: Path) -> None:
    """Step 3."""
    wrong = Path(shutil.copytree(folder, tmp_path / "wrong"))
    text = block("catalogue/TREE-01.yaml").replace("applicant_kind == 'COMPANY'", "area > 500")
    (wrong / "catalogue" / "TREE-01.yaml").write_text(text, "utf-8")
    (problem,) = Wiring(Deployment.load(wrong)).problems()
    assert str(problem).endswith(block("refused").strip())
    assert "TREE-01.yaml:14" in str(problem)


def test_the_moves_are_those_of_the_page_and_say_why(city: City) -> None:
    """Step 4: the table of the page, against deliveries and journal."""
    rows = re.findall(r"^\| (\d{17}) \| (\w+) \| (\S+) \| (.*?) ?\|$", PAGE, re.MULTILINE)
    assert len(rows) == 3
    for case in {row[0] for row in rows}:
        told = [one for one in city.told(f"case:{case}") if not one[0].endswith("_alert")]  # the supervision's, not the item's
        assert sorted(told) == sorted((move, to) for number, move, to, _ in rows if number == case)
    entries = [city.wiring.codec.decode_record(one.value or b"") for one in city.cluster.records("case.journal")]
    facts = [entry["facts"] for name, entry in entries if name == "JournalEntry" and entry["case"].endswith(rows[0][0])]
    (moved,) = [one for one in facts if one.get("kind") == rows[0][1]]
    name, _, value = rows[0][3].partition(" = ")
    assert (moved[name], moved["item_version"], moved["when"]) == (value, "2026", "applicant_kind == 'COMPANY'")


def test_case_show_says_why_as_the_page_says(city: City) -> None:
    """Step 4: as the terminal prints it, whatever its width."""
    asked = Asked(city.wiring.now(city.view)())
    key = "case:50010320260401001"
    shown = case_view(city.view, key, inputs(city.wiring), {}, asked)
    rules = {rule.name: (rule.title, rule.basis) for rule in all_rules()}
    with city.view.snapshot() as snapshot:
        shown = replace(shown, told=told(snapshot, key, rules, asked.when))
    console = Console(width=400, file=io.StringIO(), record=True)
    console.print(page(shown, city.wiring.deployment.zone))
    text = console.export_text()
    assert [line for line in block("told").splitlines() if line not in text] == []


def test_a_new_version_lists_the_open_case_as_the_page_says(city: City, folder: Path, tmp_path: Path) -> None:
    """Step 6: the catalogue with the version appended holds, and one case is of an older one."""
    grown = Path(shutil.copytree(folder / "catalogue", tmp_path / "grown"))
    file = grown / "TREE-01.yaml"
    file.write_text(file.read_text("utf-8") + block("appended"), "utf-8")
    known, city.wiring.catalogue = city.wiring.catalogue, Catalogue.load(grown, city.wiring.directory)
    try:
        found = [_row(*pair, cases) for pair, cases in _open(city.wiring, city.view).items()]
    finally:
        city.wiring.catalogue = known
    (row,) = [one for one in found if one["item"] == "TREE-01"]
    assert row == json.loads(block("migrated"))


def test_what_if_answers_as_the_page_says(city: City, folder: Path, tmp_path: Path) -> None:
    """Step 5."""
    changed = Path(shutil.copytree(folder / "catalogue", tmp_path / "changed"))
    (changed / "TREE-01.yaml").write_text(block("changed/TREE-01.yaml"), "utf-8")
    found = simulated(city.wiring, city.view, If("2026-04-01", changed))
    (tree,) = [row.to_json() for row in found if row.item == "TREE-01"]
    assert {name: tree[name] for name in json.loads(block("simulated"))} == json.loads(block("simulated"))
