"""Items and the directory: what is in force, who acts, and every fault told with file and line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from schemas.catalogue import Catalogue, Item
from schemas.directory import Directory, Level
from schemas.problem import ProblemsError
from schemas.rules import Limit, Unit
from schemas.words import Form

REGIONS = """code,name,level,parent
50,重庆,municipal,
500103,渝中区,county,50
500112,渝北区,4,50
500112101,龙溪,town,500112
"""
AUTHORITIES = """authority,name,department,region,credit_code
environment@50,市生态环境局,environment,50,
,渝中区生态环境局,environment,500103,
environment@500112,渝北区生态环境局,environment,500112,115001120090000006
fire@500103,渝中区消防,fire,500103,
environment@500112101,龙溪环保所,environment,500112101,
"""
ITEM = """item: "0123"
name: 环境影响评价审批
department: environment
versions:
  - version: "1"
    from: 2024-01-01
    promised: {days: 12, unit: natural}
    statutory: 20
  - version: "2"
    from: 2025-01-01
    to: 2026-12-31
    form: joint
    promised: 10
    statutory: {days: 20}
    accepted_at: county
    decided_at: municipal
    assisting: [fire]
    steps:
      - {step: review, by: environment@county}
      - {step: fire, by: fire@county, when: "applicant_kind == 'COMPANY'", limit: 5}
      - {step: approve, by: environment@municipal, after: [review, fire]}
    regions:
      "500103": {promised: 5}
"""


def directory_in(folder: Path, regions: str = REGIONS, authorities: str = AUTHORITIES) -> Directory:
    (folder / "regions.csv").write_text(regions, "utf-8")
    (folder / "authorities.csv").write_text(authorities, "utf-8")
    return Directory.load(folder)


def catalogue_in(folder: Path, text: str = ITEM, directory: Directory | None = None, name: str = "0123") -> Catalogue:
    (folder / f"{name}.yaml").write_text(text, "utf-8")
    return Catalogue.load(folder, directory)


def found(catalogue: Catalogue, version: str | None, on: date, region: str = "") -> Item:
    item = catalogue.item("0123", version, on, region)
    assert item is not None
    return item


def told(error: pytest.ExceptionInfo[ProblemsError]) -> list[str]:
    """Problems as file:line and what was found, without the folder."""
    return [f"{problem.where.rpartition('/')[2]} {problem.found}" for problem in error.value.problems]


def test_authorities_know_who_is_above_below_and_beside(tmp_path: Path) -> None:
    """The same department up and down the tree, other departments in the same place."""
    directory = directory_in(tmp_path)
    assert directory.above("environment@500112101") == "environment@500112"
    assert directory.above("environment@50") is None
    assert directory.above("fire@500103") is None
    assert directory.below("environment@50") == ("environment@500103", "environment@500112")
    assert directory.beside("environment@500103") == ("fire@500103",)
    assert directory.level("environment@500112") is Level.COUNTY


def test_an_authority_relative_to_a_case_is_found_up_the_tree(tmp_path: Path) -> None:
    """The region of that level in which the case lies; nothing below it, nothing where the department is missing."""
    directory = directory_in(tmp_path)
    assert directory.resolve("environment@municipal", "500112101") == "environment@50"
    assert directory.resolve("environment@county", "500112101") == "environment@500112"
    assert directory.resolve("environment@town", "500112") is None
    assert directory.resolve("fire@county", "500112") is None
    assert directory.resolve("environment@500103", "500112") == "environment@500103"
    assert directory.resolve("environment@county", "999999") is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("50,x,county,", "regions.csv:6 region 50 stands twice"),
        ("600,x,high,50", "regions.csv:6 `high` is no level"),
        ("600,x,county,51", "regions.csv:6 parent 51 of 600 is no region here"),
        ("600,x,municipal,50", "regions.csv:6 600 is municipal, its parent 50 municipal"),
        ("6 0,x,county,50", "regions.csv:6 `6 0` is no region code"),
    ],
)
def test_a_faulty_region_is_told_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    """Each fault on its own."""
    with pytest.raises(ProblemsError) as error:
        directory_in(tmp_path, REGIONS + line + "\n")
    assert told(error) == [problem]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("fire@500103,x,fire,500103,", "authorities.csv:7 authority fire@500103 stands twice"),
        (",x,fire,500199,", "authorities.csv:7 `500199` is no region here"),
        ("fire@50,x,fire,500112,", "authorities.csv:7 `fire@50` is not its department and region"),
        (",x,fire,500112,123", "authorities.csv:7 `123` is no credit code"),
        (",x,f@x,500112,", "authorities.csv:7 `f@x` is no department"),
    ],
)
def test_a_faulty_authority_is_told_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    """Each fault on its own."""
    with pytest.raises(ProblemsError) as error:
        directory_in(tmp_path, authorities=AUTHORITIES + line + "\n")
    assert told(error) == [problem]


def test_missing_files_and_columns_are_told_together(tmp_path: Path) -> None:
    """Both files are looked at before anything is said."""
    (tmp_path / "regions.csv").write_text("code,name\n", "utf-8")
    with pytest.raises(ProblemsError) as error:
        Directory.load(tmp_path)
    assert told(error) == ["regions.csv:1 no column level, parent", "authorities.csv the file is not there"]


def test_a_file_in_another_encoding_is_told(tmp_path: Path) -> None:
    """GB18030 is never guessed."""
    (tmp_path / "regions.csv").write_bytes(REGIONS.encode("gb18030"))
    (tmp_path / "authorities.csv").write_text(AUTHORITIES, "utf-8")
    with pytest.raises(ProblemsError, match="not UTF-8 at byte"):
        Directory.load(tmp_path)


def test_the_version_in_force_is_found_by_day_or_by_name(tmp_path: Path) -> None:
    """A version without an end gives way to the next; after the last end there is none."""
    catalogue = catalogue_in(tmp_path)
    assert found(catalogue, None, date(2024, 12, 31)).promised == Limit(12, Unit.NATURAL)
    assert found(catalogue, None, date(2025, 1, 1)).version == "2"
    assert found(catalogue, "1", date(2026, 1, 1)).version == "1"
    assert found(catalogue, "unheard", date(2026, 1, 1)).version == "2"
    assert catalogue.item("0123", None, date(2027, 1, 1)) is None
    assert catalogue.item("0123", None, date(2023, 12, 31)) is None
    assert catalogue.item("0999", None, date(2025, 1, 1)) is None
    assert "0123" in catalogue
    assert not catalogue.knows("0123", "unheard")


def test_a_region_differs_where_it_says_so(tmp_path: Path) -> None:
    """What it does not name stays."""
    catalogue = catalogue_in(tmp_path)
    here, there = found(catalogue, "2", date(2025, 1, 1), "500103"), found(catalogue, "2", date(2025, 1, 1), "500112")
    assert (here.promised, here.statutory) == (Limit(5), Limit(20))
    assert there.promised == Limit(10)


def test_steps_run_side_by_side_until_one_waits(tmp_path: Path) -> None:
    """The graph says what can start after what is done."""
    item = found(catalogue_in(tmp_path), "2", date(2025, 1, 1))
    assert (item.form, item.joint, item.hands_up) == (Form.JOINT, True, True)
    assert [step.name for step in item.ready([])] == ["review", "fire"]
    assert [step.name for step in item.ready(["review"])] == ["fire"]
    assert [step.name for step in item.ready(["review", "fire"])] == ["approve"]
    fire = item.step("fire")
    assert fire is not None
    assert (fire.when, fire.limit) == ("applicant_kind == 'COMPANY'", Limit(5))
    assert item.step("unheard") is None


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("after: [review, fire]", "after: [revue]", "0123.yaml:21 step approve comes after revue, which is no step here"),
        ("by: environment@county}", "by: environment@county, after: [approve]}", "0123.yaml:19 the steps wait for each other"),
        ("from: 2025-01-01", "from: 2024-01-01", "0123.yaml:10 version 2 begins while 1 holds"),
        ("    promised: {days: 12", "    to: 2025-03-01\n    promised: {days: 12", "0123.yaml:11 version 2 begins while 1 holds"),
        ("to: 2026-12-31", "to: 2024-12-31", "0123.yaml:11 it ends 2024-12-31, before it begins 2025-01-01"),
        ('version: "2"', 'version: "1"', "0123.yaml:9 version 1 stands twice"),
        ("promised: 10", "promised: 30", "0123.yaml:13 promised are 30 days, the law allows 20"),
        ("decided_at: municipal", "decided_at: town", "0123.yaml:16 town decides what county accepts"),
        ("    assisting: [fire]\n", "", "0123.yaml:12 a joint approval without assisting departments"),
        ("step: fire", "step: review", "0123.yaml:20 step review stands twice"),
        ("by: fire@county", "by: fire@city", "0123.yaml:20 `city` in fire@city is no level"),
        ("by: fire@county", "by: fire", "0123.yaml:20 `versions.1.steps.1.by` is 'fire'"),
        ("promised: 10", "promised: ten", "0123.yaml:13 `versions.1.promised` is 'ten': a limit is a number of days"),
        ("form: joint", "form: joined", "0123.yaml:12 `versions.1.form` is 'joined': a form is one of on_the_spot"),
        (
            "accepted_at: county",
            "accepted_at: district",
            "0123.yaml:15 `versions.1.accepted_at` is 'district': a level is one of",
        ),
        ("name: 环境影响评价审批", "nane: x", "0123.yaml:2 `nane` is no key of this place"),
        ('item: "0123"', 'item: "0124"', "0123.yaml:1 item 0124 stands in 0123.yaml"),
        ('item: "0123"', "item: 123", "0123.yaml:1 `item` is 123, not text"),
    ],
)
def test_a_faulty_item_is_told_with_its_line(tmp_path: Path, old: str, new: str, problem: str) -> None:
    """What was found, and where, for each kind of fault."""
    assert old in ITEM
    with pytest.raises(ProblemsError) as error:
        catalogue_in(tmp_path, ITEM.replace(old, new, 1))
    assert any(said.startswith(problem) for said in told(error)), told(error)


def test_what_the_directory_does_not_have_is_told(tmp_path: Path) -> None:
    """Departments of steps and assistants, and regions that differ."""
    directory = directory_in(tmp_path)
    assert len(catalogue_in(tmp_path, ITEM, directory)) == 1
    text = ITEM.replace("[fire]", "[fyre]").replace("fire@county", "fire@500112").replace('"500103"', '"500199"')
    with pytest.raises(ProblemsError) as error:
        catalogue_in(tmp_path, text, directory)
    assert told(error) == [
        "0123.yaml:17 department fyre is not in the directory",
        "0123.yaml:20 fire@500112 is not in the directory",
        "0123.yaml:23 region 500199 is not in the directory",
    ]


def test_the_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    """Nobody mends one file to hear of the next."""
    (tmp_path / "0001.yaml").write_text("item: [", "utf-8")
    with pytest.raises(ProblemsError) as error:
        catalogue_in(tmp_path, ITEM.replace("promised: 10", "promised: 30"))
    assert [problem.where.rpartition("/")[2] for problem in error.value.problems] == ["0001.yaml:1", "0123.yaml:13"]
