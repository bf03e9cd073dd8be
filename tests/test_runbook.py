"""An alarm without a section, a section without an alarm, a command that is none: the runbook is read by somebody in a hurry."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from bus.memory import Cluster
from bus.pulse import Pulse
from bus.topics import Topic
from bus.transaction import Loop
from casebus.__main__ import app, command
from casebus.health import PREFIX, Figures, Vital
from connectors.fleet_status import State
from monitor.web import metrics

DOCS = Path(__file__).parents[1] / "docs"
RULES = [rule for group in yaml.safe_load((DOCS / "alerts.yml").read_text("utf-8"))["groups"] for rule in group["rules"]]
PARTS = re.split(r"(?m)^## ", (DOCS / "runbook.md").read_text("utf-8"))[1:]
SECTIONS = {part.partition("\n")[0]: part for part in PARTS}
COMMANDS = sorted(set(re.findall(r"(?m)^casebus ([^#\n]+?)$", "".join(PARTS))))


def test_every_alarm_has_its_section_and_every_section_its_alarm() -> None:
    """In the order of the rules, each linked from its rule."""
    assert list(SECTIONS) == [rule["alert"] for rule in RULES]
    for rule in RULES:
        assert rule["annotations"]["runbook"] == f"docs/runbook.md#{rule['alert'].lower()}"


@pytest.mark.parametrize("name", SECTIONS)
def test_every_section_says_what_it_means_where_to_look_what_to_do_and_when_it_is_over(name: str) -> None:
    """In this order."""
    words = re.findall(r"(?m)^\*\*(Means\.|Look\.|Do\.|Over)\*\*? ?", SECTIONS[name])
    assert words == ["Means.", "Look.", "Do.", "Over"]


def test_links_between_sections_lead_somewhere() -> None:
    """A link to a section that was renamed leads to the top."""
    links = set(re.findall(r"\(#(\w+)\)", "".join(PARTS)))
    assert links
    assert links <= {name.lower() for name in SECTIONS}


def named(line: str) -> list[str]:
    """The words of a line that name its command; none where there is no such command."""
    here: Any = command()
    words: list[str] = []
    for word in line.split():
        if not hasattr(here, "commands"):
            break
        here = here.commands.get(word)
        words.append(word)
    return [] if here is None or hasattr(here, "commands") else words


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_runs(line: str) -> None:
    """It is there, has a help, and has the options that it is called with."""
    words = named(line)
    assert words, line
    ended = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert ended.exit_code == 0, ended.output
    said = re.sub(r"\x1b\[[0-9;]*m", "", ended.output)
    assert all(option in said for option in re.findall(r"--[a-z-]+", line)), said


def test_each_rule_asks_for_a_metric_that_there_is() -> None:
    """A metric renamed would silence its rule for good."""
    names = {name for rule in RULES for name in re.findall(r"casebus_\w+", rule["expr"])}
    page = Path(metrics.__file__).read_text("utf-8")
    of_page = {name for name in names if f'"{name.removesuffix("_bucket")}"' in page}
    assert len(of_page) == 4
    assert names - of_page <= told()
    assert len(names - of_page) == 6


def told() -> set[str]:
    """The names that services tell: of a loop, of a worker of connectors, of deliveries."""
    cluster = Cluster()
    cluster.create([Topic("in", "key", partitions=1)])
    loop = Loop(cluster, "router", ["in"], None, "router-0")  # type: ignore[arg-type]  # it does not work here
    others = dict.fromkeys(["waiting", *(f"connectors_{state.name.lower()}" for state in State)], 0.0)
    pulse = Pulse(0.0, "", {**loop.pulse().figures, **others})
    loop.close()
    found = Figures(Vital("route", lambda: pulse, lambda: 0.0)).collect()
    names = {sample.name for metric in found for sample in metric.samples}
    assert all(name.startswith(PREFIX) for name in names)
    return names
