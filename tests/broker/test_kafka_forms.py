"""Foreign topics on a real Kafka, by both clients: Avro with a registry and with files, CSV lines, plain text."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import fastavro
import live_connectors
import pytest
from live_connectors import MAPPING, NAMES, keys, ran, send

from bus.broker import Broker
from bus.ports import Client
from bus.topics import Topic
from connectors import deadletters
from connectors.config import read
from schemas.codec import default
from schemas.contract import contract

pytestmark = pytest.mark.broker

LINE = """
zone: Asia/Shanghai
columns:
  line: {required: true}
  id: {value: "part(line, 0, 2)"}
  at: {value: "part(line, 3, 22)", type: time}
key: id
case: id
header: {occurred_at: at}
events: [{type: Accepted}]
"""
SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "gov.Step",
        "fields": [
            {"name": "id", "type": "int"},
            {"name": "case_no", "type": "string"},
            {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        ],
    }
)


class Registry(BaseHTTPRequestHandler):
    """Knows schema 5, as a Confluent-compatible registry tells of it."""

    def log_message(self, *_: Any) -> None:
        """Say nothing on the terminal."""

    def do_GET(self) -> None:
        known = self.path == "/schemas/ids/5"
        body = json.dumps({"schema": SCHEMA} if known else {"error_code": 40403, "message": "Schema not found"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def registry() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(params=["kafka-python", "confluent"])
def client(request: pytest.FixtureRequest, broker: Broker) -> Iterator[Client]:
    with live_connectors.client(broker.bootstrap, request.param) as made:
        yield made


def feed(client: Client, *values: bytes) -> str:
    """A new topic with these values."""
    topic = f"foreign-{next(NAMES)}"
    client.create([Topic(topic, "any", partitions=1)])
    send(client, topic, *values)
    return topic


def avro(prefix: bytes, number: int) -> bytes:
    stream = io.BytesIO(prefix)
    stream.seek(len(prefix))
    row = {"id": number, "case_no": f"C{number}", "at": 1_748_740_839_000}
    fastavro.schemaless_writer(stream, fastavro.parse_schema(json.loads(SCHEMA), named_schemas={}), row)
    return stream.getvalue()


def taken(client: Client, folder: Path, source: str, mapping: str = MAPPING) -> tuple[list[str], list[str]]:
    """Keys of the events and reasons of the dead letters that one pass gives; a second pass gives nothing more."""
    path = folder / "connectors" / f"foreign{next(NAMES)}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"kind: kafka\nsource: {{{source}}}\n{mapping}", "utf-8")
    found = read(path)
    for _ in range(2):
        ran(client, found)
    letters = [one.value["reason"] for one in deadletters.read(client, default()) if one.value["system"] == found.name]
    return keys(client, found.name), sorted(letters)


def test_avro_by_registry_and_by_file(client: Client, registry: str, tmp_path: Path) -> None:
    """Confluent's framing is read by what the registry says, the specification's own by a file; what neither knows is kept."""
    (tmp_path / "step.avsc").write_text(SCHEMA, "utf-8")
    single = b"\xc3\x01" + contract(SCHEMA).fingerprint
    topic = feed(client, avro(b"\x00\x00\x00\x00\x05", 1), avro(single, 2), avro(b"\x00\x00\x00\x00\x06", 3), b"{}")
    source = f"topic: {topic}, value: avro, registry: '{registry}', schemas: [step.avsc]"
    assert taken(client, tmp_path, source) == (["1", "2"], ["broken_record", "unknown_schema"])


def test_lines_of_csv(client: Client, tmp_path: Path) -> None:
    """Several rows in one record, each read once; one with a cell too many is kept alone."""
    at = "2025-06-01 09:00:00"
    topic = feed(client, f"1,A,{at}\n2,B,{at}\n".encode("gb18030"), f"3,王,{at},x\n4,王,{at}".encode("gb18030"))
    source = f"topic: {topic}, value: csv, encoding: gb18030, names: [id, case_no, at]"
    assert taken(client, tmp_path, source) == (["1", "2", "4"], ["ragged_row"])


def test_plain_text(client: Client, tmp_path: Path) -> None:
    """Fields at fixed places, taken apart by expressions."""
    topic = feed(client, b"A1 2025-06-01 09:00:00 x", b"A2 2025-06-01 09:00:00", b"\xff")
    assert taken(client, tmp_path, f"topic: {topic}, value: text", LINE) == (["A1", "A2"], ["unreadable_text"])
