"""Wrong rows while the bus runs: somebody mends them, the router answers, and every side agrees afterwards."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.broker
UP = (sys.executable, "-P", "-m", "casebus", "up")
ROWS = (
    "P-0009,1,50000120260305000002,上报上级,2026-03-09 09:00,500001,,王,environment@500000\n"
    "P-0010,1,50000120260305000002,上报上级,2026-13-09 09:00,500001,,王,environment@500000\n"
    "P-0011,1,50000120260305000002,说明,2026-03-10 09:00,500001,,王,\n"
)


@pytest.fixture
def city(casebus: Any, tmp_path: Path) -> Path:
    """A new deployment whose file has more wrong rows, and whose page is left out."""
    folder = tmp_path / "mycity"
    casebus("init", folder).good()
    settings = folder / "casebus.yaml"
    settings.write_text(settings.read_text("utf-8").replace("port: 8080", "port: null"), "utf-8")
    with (folder / "exports" / "permits.csv").open("a", encoding="utf-8") as file:
        file.write(ROWS)
    casebus("up", folder, "--exit").good()
    return folder


def test_letters_are_mended_replayed_and_dismissed_while_the_bus_runs(casebus: Any, city: Path) -> None:
    """One by its values, one by the mapping, one not at all; the case moves on, and the audit agrees."""
    letters = {one["source_key"]: one["id"] for one in casebus("deadletters", "list", city, "--json").good().json}
    assert letters.keys() == {"P-0008", "P-0009", "P-0010", "P-0011"}
    with subprocess.Popen([*UP, str(city)], stderr=subprocess.PIPE, text=True) as up:
        assert up.stderr
        assert any(line.startswith("up;") for line in up.stderr)
        try:
            _work(casebus, city, letters)
        finally:
            up.terminate()
            up.stderr.read()
    assert up.returncode == 0
    assert casebus("audit", city, "--json").good().json["equal"] is True


def _work(casebus: Any, city: Path, letters: dict[str, str]) -> None:
    mended = casebus(
        "deadletters", "mend", letters["P-0008"], city, "--set", "时间=2026-02-28 09:00", "--why", "the 28th", "--by", "li"
    )
    assert mended.good().out == "1 mended.\n"
    again = casebus("deadletters", "replay", city, "--reason", "unknown_code", "--json")
    assert (again.code, again.json["states"]) == (1, {"refused again": 2})  # of the third one the time is wrong first
    mapping = city / "connectors" / "permits.yaml"
    text = mapping.read_text("utf-8")
    mapping.write_text(text.replace("on: 上报,", "on: [上报, 上报上级],"), "utf-8")
    again = casebus("deadletters", "replay", letters["P-0009"], city, "--why", "a new word of theirs").good()
    assert again.out == "1 mended.\n"
    assert casebus("deadletters", "dismiss", letters["P-0011"], city).code == 2
    casebus("deadletters", "dismiss", letters["P-0011"], city, "--why", "a remark, no step").good()
    (left,) = casebus("deadletters", "list", city, "--json").good().json
    assert (left["id"], left["reason"], left["state"]) == (letters["P-0010"], "unreadable_time", "open")
    shown = casebus("deadletters", "show", letters["P-0008"], city, "--json").good().json
    assert [(act["state"], act["by"], act["why"]) for act in shown["acts"]] == [
        ("replayed", "li", "the 28th"),
        ("mended", "li", ""),
    ]
    assert (shown["mapping"].split(":")[0], "2026-02-30" in shown["raw"]) == ("happened", True)
    moves = casebus("case", "show", "50000120260305000002", city, "--json").good().json["moves"]
    assert [move["kind"] for move in moves] == ["up"]
    counted = casebus("deadletters", "list", city, "--state", "all", "--by", "state", "--json").good().json
    assert counted == {"mended": 2, "dismissed": 1, "open": 1}
