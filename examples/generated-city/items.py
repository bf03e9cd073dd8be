"""The items of a generated city as a catalogue: `python examples/generated-city/items.py /tmp/city my-catalogue`.

The deployment needs none, for each case names its limits itself. Whoever asks "what if" (`casebus simulate`) changes items,
and for that they must stand in files: put them into `catalogue/`, change a copy.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

#: Who accepts and who decides, by the generator's letter for a level.
LEVELS = {"D": ("county", "county"), "M": ("municipal", "municipal"), "N": ("municipal", "national")}


def text(item: dict[str, Any], first_day: str) -> str:
    """One item's file, in the one version that it has."""
    accepts, decides = LEVELS[item["level"]]
    form = "on_the_spot" if item["quick"] else "joint" if item["joint"] else "handed_up" if item["level"] == "N" else "promised"
    return f"""item: "{item["code"]}"
name: {item["name"]}
department: "{item["dept"]}"
versions:
  - version: "1"
    from: {first_day}
    form: {form}
    promised: {item["promise_days"]}
    statutory: {item["legal_days"]}
    accepted_at: {accepts}
    decided_at: {decides}
    assisting: {json.dumps(item["joint"])}
"""


def write(city: Path, folder: Path, first_day: str = "2020-01-01") -> int:
    """All items of the city in this folder; returns how many."""
    items = json.loads((city / "catalog.json").read_text("utf-8"))["items"]
    folder.mkdir(parents=True, exist_ok=True)
    for item in items:
        (folder / f"{item['code']}.yaml").write_text(text(item, first_day), "utf-8")
    return len(items)


if __name__ == "__main__":
    sys.stdout.write(f"{write(Path(sys.argv[1]), Path(sys.argv[2]))} items\n")
