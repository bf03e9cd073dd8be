"""Made-up cities, each written once for all tests that judge by its truth."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

CASES = 300


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
