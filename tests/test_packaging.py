"""What is installed beside others must not get in their way: plain package names need guards."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
NAMES = {"bus", "casebus", "connectors", "monitor", "router", "schemas"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(["uv", "build", "--wheel", "--quiet", "--out-dir", folder, ROOT], check=True, capture_output=True)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_brings_exactly_our_top_level_names(wheel: zipfile.ZipFile) -> None:
    """Anything else would overwrite, or be overwritten by, what another distribution installs."""
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == NAMES


@pytest.mark.parametrize("suffix", [".avsc", ".lock", ".yaml", ".csv"])
def test_the_wheel_brings_the_files_that_code_reads(wheel: zipfile.ZipFile, suffix: str) -> None:
    """Schemas, the jars' lock and the folders that `init` and `demo` copy are data, and data is easily left behind."""
    here = {path.relative_to(ROOT).as_posix() for name in NAMES for path in (ROOT / name).rglob(f"*{suffix}")}
    assert here
    assert here <= set(wheel.namelist())


def test_help_comes_at_once() -> None:
    """Half a second of a core, because a command that is slow to say what it can do is not asked twice."""
    code = "import time; t = time.process_time(); import casebus.__main__ as m; m.command(); print(time.process_time() - t)"
    took = [
        float(subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True).stdout)
        for _ in "123"
    ]
    assert min(took) < 0.5


def test_no_heavy_library_is_imported_for_help() -> None:
    """Each command imports what it needs when it runs."""
    code = "import sys, casebus.__main__ as m; m.command(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"kafka", "sqlalchemy", "fastavro", "lxml", "openpyxl", "jgo", "holidays"} & set(loaded)
