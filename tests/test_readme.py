"""What the README and the guides tell people to type exists."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from casebus.__main__ import command

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands(group: object, before: str = "") -> dict[str, object]:
    """All subcommands by their full name."""
    found: dict[str, object] = {}
    for name, one in getattr(group, "commands", {}).items():
        found[f"{before}{name}"] = one
        found |= commands(one, f"{before}{name} ")
    return found


def test_the_two_commands_stand_as_written() -> None:
    """One shows it, one checks it; nothing needs to be installed before but Python and pip."""
    assert "pip install uv && uv run casebus demo\n" in README
    assert "pip install uv && uv run pytest\n" in README


def test_every_command_of_the_readme_exists() -> None:
    """Each line in a block that begins with `casebus` names a subcommand, and options it has."""
    known = commands(command())
    lines = re.findall(r"^casebus ([^#\n]+)", README, re.MULTILINE)
    assert len(lines) >= 9
    for line in lines:
        name = max((one for one in known if line.startswith(one)), key=len)
        options = {option for parameter in known[name].params for option in parameter.opts}  # type: ignore[attr-defined]  # click's command
        assert set(re.findall(r"--[a-z]+", line)) <= options, line


def test_every_subcommand_says_what_it_is_for() -> None:
    """`casebus --help` is the first thing that is read."""
    for name, one in commands(command()).items():
        assert one.help, name  # type: ignore[attr-defined]  # click's command


def test_all_that_prints_figures_prints_json_too() -> None:
    """So that programs need not read tables."""
    figures = {"demo", "check", "up", "watch", "stats", "case show", "audit", "deadletters list", "deadletters show", "doctor"}
    known = commands(command())
    without = {
        name for name in figures if "--json" not in {option for parameter in known[name].params for option in parameter.opts}
    }  # type: ignore[attr-defined]  # click's command
    assert without == set()


@pytest.mark.parametrize(
    "name", re.findall(r"`((?:connectors|router|schemas|monitor)/[a-z/]+?)(?:<|`|/[a-z_]+\.py`|\.py`)", README)
)
def test_every_place_of_the_table_exists(name: str) -> None:
    """To add X, touch Y: Y is there."""
    assert (ROOT / name).exists() or (ROOT / f"{name}.py").exists()


@pytest.mark.parametrize("path", sorted((ROOT / "bench").glob("*.py")), ids=lambda path: path.name)
def test_every_measurement_can_be_started(path: Path) -> None:
    """Nothing else imports them: a name that moved would be seen by the first who measures."""
    ended = subprocess.run(
        [sys.executable, "-m", f"bench.{path.stem}", "--help"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
