"""Logs and cities whose right answer is known; made-up cities are written once for all tests that judge by their truth."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import monitor_receipt
import pytest

from monitor.statistics.context import Measuring
from monitor.statistics.log import LogFigures, measure
from monitor.statistics.row import traces

CASES = 300  # of a made-up city


@pytest.fixture(scope="session")
def oracle(shared):
    return monitor_receipt.oracle(shared)


@pytest.fixture(scope="session")
def receipt_traces(shared):
    return list(traces(monitor_receipt.rows(shared), monitor_receipt.channels(shared)))


@pytest.fixture(scope="session")
def measuring(shared):
    return Measuring(monitor_receipt.ZONE, monitor_receipt.calendar(shared))


@pytest.fixture(scope="session")
def receipt_figures(receipt_traces, measuring) -> LogFigures:
    return measure(receipt_traces, measuring)


@pytest.fixture(scope="session")
def made_city(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """The folder of the city with this seed, written by the shared generator without bad lines."""

    @cache
    def make(seed: int) -> Path:
        folder = tmp_path_factory.mktemp(f"city{seed}")
        tool = shared / "tools" / "gen_city.py"
        arguments = ["--cases", str(CASES), "--seed", str(seed), "--clean", "--out", str(folder)]
        subprocess.run([sys.executable, str(tool), *arguments], check=True, capture_output=True, timeout=60)
        return folder

    return make
