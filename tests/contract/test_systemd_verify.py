"""The units for systemd, as systemd itself understands them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.tier2
HERE = Path(__file__).parents[2] / "deploy" / "systemd"
MOST = 2.0  # of 10: systemd's own measure of what a service could do that was taken over


def analyze(*arguments: str, folder: Path) -> str:
    done = subprocess.run(["systemd-analyze", *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """With a program that is there, and an instance of the router."""
    assert shutil.which("systemd-analyze"), "Install it: apt-get install -y --no-install-recommends systemd"
    folder = tmp_path / "units"
    shutil.copytree(HERE, folder)
    shutil.copy(folder / "casebus-route@.service", folder / "casebus-route@0.service")
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text("utf-8").replace("/opt/casebus/bin/casebus", "/bin/true"), "utf-8")
    return folder


def test_systemd_finds_no_fault_in_the_units(units: Path) -> None:
    """An unknown key is only warned of, and would then do nothing."""
    names = sorted(
        f"./{path.name}" for path in units.glob("casebus*.*") if path.is_file() and path.suffix in {".service", ".target"}
    )
    names.remove("./casebus-route@.service")
    assert len(names) == 6
    assert analyze("verify", "--man=no", *names, folder=units) == ""


def test_systemd_would_see_a_fault(units: Path) -> None:
    """A misspelt key in the common part, which each unit reads."""
    common = units / "casebus-.service.d" / "10-common.conf"
    common.write_text(common.read_text("utf-8").replace("ProtectSystem=", "ProtectSistem="), "utf-8")
    assert "ProtectSistem" in analyze("verify", "--man=no", "./casebus-page.service", folder=units)


def test_a_service_that_was_taken_over_could_do_little(units: Path) -> None:
    """By systemd's own measure; without the common part it is 9.6."""
    said = analyze("security", "--offline=yes", "./casebus-page.service", folder=units)
    exposure = re.search(r"Overall exposure level for .*?: ([0-9.]+)", said)
    assert exposure, said
    assert float(exposure[1]) < MOST
