"""The rules for Prometheus, as Prometheus itself understands them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.tier2
HERE = Path(__file__).parent
RULES = HERE.parents[1] / "docs" / "alerts.yml"


def test_each_rule_speaks_when_it_should_and_not_before():
    """promtool plays series to them."""
    assert shutil.which("promtool"), "Install it: apt-get install -y --no-install-recommends prometheus"
    for command in (["check", "rules", RULES], ["test", "rules", HERE / "alerts.test.yml"]):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
