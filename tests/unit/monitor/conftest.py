"""The shared data, for tests that compare figures with a known truth."""

from __future__ import annotations

import monitor_receipt
import pytest

from monitor.statistics.context import Measuring
from monitor.statistics.log import LogFigures, measure
from monitor.statistics.row import traces


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
