"""Two runs of one deployment must not meet."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bus.errors import ConfigurationError
from casebus.alone import alone


def test_the_second_run_is_told_of_the_first(tmp_path: Path) -> None:
    """By its process number, so that it can be ended."""
    with alone(tmp_path / "data"), pytest.raises(ConfigurationError, match=str(os.getpid())), alone(tmp_path / "data"):
        pytest.fail("two at once")


def test_a_run_that_has_ended_is_in_nobodys_way(tmp_path: Path) -> None:
    """A lock, not a file that somebody must delete."""
    for _ in range(2):
        with alone(tmp_path / "data"):
            assert (tmp_path / "data" / "up.lock").read_text(encoding="ascii").strip() == str(os.getpid())
