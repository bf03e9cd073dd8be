"""The rules for Prometheus, as Prometheus itself understands them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from monitor.web import metrics

pytestmark = pytest.mark.tier2
HERE = Path(__file__).parent
RULES = HERE.parents[1] / "docs" / "alerts.yml"


def test_each_rule_speaks_when_it_should_and_not_before():
    """promtool plays series to them."""
    assert shutil.which("promtool"), "Install it: apt-get install -y --no-install-recommends prometheus"
    for command in (["check", "rules", RULES], ["test", "rules", HERE / "alerts.test.yml"]):
        done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_rule_asks_for_a_metric_that_there_is():
    """A metric renamed would silence its rule for good."""
    rules = [rule["expr"] for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]
    source = Path(metrics.__file__).read_text(encoding="utf-8")
    names = {name for rule in rules for name in re.findall(r"casebus_\w+", rule)}
    assert len(names) == 4
    assert all(f'"{name.removesuffix("_bucket")}"' in source for name in names)
