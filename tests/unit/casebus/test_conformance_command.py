"""The kit from the command line: a connector, an installed kind, a name that is neither; the report people hand over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from letter_world import TEMPLATE

from bus.errors import ConfigurationError
from casebus.commands import conformance
from casebus.commands.conformance import markdown, run
from connectors.conformance import Finding
from connectors.kinds import kinds
from connectors.source import Batch, Kind, Source, SourceRecord


class Careless:
    """A stranger's source that forgets its position."""

    def fetch(self, _position: str | None, limit: int) -> Iterator[Batch]:
        for number in range(0, 4, limit):
            yield Batch([SourceRecord(f"r:{one}", one, {}, b"x") for one in range(number, min(number + limit, 4))], "end")

    def close(self) -> None: ...


def stranger(settings: Any, _: Any) -> Source:
    return Careless()


LOOSE = Kind(about=" ", settings=dict, open=stranger, table=lambda _: "t")


def test_a_connector_of_a_deployment_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0, all promises on the screen and in the report."""
    report = tmp_path / "report.md"
    assert run("permits", TEMPLATE, None, report, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["kept"], len(told["findings"])) == ("permits", True, 9)
    assert report.read_text("utf-8").startswith("# Conformance of permits\n\nEvery promise that was asked is kept.")


@pytest.mark.parametrize("name", ["files", "sql", "kafka", "http"])
def test_our_own_kinds_tell_wrong_settings(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With file and line, whatever is written."""
    assert run(name, tmp_path, None, tmp_path / "report.md", as_json=False) == 0, capsys.readouterr().out


def test_a_kind_of_another_package_is_asked_with_its_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each fault has its sentence, and the exit code says that there are some."""
    monkeypatch.setattr(conformance, "kinds", lambda: {**kinds(), "loose": LOOSE})
    source = tmp_path / "source.yaml"
    source.write_text("path: here\n", "utf-8")
    assert run("loose", tmp_path, source, tmp_path / "report.md", as_json=True) == 1
    faults = [fault for one in json.loads(capsys.readouterr().out)["findings"] for fault in one["faults"]]
    for said in (
        "`about` is empty",
        "a setting that there is not is taken without a word",
        "At the last position rows still come",
    ):
        assert any(said in fault for fault in faults), (said, faults)
    assert "promises are broken" in (tmp_path / "report.md").read_text("utf-8")


def test_a_name_that_is_neither_is_told_with_those_that_are(tmp_path: Path) -> None:
    """A connector's file or a kind."""
    with pytest.raises(ConfigurationError, match=r"no connector permit in .* and no kind of this name \(permits, files, http"):
        run("permit", TEMPLATE, None, tmp_path / "report.md", as_json=False)
    with pytest.raises(ConfigurationError, match="no kind permit"):
        run("permit", TEMPLATE, tmp_path / "source.yaml", tmp_path / "report.md", as_json=False)


def test_a_fault_does_not_break_the_table_of_the_report() -> None:
    """Lines and bars of a strange sentence stay in their cell."""
    *_, line = markdown("x", [Finding("It can be read", ["a|b", "c"])])
    assert line == "| ✗ | It can be read | a\\|b<br>c |\n"
