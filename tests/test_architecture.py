"""Who may know whom, held by import-linter and by a look at the sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"bus", "casebus", "connectors", "monitor", "router", "schemas"}
SOURCES = sorted(path for name in OURS for path in (ROOT / name).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Full names of the modules a source imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_the_layers_hold() -> None:
    """`casebus` over `connectors | router | monitor` over `bus | schemas`; client libraries only in `bus`."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["demo_city", "demo_truth", "demo_formats", "demo_exports"])
def test_the_made_up_city_is_a_second_opinion(name: str) -> None:
    """It must import nothing of ours but itself: what computes the truth may share no code with what is tested."""
    ours = {module for module in imports(ROOT / "casebus" / f"{name}.py") if module.split(".")[0] in OURS}
    assert all(module.startswith("casebus.demo_") for module in ours), ours


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_module_is_longer_than_one_sits_through(path: Path) -> None:
    """400 lines is where a hard look has failed."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_no_two_test_files_share_a_name() -> None:
    """Tests are collected by their bare file names: two alike stop the whole run before the first test."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py")
    assert [name for name, times in names.items() if times > 1] == []


def test_every_exemption_has_its_reason() -> None:
    """A `noqa` or `type: ignore` without a word about why is a rule quietly dropped."""
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in SOURCES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _exempts(line) and not _explains(line)
    ]
    assert not bare


def _exempts(line: str) -> bool:
    return "# noqa" in line or "# type: ignore" in line


def _explains(line: str) -> bool:
    """Whether three words or more follow the codes."""
    after = line.split("# noqa" if "# noqa" in line else "# type: ignore", 1)[1]
    return len(after.split()) >= 3
