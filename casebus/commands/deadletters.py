"""`casebus deadletters`: what was refused, where it stands at its source, why, what to do, and what was done about it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bus.errors import BusError, ConfigurationError
from bus.topics import standard
from casebus.commands import output
from casebus.commands.open_view import opened
from casebus.deployment import Deployment
from casebus.letters import ledger
from casebus.letters.again import Again, said_by
from casebus.letters.correct import changes, corrected, edited, shown_as
from casebus.letters.desk import Desk, Item, Who, items
from casebus.letters.shown import standing as read
from casebus.wiring import Wiring
from connectors.deadletters import Letter, place_of
from monitor.times import local
from schemas.handled import PENDING, Act, State

__all__ = ["dismiss", "mend", "read", "replay", "show_all", "show_one"]

COLUMNS = ("system", "position", "reason", "field", "found")
UNASKED = "Kafka cannot be asked what was done about them ({}), so all are shown as open."
FOUND = "There is no dead letter {}. Take an id such as 3-17 from `casebus deadletters list`."
DIFFERS = 1


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


def show_all(folder: Path, wanted: Wanted, by: str | None, *, as_json: bool) -> int:
    known = [*State, "all"]
    if wanted.state not in known or by not in (None, "reason", "system", "case", "state"):
        raise ConfigurationError(f"Write --state {', '.join(known)}; --by reason, system, case or state.")
    with opened(folder) as (wiring, view):
        found = wanted.of(items(view, wiring, _acts(wiring)), wiring.deployment)
    if by is not None:
        _print_counts(Counter(_sorted_by(item, by) for item in found), by, as_json=as_json)
    elif as_json:
        output.as_json([_plain(item) for item in found])
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
    with _desk(folder) as (wiring, desk):
        item, letter = _item(desk, name), _letter(desk, name)
        row = said_by(letter, wiring.codec)
    line = _line(wiring.deployment.folder, item.row["mapping_line"])
    if as_json:
        output.as_json({**_plain(item), "row": row, "mapping": line, "acts": [_done(act, wiring) for act in item.acts]})
        return 0
    shown = {key: value for key, value in _plain(item).items() if key != "id" and value not in ("", None)}
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


def _plain(item: Item) -> dict[str, Any]:
    """For reading: the bytes as text where they are text, as hexadecimal digits where not."""
    raw = bytes(item.row["raw"])
    try:
        shown = raw.decode()
    except UnicodeDecodeError:
        shown = raw.hex(" ")
    said = {name: value for name, value in item.row.items() if name not in {"partition", "offset"}}
    return said | {"raw": shown, "reason": item.reason, "text": item.text, "state": item.state.value}


# -- acts


def mend(folder: Path, name: str, wanted: Sequence[str], who: Who, wait: float) -> int:
    """With what is `wanted` (`column=value`) or, without any, in the editor. 1 where the corrected row would be refused."""
    with _desk(folder) as (wiring, desk):
        item, letter = _item(desk, name), _letter(desk, name)
        if letter.value["stage"] == "DELIVERY":
            raise ConfigurationError(f"{name} is a delivery: mend its receiver, then replay it.")
        said = said_by(letter, wiring.codec)
        row = corrected(said, wanted, letter.value["stage"]) if wanted else edited(said, item.text)
        tried = desk.tried(letter, row)
        if tried.reason:
            sys.stderr.write(f"casebus: {name} would be refused again, so nothing was written: {_sentence(tried)}\n")
            return DIFFERS
        desk.replay([name], who, {name: row})
        return _tell(desk, [name], who, wait, as_json=False)


def _sentence(tried: Again) -> str:
    return f"{tried.reason}. {tried.text}"


def replay(folder: Path, names: Sequence[str], wanted: Wanted, who: Who, wait: float, *, as_json: bool) -> int:  # noqa: PLR0913  what the command line says, as it says it
    """1 where one of them is refused again."""
    with _desk(folder) as (wiring, desk):
        known = {item.id: item for item in desk.items()}
        for name in names:
            if name not in known:
                raise ConfigurationError(FOUND.format(name))
        chosen = names or [item.id for item in wanted.of(known.values(), wiring.deployment) if item.state is not State.REPLAYED]
        if not chosen:
            sys.stdout.write("No dead letter is open that fits.\n")
            return 0
        desk.replay(chosen, who)
        return _tell(desk, chosen, who, wait, as_json=as_json)


def dismiss(folder: Path, names: Sequence[str], who: Who) -> int:
    if not who.why:
        raise ConfigurationError("Say why with --why: whoever looks at it next year wants to know.")
    with _desk(folder) as (_, desk):
        for name in names:
            _item(desk, name)
        desk.dismiss(names, who)
    sys.stdout.write(f"{output.several(len(names), 'dead letter')} dismissed.\n")
    return 0


def _tell(desk: Desk, names: Sequence[str], who: Who, wait: float, *, as_json: bool) -> int:
    """What became of them, and whether the router has still to be heard."""
    if wait > 0:
        desk.settle(set(names), who, wait)
    found = {item.id: item for item in desk.items()}
    done = [found[name] for name in names]
    counted = Counter(item.state for item in done)
    if as_json:
        output.as_json({"states": counted, "letters": [_plain(item) for item in done]})
    else:
        sys.stdout.write(", ".join(f"{number:,} {state.value}" for state, number in counted.items()) + ".\n")
        refused = [item for item in done if item.state is State.REFUSED_AGAIN]
        sys.stdout.write("".join(f"{item.id}: {item.reason}. {item.text}\n" for item in refused))
    if counted[State.REPLAYED]:
        sys.stderr.write(
            "casebus: Of those replayed the router has not been heard yet; `casebus deadletters list` tells later.\n"
        )
    return DIFFERS if counted[State.REFUSED_AGAIN] else 0


# -- where they stand


@contextmanager
def _desk(folder: Path) -> Iterator[tuple[Wiring, Desk]]:
    with opened(folder) as (wiring, view), wiring.client() as client:
        client.create(standard(wiring.settings.kafka.partitions))
        yield wiring, Desk(wiring, client, view)


def _item(desk: Desk, name: str) -> Item:
    """Raises ConfigurationError where there is none."""
    item = next((item for item in desk.items() if item.id == name), None)
    if place_of(name) is None or item is None:
        raise ConfigurationError(FOUND.format(name))
    return item


def _letter(desk: Desk, name: str) -> Letter:
    return desk.letters([name])[name]
