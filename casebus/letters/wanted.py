"""Which letters somebody asks for, and how one is told to programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from casebus.deployment import Deployment
from casebus.letters.desk import Item
from schemas.handled import PENDING


class Wanted(NamedTuple):
    """Which letters. `state` is one of State, `open` for all that need somebody, or `all`; `since` a moment, see Deployment."""

    reason: str | None = None
    system: str | None = None
    case: str | None = None
    since: str | None = None
    state: str = "open"

    def of(self, found: Iterable[Item], deployment: Deployment) -> list[Item]:
        begin = deployment.moment(self.since) if self.since else 0
        return [item for item in found if self._fits(item) and item.row["received_at"] >= begin]

    def _fits(self, item: Item) -> bool:
        row = item.row
        asked = ((self.reason, item.reason), (self.system, row["system"]), (self.case, row["case_key"]))
        if any(wanted not in (None, found, found.partition(":")[2]) for wanted, found in asked):
            return False
        return self.state == "all" or (item.state in PENDING if self.state == "open" else item.state == self.state)


def plain(item: Item) -> dict[str, Any]:
    """For reading: the bytes as text where they are text, as hexadecimal digits where not."""
    raw = bytes(item.row["raw"])
    try:
        shown = raw.decode()
    except UnicodeDecodeError:
        shown = raw.hex(" ")
    said = {name: value for name, value in item.row.items() if name not in {"partition", "offset"}}
    return said | {"raw": shown, "reason": item.reason, "text": item.text, "state": item.state.value}
