"""`casebus deadletters`: what was refused, where it stands at its source, why, what to do, and what was done about it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bus.errors import BusError, ConfigurationError
from casebus.commands import output
from casebus.commands.open_view import opened
from casebus.letters import ledger
from casebus.letters.again import said_by
from casebus.letters.correct import changes, shown_as
from casebus.letters.desk import Item, items, opened_desk
from casebus.letters.shown import standing as read
from casebus.letters.wanted import Wanted, plain
from casebus.wiring import Wiring
from monitor.times import local
from schemas.handled import Act, State

__all__ = ["read", "show_all", "show_one"]

COLUMNS = ("system", "position", "reason", "field", "found")
UNASKED = "Kafka cannot be asked what was done about them ({}), so all are shown as open."


def show_all(folder: Path, wanted: Wanted, by: str | None, *, as_json: bool) -> int:
    known = [*State, "all"]
    if wanted.state not in known or by not in (None, "reason", "system", "case", "state"):
        raise ConfigurationError(f"Write --state {', '.join(known)}; --by reason, system, case or state.")
    with opened(folder) as (wiring, view):
        found = wanted.of(items(view, wiring, _acts(wiring)), wiring.deployment)
    if by is not None:
        _print_counts(Counter(_sorted_by(item, by) for item in found), by, as_json=as_json)
    elif as_json:
        output.as_json([plain(item) for item in found])
    else:
        rows = [(item.id, *(_cell(item, name) for name in COLUMNS), _state(item)) for item in found]
        output.console().print(output.table(output.several(len(found), "dead letter"), ("id", *COLUMNS, ""), rows))
    return 0


def _acts(wiring: Wiring) -> ledger.Ledger:
    """What was done; nothing can be known of it while Kafka is away, and people look at letters then too."""
    try:
        with wiring.client() as client:
            return ledger.read(client)
    except BusError as error:
        sys.stderr.write(f"casebus: {UNASKED.format(str(error).rstrip('.'))}\n")
        return {}


def _cell(item: Item, name: str) -> Any:
    return item.reason if name == "reason" else str(item.row[name]).removeprefix("found ")  # the column says so


def _state(item: Item) -> str:
    return "" if item.state is State.OPEN else item.state.value


def _sorted_by(item: Item, by: str) -> str:
    if by == "state":
        return item.state.value
    return str(item.reason if by == "reason" else item.row["case_key" if by == "case" else by]) or "(none)"


def _print_counts(counted: Mapping[str, int], by: str, *, as_json: bool) -> None:
    if as_json:
        output.as_json(counted)
    else:
        output.console().print(output.counts(output.several(sum(counted.values()), "dead letter"), counted, by))


# -- one of them


def show_one(folder: Path, name: str, *, as_json: bool) -> int:
    with opened_desk(folder) as (wiring, desk):
        item, letter = desk.item(name), desk.letter(name)
        item = item._replace(row=item.row | {"raw": letter.value["raw"]})  # opened, where it was sealed
        row = said_by(letter, wiring.codec)
    line = _line(wiring.deployment.folder, item.row["mapping_line"])
    if as_json:
        output.as_json({**plain(item), "row": row, "mapping": line, "acts": [_done(act, wiring) for act in item.acts]})
        return 0
    shown = {key: value for key, value in plain(item).items() if key != "id" and value not in ("", None)}
    shown["found"] = _cell(item, "found")
    shown["received_at"] = local(item.row["received_at"], wiring.deployment.zone).isoformat(" ", "seconds")
    console = output.console()
    console.print(output.table(f"Dead letter {name}", ("", ""), shown.items()))
    if row is not None:
        console.print(output.table("What can be corrected", ("column", "value"), shown_as(row)))
    if line:
        console.print(output.table("The mapping", ("", ""), [(item.row["mapping_line"], line)]))
    if item.acts:
        console.print(output.table("What was done", ("when", "state", "by", "why", "answer"), _history(item, row, wiring)))
    return 0


def _line(folder: Path, where: str) -> str:
    """The line of the mapping, as it stands today; empty where it cannot be looked up."""
    name, _, number = where.rpartition(":")
    path = folder / name
    if not (number.isdecimal() and path.is_file()):
        return ""
    lines = path.read_text("utf-8").splitlines()
    return lines[int(number) - 1].strip() if int(number) <= len(lines) else ""


def _done(act: Act, wiring: Wiring) -> dict[str, Any]:
    when = local(act.at, wiring.deployment.zone).isoformat(" ", "seconds")
    events = [told.id for told in act.events]
    return {
        "at": when,
        "state": act.state.value,
        "by": act.by,
        "why": act.why,
        "text": act.text,
        "row": act.row,
        "events": events,
    }


def _history(item: Item, row: Mapping[str, Any] | None, wiring: Wiring) -> Iterator[tuple[Any, ...]]:
    """When, what, who, why, and the answer or what was corrected."""
    for act in item.acts:
        done = _done(act, wiring)
        answer = "\n".join(changes(row, act.row)) if act.row else act.text
        yield done["at"], done["state"], done["by"], done["why"], answer
