"""Another calendar over the example city: whose due dates it would move, told by the command and changed by nobody."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from city_story import EXAMPLE, City
from typer.testing import CliRunner

from casebus.groups.figures import app
from schemas.problem import ProblemsError


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with pytest.MonkeyPatch.context() as patch:
        city = City(tmp_path_factory.mktemp("city"), patch).run()
        yield city
        city.close()


def asked(*more: str) -> str:
    done = CliRunner().invoke(app, ["calendar", str(EXAMPLE), *more], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_days_off_at_the_end_of_april_move_what_is_open_then(city: City, tmp_path: Path) -> None:
    """Every open limit that ended behind the new days off ends later, by at most as many working days."""
    file = tmp_path / "notice.yaml"
    file.write_text("holidays: [2026-04-16, 2026-04-17]\n", "utf-8")
    told = json.loads(asked("--calendar", str(file), "--json"))
    assert told["days"] == {"2026-04-16": False, "2026-04-17": False}
    assert told["moved"]
    assert sum(told["limits"].values()) == len(told["moved"])
    for one in told["moved"]:
        assert one["after"] > one["before"] >= "2026-04-16"
        assert one["by_days"].items() <= told["days"].items()
    text = asked("--calendar", str(file))
    assert "Days off now: 2026-04-16, 2026-04-17." in text
    assert all(one["number"] in text for one in told["moved"])


def test_a_file_that_says_nothing_new_moves_nothing(city: City, tmp_path: Path) -> None:
    """A Sunday is off already."""
    file = tmp_path / "notice.yaml"
    file.write_text("holidays: [2026-04-19]\n", "utf-8")
    assert "No day changes" in asked("--calendar", str(file))


def test_a_file_in_the_place_of_another_takes_its_days_back(city: City, tmp_path: Path) -> None:
    """What the file before said and the new one does not say holds no more."""
    folder = Path(shutil.copytree(EXAMPLE, tmp_path / "city"))
    (folder / "old.yaml").write_text("holidays: [2026-04-16]\n", "utf-8")
    (folder / "new.yaml").write_text("holidays: [2026-04-17]\n", "utf-8")
    head = folder / "casebus.yaml"
    head.write_text(head.read_text("utf-8").replace("{country: CN}", "{country: CN, files: [old.yaml]}"), "utf-8")
    options = ["calendar", str(folder), "--calendar", str(folder / "new.yaml"), "--json"]
    over, instead = (
        json.loads(CliRunner().invoke(app, [*options, *more], catch_exceptions=False).stdout)
        for more in ([], ["--instead-of", "old.yaml"])
    )
    assert over["days"] == {"2026-04-17": False}
    assert instead["days"] == {"2026-04-16": True, "2026-04-17": False}
    with pytest.raises(ProblemsError, match=r"Named there: old\.yaml"):
        CliRunner().invoke(app, [*options, "--instead-of", "older.yaml"], catch_exceptions=False)
