"""A contestant that cannot be had is left out of `bench.compare` with a sentence, never silently and never with a traceback."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from bench import compare_field, compare_streams
from bench.compare_field import FIELD, AbsentError, command
from bus.errors import ConfigurationError

BY_NAME = {one.name: one for one in FIELD}


def test_jars_that_cannot_be_fetched_leave_kafka_streams_out(tmp_path, monkeypatch):
    """The reason is the one that the fetching gives: it names the jar, the place and what to do."""

    def unreachable(**_: Any) -> None:
        raise ConfigurationError("rocksdbjni-10.1.3.jar cannot be fetched from central (timed out). Connect this machine once.")

    monkeypatch.setattr(compare_streams, "fetch", unreachable)
    with pytest.raises(AbsentError, match="cannot be fetched from central"):
        command(BY_NAME["streams"], tmp_path)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (FileNotFoundError("uv"), "there is no uv"),
        (subprocess.CalledProcessError(2, "uv", stderr="error: no such package"), "no such package"),
    ],
)
def test_an_environment_that_cannot_be_made_leaves_quix_streams_out(tmp_path, monkeypatch, fault, said):
    """Without uv, or without a registry to fetch from."""

    def refuse(*_: Any, **__: Any) -> None:
        raise fault

    monkeypatch.setattr(compare_field.subprocess, "run", refuse)
    with pytest.raises(AbsentError, match=said):
        command(BY_NAME["quix"], tmp_path)


def test_ours_need_nothing_that_must_be_fetched(tmp_path):
    """The router and the plain loop run on what stands here, each under a group of its own."""
    for name in ("plain-confluent", "router-kafka-python"):
        words = command(BY_NAME[name], tmp_path)("localhost:1", tmp_path / name)
        assert words[words.index("--group") + 1] == name
