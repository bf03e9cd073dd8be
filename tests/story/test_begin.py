"""A deployment of one's own, from `init` on; and the made-up city through the other client library."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from casebus import demo_exports
from casebus.demo_check import check
from casebus.deployment import Deployment
from casebus.wiring import Wiring

pytestmark = pytest.mark.broker
TEMPLATE = Path(demo_exports.__file__).parent / "templates" / "demo"


def test_what_init_writes_runs_as_it_stands(casebus: Any, tmp_path: Path) -> None:
    """Two cases, one wrong row: enough to see every command work before one's own data is in it."""
    folder = tmp_path / "mycity"
    casebus("init", folder).good()
    casebus("check", folder).good()
    report = casebus("up", folder, "--exit", "--json").good().json
    assert (report["cases"], report["dead_letters"], report["failures"]) == (2, 1, [])
    shown = casebus("case", "show", "50000120260302000001", folder, "--json").good().json
    assert (shown["case"]["phase"], shown["case"]["outcome"], shown["clock"]["elapsed_days"]) == ("ended", "granted", 6)
    assert shown["moves"][0]["receiver"] == "environment@500000"
    (letter,) = casebus("deadletters", "list", folder, "--json").good().json
    assert (letter["reason"], letter["position"]) == ("unreadable_time", "permits.csv:9")
    assert casebus("audit", folder, "--json").good().json["equal"] is True
    assert casebus("init", folder).code == 2


def test_a_mended_row_and_a_new_one_come_with_the_next_run(casebus: Any, tmp_path: Path) -> None:
    """The file grew: only what is new is read; a higher version takes the place of the row before."""
    folder = tmp_path / "mycity"
    casebus("init", folder).good()
    casebus("up", folder, "--exit").good()
    with (folder / "exports" / "permits.csv").open("a", encoding="utf-8") as file:
        file.write("P-0008,2,50000120260305000002,上报,2026-03-09 09:00,500001,,王,environment@500000\n")
        file.write("P-0005,2,50000120260302000001,准予许可,2026-03-10 11:40,500000,,赵,示环许〔2026〕1号\n")
    casebus("up", folder, "--exit").good()
    decided = casebus("case", "show", "50000120260302000001", folder, "--json").good().json
    assert decided["clock"]["elapsed_days"] == 5
    assert "superseded" in [moment["standing"] for moment in decided["timeline"]]
    handed = casebus("case", "show", "50000120260305000002", folder, "--json").good().json
    assert [move["kind"] for move in handed["moves"]] == ["up"]
    assert casebus("audit", folder, "--json").good().json["equal"] is True


@pytest.mark.parametrize("arguments", [("up", "--exit"), ("stats",), ("connect", "--exit"), ("audit",), ("deadletters", "list")])
def test_where_no_deployment_is_every_command_says_so(casebus: Any, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Exit 2 and the way out, whatever was asked."""
    ended = casebus(*arguments, tmp_path)
    assert ended.code == 2
    assert "casebus init" in ended.err


def test_figures_of_a_deployment_that_never_ran_say_what_to_do(casebus: Any, tmp_path: Path) -> None:
    """An empty table would be a lie."""
    casebus("init", tmp_path / "mycity").good()
    ended = casebus("stats", tmp_path / "mycity")
    assert (ended.code, "casebus up" in ended.err) == (2, True)


def test_an_unknown_connector_is_answered_with_the_known_ones(casebus: Any, tmp_path: Path) -> None:
    """`--only` with a typing error must not run nothing and call it good."""
    casebus("init", tmp_path / "mycity").good()
    ended = casebus("connect", tmp_path / "mycity", "--exit", "--only", "permit")
    assert (ended.code, "permits" in ended.err) == (2, True)


def test_the_other_client_library_gives_the_same_truth(casebus: Any, tmp_path: Path) -> None:
    """`client: confluent`, and nothing else, is changed."""
    folder = tmp_path / "city"
    shutil.copytree(TEMPLATE, folder)
    head = folder / "casebus.yaml"
    head.write_text(
        head.read_text(encoding="utf-8").replace("  partitions: 4", "  partitions: 4\n  client: confluent"), encoding="utf-8"
    )
    truth = demo_exports.write(folder / "exports", 60, 13)
    casebus("up", folder, "--exit").good()
    wiring = Wiring(Deployment.load(folder))
    assert wiring.settings.kafka.client == "confluent"
    with wiring.client() as client:
        report = check(wiring, wiring.view(), client, truth)
    assert [line for line in report.lines if not line.right] == []
    assert report.wrong == []


def test_the_systems_themselves_are_checked_before_the_first_run(casebus: Any, tmp_path: Path) -> None:
    """A heading that a department renamed shows with the headings that there are; nothing is published by looking."""
    folder = tmp_path / "mycity"
    casebus("init", folder).good()
    casebus("check", folder, "--sources").good()
    (mapping,) = (folder / "connectors").glob("*.yaml")
    text = mapping.read_text("utf-8")
    mapping.write_text(text.replace("经办人", "承办人"), "utf-8")
    casebus("check", folder).good()
    ended = casebus("check", folder, "--sources")
    assert ended.code == 2
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "经办人" in row)
    assert f"connectors/{mapping.name}:{line}: the source has no column `承办人`; it has 流水号" in ended.err
    assert not (folder / ".casebus").exists()
