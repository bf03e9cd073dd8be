"""`casebus registry` against a small server that speaks the documented API (a real one: `tests/broker/test_apicurio.py`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from registry_server import Server, served

from bus.errors import ConfigurationError, RetryError
from casebus.commands import registry
from casebus.deployment import Deployment
from casebus.doctor.registry import registry as looked
from casebus.registration import LEVEL
from casebus.wiring import Wiring
from schemas.contract import current, frozen
from schemas.problem import ProblemsError

HEAD = "name: mycity\n"


@pytest.fixture
def server() -> Iterator[Server]:
    with served() as running:
        yield running


@pytest.fixture
def city(tmp_path: Path, server: Server) -> Path:
    """A deployment that names it."""
    (tmp_path / "casebus.yaml").write_text(f"{HEAD}kafka: {{registry: '{server.url}'}}\n", "utf-8")
    return tmp_path


def test_apply_registers_all_and_then_plan_has_nothing_to_do(
    city: Path, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 before and 0 after; the second time nothing changes."""
    assert registry.plan(city, as_json=False) == 1
    assert "to register" in capsys.readouterr().out
    assert registry.apply(city, as_json=False) == 0
    assert f"{len(frozen())} versions in the registry, {len(frozen())} changed" in capsys.readouterr().err
    assert {subject for subject, _ in server.schemas} == set(current())
    assert set(server.levels.values()) == {LEVEL}
    before = list(server.schemas)
    assert registry.apply(city, as_json=True) == 0
    said = capsys.readouterr()
    assert "0 changed" in said.err
    assert all(one["stands"] for one in json.loads(said.out))
    assert server.schemas == before
    assert registry.plan(city, as_json=False) == 0


def test_what_would_be_refused_is_told_beforehand(city: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """With the registry's reason, by the command and by the doctor, which changes nothing."""
    server.schemas = [("casebus.events.Rated", "somebody else's")]
    server.judgement = {"is_compatible": False, "messages": ["no default at /fields/1"]}
    assert registry.plan(city, as_json=False) == 1
    assert "would be refused: no default at /fields/1" in " ".join(capsys.readouterr().out.split())
    (finding,) = looked(Wiring(Deployment.load(city)))
    assert "casebus.events.Rated: no default at /fields/1" in finding.found
    assert finding.cure
    assert len(server.schemas) == 1


def test_a_refusal_ends_the_command(city: Path, server: Server) -> None:
    """Exit 2 comes of it, with a line for each subject."""
    server.refusal = (403, b"")
    with pytest.raises(ConfigurationError, match="casebus registry apply"):
        registry.apply(city, as_json=False)


def test_a_registry_that_is_away_can_be_tried_again(city: Path) -> None:
    """Exit 75 comes of it; the doctor names the address."""
    (city / "casebus.yaml").write_text(f"{HEAD}kafka: {{registry: 'http://127.0.0.1:1'}}\n", "utf-8")
    with pytest.raises(RetryError, match="does not answer"):
        registry.plan(city, as_json=False)
    (finding,) = looked(Wiring(Deployment.load(city)))
    assert "http://127.0.0.1:1" in finding.found
    assert finding.cure


def test_where_none_is_named_the_command_says_where_to_name_it(tmp_path: Path) -> None:
    """And the doctor has nothing to look at."""
    (tmp_path / "casebus.yaml").write_text(HEAD, "utf-8")
    with pytest.raises(ProblemsError, match="no schema registry is named"):
        registry.plan(tmp_path, as_json=False)
    assert list(looked(Wiring(Deployment.load(tmp_path)))) == []
