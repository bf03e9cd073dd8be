"""A kind of system from a package of somebody else's: installed beside ours, found by its entry point, asked every promise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from connector_world import MAPPING

KIND = '''
"""Rows of a text: one letter each, as some old system might tell them."""
from collections.abc import Iterator

from connectors.source import Batch, Context, Kind, SourceRecord
from schemas.yamlfile import Map, Settings, validated


class LetterSettings(Settings):
    letters: str


class Letters:
    def __init__(self, settings: LetterSettings) -> None:
        self._letters = settings.letters

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        at = int(position or 0)
        while rows := [self._row(at + place, one) for place, one in enumerate(self._letters[at : at + limit])]:
            at += len(rows)
            yield Batch(rows, str(at))

    def _row(self, number: int, letter: str) -> SourceRecord:
        row = {"id": str(number), "case_no": letter, "at": "2025-06-01 09:00:00", "who": letter}
        return SourceRecord(f"letter {number}", number, row, letter.encode())

    def close(self) -> None:
        """Nothing is held."""


def _settings(node: Map) -> LetterSettings:
    return validated(LetterSettings, node)


KIND = Kind("Letters of a text", _settings, lambda settings, context: Letters(settings), lambda settings: "letters")
'''
BROKEN = KIND.replace("at = int(position or 0)", "at = max(int(position or 0) - 1, 0)")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """What an installer leaves: a module, and its metadata with the entry point."""
    folder = tmp_path / "site"
    metadata = folder / "letters_for_casebus-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: letters-for-casebus\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[casebus.kinds]\nletters = letters_for_casebus\n")
    (folder / "letters_for_casebus.py").write_text(KIND)
    (tmp_path / "source.yaml").write_text("letters: ABCDEFGH\n")
    return tmp_path


def casebus(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(place / "site")}
    command = [sys.executable, "-P", "-m", "casebus", "connector", *arguments]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_every_promise_is_asked_of_an_installed_kind(place: Path) -> None:
    """Kept, with a report for whoever gets the package; a source that gives a row twice is told by name of the promise."""
    kept = casebus(place, "conformance", "letters", "--source", "source.yaml", "--json")
    assert kept.returncode == 0, kept.stdout + kept.stderr
    findings = {one["promise"]: one["left_out"] for one in json.loads(kept.stdout)["findings"]}
    assert sum(not left_out for left_out in findings.values()) >= 5, findings
    assert (place / "conformance-letters.md").read_text("utf-8").startswith("# Conformance of letters\n\nEvery promise")
    (place / "site/letters_for_casebus.py").write_text(BROKEN)
    broken = casebus(place, "conformance", "letters", "--source", "source.yaml", "--report", "broken.md")
    assert broken.returncode == 1, broken.stdout
    assert "Traceback" not in broken.stderr
    assert "broken. Asked on" in (place / "broken.md").read_text("utf-8")


def test_a_connector_of_an_installed_kind_is_like_any_other(place: Path) -> None:
    """Its rows become events by a mapping; without the package its name is told as one that there is not."""
    (place / "connectors").mkdir()
    text = "kind: letters\nsource: {letters: ABC}\n" + dedent(MAPPING)
    (place / "connectors/old.yaml").write_text(text, "utf-8")
    (place / "casebus.yaml").write_text("name: letters\nzone: Asia/Shanghai\n", "utf-8")
    shown = casebus(place, "preview", "old", ".", "--json")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("Accepted") == 3
    (place / "site/letters_for_casebus-1.0.dist-info/entry_points.txt").write_text("")
    gone = casebus(place, "preview", "old", ".")
    assert (gone.returncode, "there is no kind `letters`" in gone.stderr) == (2, True), gone.stderr
