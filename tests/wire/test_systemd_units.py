"""The units for systemd, read as text: what they start exists, and what they promise the program keeps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bus.pulse import DEAD
from bus.watchdog import EX_TEMPFAIL
from casebus.__main__ import AGAIN, SURROUNDINGS, UNFORESEEN, command
from casebus.crew import USAGE
from casebus.health import HealthSettings
from casebus.stopping import TERMINATED
from connectors.fleet import GRACE

HERE = Path(__file__).parents[2] / "deploy" / "systemd"
UNITS = sorted(HERE.glob("*.service"))
COMMON = HERE / "casebus-.service.d" / "10-common.conf"


def said(path: Path) -> dict[str, str]:
    """The settings of a unit; of one that is said twice the last."""
    lines = (line.partition("=") for line in path.read_text("utf-8").splitlines() if "=" in line and not line.startswith("#"))
    return {name: value for name, _, value in lines}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_every_unit_starts_a_service_that_there_is(unit: Path) -> None:
    """With options that it has; named as its command."""
    words = said(unit)["ExecStart"].split()
    assert words[0] == "/opt/casebus/bin/casebus"
    root: Any = command()
    service = root.commands[words[1]]
    assert re.fullmatch(rf"casebus-{words[1]}@?\.service", unit.name)
    options = {option for parameter in service.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_exit_codes_mean_the_same_to_systemd() -> None:
    """What somebody must mend is not started again; what can be tried again, and what crashed, is."""
    common = said(COMMON)
    assert (common["Restart"], common["RestartPreventExitStatus"]) == ("on-failure", "2")
    assert SURROUNDINGS == USAGE == 2
    assert 2 not in {EX_TEMPFAIL, AGAIN, UNFORESEEN}
    assert int(common["SuccessExitStatus"]) == TERMINATED
    assert int(common["TimeoutStopSec"]) > GRACE


@pytest.mark.parametrize("unit", [one for one in UNITS if "Type=notify" in one.read_text("utf-8")], ids=lambda path: path.name)
def test_the_watchdog_waits_longer_than_the_service_itself(unit: Path) -> None:
    """Word comes at half its interval as long as the loop turns; one more late turn must not kill it."""
    assert float(said(unit)["WatchdogSec"]) >= 1.5 * DEAD


def test_every_service_that_tells_its_health_waits_for_systemd() -> None:
    """Those, and no other, tell that they have begun: the page would be waited for in vain."""
    telling = {f"casebus-{name}" for name in HealthSettings.model_fields if name != "host"}
    assert {unit.stem.rstrip("@") for unit in UNITS if said(unit)["Type"] == "notify"} == telling


def test_every_unit_has_a_place_for_its_secrets() -> None:
    """systemd refuses to start a unit whose credentials are not there."""
    assert said(COMMON)["LoadCredential"] == "secret:/etc/casebus/secrets/%p"
    made = {line.split()[1] for line in (HERE / "casebus.tmpfiles.conf").read_text("utf-8").splitlines() if line.startswith("d ")}
    assert {f"/etc/casebus/secrets/{unit.stem.rstrip('@')}" for unit in UNITS} <= made


def test_no_unit_holds_a_secret() -> None:
    """Everybody may read a unit."""
    assert not [
        unit.name for unit in (*UNITS, COMMON) if re.search(r"(?i)^[^#]*password=", unit.read_text("utf-8"), re.MULTILINE)
    ]
