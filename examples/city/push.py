"""Plays the departments that send by themselves: calls the ones' doors, writes the others' topics. Run it beside `casebus up`.

python examples/city/push.py                    # all that they have; a second time changes nothing
python examples/city/push.py --only county-500110
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
from lives import nodes

from bus.ports import Message
from bus.topics import ingress
from casebus.deployment import Deployment
from casebus.wiring import Wiring

HERE = Path(__file__).parent
DOOR = f"http://127.0.0.1:{os.environ.get('CASEBUS_IN', '8090')}"
TOKEN = os.environ.get("CASEBUS_TOKEN", "the-token-of-the-example")


def held(name: str) -> Iterator[dict[str, str]]:
    """What a department has to send."""
    with (HERE / "sent" / f"{name}.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def call(name: str, door: str = DOOR) -> str:
    """All rows in one call. The answer says what became of each."""
    answer = httpx.post(f"{door}/in/{name}", json=list(held(name)), headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)
    return f"{name}: {answer.status_code} {answer.text[:200]}"


def write(name: str, wiring: Wiring) -> str:
    """All rows into the department's own topic."""
    topic = ingress(name)
    with wiring.client() as client:
        client.create([topic])
        producer = client.producer(f"push-{name}")
        producer.begin()
        rows = [json.dumps(row, ensure_ascii=False).encode() for row in held(name)]
        producer.send(Message(topic.name, 0, None, row, 0) for row in rows)
        producer.commit()
        producer.close()
    return f"{name}: {len(rows)} rows in {topic.name}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="one department instead of all")
    parser.add_argument("--folder", type=Path, default=HERE, help="the deployment that runs")
    wanted = parser.parse_args()
    wiring = Wiring(Deployment.load(wanted.folder))
    for node in nodes():
        if node.shape in {"push", "topic"} and wanted.only in {None, node.name}:
            sys.stdout.write(f"{call(node.name) if node.shape == 'push' else write(node.name, wiring)}\n")


if __name__ == "__main__":
    main()
