"""A Kafka in a container, as testcontainers starts it, behind an address in the settings. `.ci/tier2.sh` builds its image."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import container_world
import pytest
from smoke import read, write

from bus.settings import KafkaSettings

pytestmark = pytest.mark.tier2


@pytest.fixture(scope="module")
def settings() -> Iterator[KafkaSettings]:
    """Settings that name the container's address."""
    with container_world.kafka() as started:
        yield KafkaSettings(brokers=started.get_bootstrap_server())


def test_a_kafka_behind_an_address_keeps_what_was_committed(settings: KafkaSettings) -> None:
    """The same writing and reading as on the embedded broker."""
    assert not settings.embedded
    write(settings.bootstrap, b"a", b"b")
    write(settings.bootstrap, b"c")
    assert read(settings.bootstrap, 3) == [b"a", b"b", b"c"]


def test_both_clients_keep_their_contract_with_a_kafka_behind_an_address(settings: KafkaSettings) -> None:
    """What the double and the embedded broker pass, against a Kafka that is not ours: its part on transactions, for time."""
    suite = Path(__file__).parents[1] / "contract" / "test_transactions.py"
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-m", "broker", str(suite)]
    environment = os.environ | {"CASEBUS_TEST_BROKERS": settings.bootstrap}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=suite.parents[2])
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
