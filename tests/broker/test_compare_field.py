"""The short form of `bench.compare`: every contestant works, beside each other on one broker, and all results are right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALL = {"plain-kafka-python", "plain-confluent", "quix", "streams", "router-kafka-python", "router-confluent"}
#: Times the processor time of the same client's plain loop: 1.7 was seen on a quiet machine, up to 3.1 on a very busy one.
AT_MOST = 4.0

#: Seconds; a minute on a quiet machine, three were seen with a load of 40.
PATIENCE = 560

pytestmark = [pytest.mark.tier2, pytest.mark.broker, pytest.mark.timeout(PATIENCE + 40)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the command says, as JSON. It fetches Quix Streams' packages and Kafka Streams' jars where they are not there yet."""
    file = tmp_path_factory.mktemp("compare") / "figures.json"
    command = (sys.executable, "-P", "-m", "bench.compare", "--short", "--json", str(file))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    figures: dict = json.loads(file.read_text("utf-8"))
    return figures


def test_every_contestant_gives_every_result_once(found):
    """The same number from each, none lost, none twice: else the figures compare different work."""
    assert found["left_out"] == {}
    assert set(found["contestants"]) == ALL
    plan = found["plan"]
    published = plan["warm_up"] + plan["rounds"] * plan["events"] + plan["rate"] * (plan["settle"] + plan["measure"])
    for name, figures in found["contestants"].items():
        assert (figures["results"], figures["lost"], figures["twice"]) == (published, 0, 0), name


@pytest.mark.parametrize("client", ["kafka-python", "confluent"])
def test_the_router_is_no_multiple_of_the_plain_loop(found, client):
    """In processor time, which a busy machine moves little; with room for so short a run."""
    router, plain = (found["contestants"][f"{kind}-{client}"]["cpu_us"] for kind in ("router", "plain"))
    assert router < AT_MOST * plain
