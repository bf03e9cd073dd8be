"""What every suite uses: one real broker a session, and the shared data where it lies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bus.broker import Broker

_ROOT = Path(__file__).parents[1]


class Elsewhere(NamedTuple):
    """A Kafka that runs already."""

    bootstrap: str


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker | Elsewhere]:
    """A real Kafka, started once for all tests of the session, or the one whose address CASEBUS_TEST_BROKERS holds.

    Its address is `broker.bootstrap`.
    """
    if address := os.environ.get("CASEBUS_TEST_BROKERS"):
        yield Elsewhere(address)
        return
    with Broker(tmp_path_factory.mktemp("kafka")) as started:
        yield started


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the data outside the project (CASEBUS_SHARED). In CI its absence is a failure, elsewhere a skip."""
    folder = Path(os.environ.get("CASEBUS_SHARED") or _ROOT.parent / "shared").resolve()
    if not (folder / "data").is_dir():
        said = f"No shared data in {folder}: set CASEBUS_SHARED to the folder that holds data/ and tools/."
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    return folder
