"""Small deployments for the connectors' tests: one YAML file, one source, everything else as little as possible."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

from bus.memory import Cluster
from bus.topics import standard
from casebus.wiring import Frozen
from connectors.config import Connector, read
from connectors.mapping import Rejection
from connectors.source import SourceRecord
from schemas.envelope import Event

#: 2026-01-01 00:00 UTC, in microseconds.
NOW = 1_767_225_600_000_000
#: A receipt time that stands still.
CLOCK = Frozen(NOW)

#: A table of steps as simple as tables come.
MAPPING = """
zone: Asia/Shanghai
columns:
  id: {required: true}
  case_no: {clean: key, required: true}
  at: {type: time, formats: ["%Y-%m-%d %H:%M:%S", iso], required: true}
  who: {}
key: id
case: case_no
header: {occurred_at: at, actor: who}
events:
  - {type: Accepted}
"""

CSV = """\
kind: files
source: {path: drop/rows.csv, format: csv}
"""


def deployment(folder: Path, yaml: str, name: str = "dep") -> Path:
    """Write connectors/<name>.yaml; returns its path."""
    path = folder / "connectors" / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(dedent(yaml), "utf-8")
    return path


def connector(folder: Path, source: str = CSV, mapping: str = MAPPING, name: str = "dep") -> Connector:
    return read(deployment(folder, dedent(source) + dedent(mapping), name))


def kafka(partitions: int = 2) -> Cluster:
    """The double of Kafka with every topic of a deployment."""
    made = Cluster()
    made.create(standard(partitions))
    return made


def drop(folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    """Put a file where the connector looks, an hour ago: nobody waits for it to settle."""
    path = folder / "drop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    left = path.stat().st_mtime_ns - 3_600_000_000_000
    os.utime(path, ns=(left, left))
    return path


def records(found: Connector, position: str | None = None, limit: int = 100) -> list[SourceRecord]:
    return [record for batch in found.open().fetch(position, limit) for record in batch.records]


def translated(found: Connector) -> list[list[Event] | Rejection]:
    return [found.mapping.translate(record, NOW) for record in records(found)]


def reasons(found: Connector) -> list[str]:
    """For each row, the reason of its rejection or the types of its events."""
    return [one.reason if isinstance(one, Rejection) else "+".join(event.type for event in one) for one in translated(found)]


def rows(*lines: str) -> str:
    return "\n".join(["id,case_no,at,who", *lines]) + "\n"


def good(number: int) -> str:
    return f"{number},C{number},2025-06-01 09:00:00,u{number}"


def row(**fields: Any) -> SourceRecord:
    return SourceRecord("test:1", 1, fields, b"raw")


def below(key: str, text: str) -> str:
    """A block of YAML below a key."""
    return f"{key}:\n{indent(dedent(text), '  ')}"
