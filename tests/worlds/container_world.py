"""Containers as `.ci/tier2.sh` makes them possible: a Kafka that is not ours to start, and the image of casebus itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from testcontainers.community.kafka import KafkaContainer

#: What one node needs for transactions, what any Kafka should say to a mistyped topic, the short times the suite waits for.
SETTINGS = {
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_TRANSACTION_ABORT_TIMED_OUT_TRANSACTION_CLEANUP_INTERVAL_MS": "1000",
    "KAFKA_GROUP_MIN_SESSION_TIMEOUT_MS": "1000",
}

STARTED = 120  # seconds a Kafka may take on a busy machine; a quiet one takes four


def image(variable: str) -> str:
    """The name of an image that was built for these tests. Its absence is a failure, never a skip."""
    name = os.environ.get(variable)
    if not name:
        pytest.fail("There is no image: run these tests by `bash .ci/tier2.sh`, as root.")
    return name


@contextmanager
def kafka() -> Iterator[KafkaContainer]:
    """One node. From here it is reached at `get_bootstrap_server()`, from other containers at `inside(...)`."""
    made = KafkaContainer(image("CASEBUS_KAFKA_IMAGE")).with_kraft().with_envs(**SETTINGS)
    try:
        yield made.start(timeout=STARTED)
    finally:
        made.stop()


def inside(started: KafkaContainer) -> str:
    """Its address for other containers of the same network."""
    return f"{started.get_docker_client().bridge_ip(started.get_container_id())}:9092"


def opened(folder: Path) -> Path:
    """A folder of this user's in which any other may work, too: a container runs as somebody else."""
    subprocess.run(["chmod", "-R", "a+rwX", str(folder)], check=True)
    return folder
