"""docs/write-an-item.md, walked as written: its files, its refusal, its moves, its answer to what if."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from city_story import EXAMPLE, City

from casebus.commands.simulate import Asked, simulated
from casebus.deployment import Deployment
from casebus.wiring import Wiring

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


def test_what_if_answers_as_the_page_says(city: City, folder: Path, tmp_path: Path) -> None:
    """Step 5."""
    changed = Path(shutil.copytree(folder / "catalogue", tmp_path / "changed"))
    (changed / "TREE-01.yaml").write_text(block("changed/TREE-01.yaml"), "utf-8")
    found = simulated(city.wiring, city.view, Asked("2026-04-01", changed))
    (tree,) = [row.to_json() for row in found if row.item == "TREE-01"]
    assert {name: tree[name] for name in json.loads(block("simulated"))} == json.loads(block("simulated"))
