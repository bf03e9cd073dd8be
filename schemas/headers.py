"""Keep the .avsc files in one shape and their header the same in all: `python -m schemas.headers Accepted`.

Each event's file is a contract of its own, for readers in every language, so the header is written out in each. A tool
of the developers; nothing at run time needs it. A test holds every file to `render` and to one header.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

AVRO = Path(__file__).parent / "avro"
_WIDTH = 130


def render(value: Any, depth: int = 0) -> str:
    """JSON with two spaces an indent, in which whatever fits on a line stands on one."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + depth * 2 < _WIDTH or not isinstance(value, (dict, list)):
        return flat
    pad, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        parts = [f"{json.dumps(key)}: {render(inner, depth + 1)}" for key, inner in value.items()]
        return "{\n" + ",\n".join(pad + part for part in parts) + "\n" + outer + "}"
    return "[\n" + ",\n".join(pad + render(inner, depth + 1) for inner in value) + "\n" + outer + "]"


def header_of(schema: dict[str, Any]) -> dict[str, Any]:
    """The header's field of an event's schema, which must be its first."""
    field: dict[str, Any] = schema["fields"][0]
    if field["name"] != "header":
        raise ValueError(f"{schema['name']}: the first field is {field['name']}, it must be header.")
    return field


def spread(name: str, folder: Path = AVRO) -> list[str]:
    """Copy the header of one event into every other event's file; returns the events that changed."""
    header = header_of(json.loads((folder / f"{name}.avsc").read_text("utf-8")))
    changed = []
    for path in sorted(folder.glob("*.avsc")):
        before = path.read_text("utf-8")
        schema = json.loads(before)
        schema["fields"][0] = header
        after = render(schema) + "\n"
        if after != before:
            path.write_text(after, "utf-8")
            changed.append(path.stem)
    return changed


if __name__ == "__main__":
    sys.stdout.write(f"changed: {', '.join(spread(sys.argv[1])) or 'none'}\n")
