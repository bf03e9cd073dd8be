"""`casebus keys list|destroy|rewrap`: what is sealed, the deletion that a log for ever allows, and a new master key."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select

from casebus.commands import output
from casebus.commands.open_view import opened
from casebus.deployment import Deployment
from casebus.keystore import Act
from casebus.sealing import Master, from_file
from casebus.wiring import Wiring
from monitor import tables
from monitor.caseview import key_of
from monitor.opened import recorded
from monitor.view import Snapshot, View
from schemas.envelope import Event
from schemas.problem import Problem, ProblemsError
from schemas.sealing import SEALED, Ring, concealed_by, has_clear, keys_of, revealed

FAILED, REFUSED = 1, 2


class Asked(NamedTuple):
    """Whose keys are to be destroyed, by whom and why; `confirm` is the number once more."""

    number: str
    by: str
    why: str
    confirm: str | None


class Reach(NamedTuple):
    """What a destruction reaches: events, and rows of dead letters (`refused`) that name the case. And what it does not:
    both in the clear, and rows that are sealed and cannot be looked into here."""

    case: str
    keys: Sequence[str]
    sealed: int
    refused: int
    clear: int
    letters: int
    unread: int


def show(folder: Path, *, as_json: bool) -> int:
    wiring = _wired(folder)
    there = wiring.settings.sealing.exists(wiring.deployment.folder)
    if there:
        wiring.key_store.prepare()
    counts, acts = (wiring.key_store.counts(), wiring.key_store.acts()) if there else ({}, [])
    if as_json:
        output.as_json({"masters": counts, "destroyed": [one._asdict() for one in acts]})
        return 0
    console = output.console()
    console.print(output.table("Keys of cases", ("master", ">keys"), sorted(counts.items())))
    rows = [(one.name, _moment(one.at, wiring), one.by, one.why) for one in acts]
    console.print(output.table("Destroyed", ("key", "when", "by", "why"), rows) if rows else "None was destroyed.")
    return 0


def destroy(folder: Path, asked: Asked, *, as_json: bool) -> int:
    """2 where it was not confirmed. Raises ProblemsError for a case that nobody knows, and without a reason."""
    if not asked.why.strip():
        raise ProblemsError(Problem("--why", "no reason is given", "Say why: it is kept with your name."))
    _wired(folder)
    with opened(folder) as (wiring, view):
        reach = _reach(wiring, view, asked.number)
        if not _confirmed(reach, asked):
            return REFUSED
        wiring.key_store.prepare()
        wiring.key_store.destroy(reach.keys, Act("", time.time_ns() // 1000, asked.by, asked.why))
    if as_json:
        output.as_json(reach._asdict())
    else:
        said = output.several(reach.sealed, "event")
        output.console().print(f"Destroyed: the keys of {reach.case}. What they sealed in {said} can be read by nobody any more.")
    return 0


def rewrap(folder: Path, system: str, old: Path, *, as_json: bool) -> int:
    """1 where a key opens by neither. The old master is good for nothing afterwards, here and in every older copy."""
    wiring = _wired(folder)
    seal = wiring.settings.sealing.seal
    if system not in seal:
        raise ProblemsError(Problem(system, "nobody seals for it", f"Name one of {', '.join(sorted(seal))}."))
    new = seal[system].read(wiring.deployment.folder, f"sealing.seal ({system})")
    wiring.key_store.prepare()
    number, failed = wiring.key_store.rewrap(system, Master(old.stem, from_file(old, "--from")), new)
    if as_json:
        output.as_json({"wrapped": number, "failed": failed})
    else:
        said = f"{output.several(number, 'key')} of {system} now wrapped by {new.name}"
        output.console().print(f"{said}. {_left(failed) if failed else 'Destroy the file of the old one now.'}")
    return FAILED if failed else 0


def _left(failed: Sequence[str]) -> str:
    shown = ", ".join(failed[:5]) + (" ..." if len(failed) > 5 else "")
    return f"{output.several(len(failed), 'key')} opened by neither, keep the old file: {shown}"


def _wired(folder: Path) -> Wiring:
    """Raises ProblemsError where nobody seals."""
    wiring = Wiring(Deployment.load(folder))
    if not wiring.settings.sealing.seal:
        place = str(wiring.deployment.path(wiring.deployment.file))
        raise ProblemsError(Problem(place, "nobody seals here", "Write sealing: (docs/security.md shows it)."))
    return wiring


def _reach(wiring: Wiring, view: View, number: str) -> Reach:
    """All names of the case, and a key for each that anybody seals it by, also where it was not made yet."""
    case = key_of(view, number)
    with view.snapshot() as snapshot:
        events = recorded(snapshot, wiring.codec, case)
        names = {case, *(event.case for event in events)}
        rows = _rows(snapshot, wiring.ring, names)
    keys = {f"{system}/{name}" for system in wiring.settings.sealing.seal for name in names} | rows.keys
    keys |= {name for event in events for name in keys_of(event)}
    sealed, clear = ([one for one in events if has(one)] for has in (keys_of, lambda one: has_clear(one, bool)))
    return Reach(case, sorted(keys), _ids(sealed), len(rows.keys), _ids(clear), rows.clear, rows.unread)


class _Rows(NamedTuple):
    """Rows that connectors refused and that name the case: keys of those that are sealed, how many are not, or do not open."""

    keys: set[str]
    clear: int
    unread: int


def naming(names: Iterable[str]) -> re.Pattern[bytes]:
    """Finds the number of one of these cases as a word: 17 stands neither in 13917001700 nor in 2026-01-17."""
    numbers = b"|".join(re.escape(number.encode()) for name in names if (number := name.partition(":")[2]))
    return re.compile(rb"(?<![0-9A-Za-z])(?<![0-9A-Za-z][.-])(?:" + numbers + rb")(?![0-9A-Za-z]|[.-][0-9A-Za-z])")


def _rows(snapshot: Snapshot, ring: Ring, names: Collection[str]) -> _Rows:
    """By the number in their bytes: a row that was refused belongs to no case."""
    named = naming(names)
    keys: set[str] = set()
    clear = unread = 0
    table = tables.dead_letters.c
    for (raw,) in snapshot.stream(select(table.raw).where(table.stage == "CONNECTOR")):
        key, data = concealed_by(raw), revealed(raw, ring)
        unread += data == SEALED
        if named.search(data):
            keys |= {key} if key else set()
            clear += key is None
    return _Rows(keys, clear, unread)


def _ids(events: Sequence[Event]) -> int:
    """An event that was sent on to another name of the case stands under both."""
    return len({event.id for event in events})


def _confirmed(reach: Reach, asked: Asked) -> bool:
    """The number once more: no other case's is typed by mistake twice."""
    sys.stderr.write(_warning(reach))
    answer = asked.confirm
    if answer is None and sys.stdin.isatty():
        sys.stderr.write("Type the number of the case once more to destroy its keys: ")
        sys.stderr.flush()
        answer = sys.stdin.readline().strip()
    if answer in {asked.number, reach.case, reach.case.partition(":")[2]}:
        return True
    sys.stderr.write("Nothing was destroyed: the number was not said once more (--confirm NUMBER where nobody can be asked).\n")
    return False


def _warning(reach: Reach) -> str:
    said = (
        f"Personal fields of {output.several(reach.sealed, 'event')} of {reach.case} become unreadable for everybody, for ever.\n"
    )
    if reach.refused:
        said += f"So do {output.several(reach.refused, 'dead letter')} with its number: these rows can be mended no more.\n"
    if reach.clear:
        said += f"{output.several(reach.clear, 'event')} of it hold personal fields in the clear: these stay readable.\n"
    if reach.letters:
        said += f"{output.several(reach.letters, 'dead letter')} with its number hold rows in the clear: these stay readable.\n"
    if reach.unread:
        said += (
            f"{output.several(reach.unread, 'dead letter')} cannot be looked into without the master key: some may be of it.\n"
        )
    return said


def _moment(at: int, wiring: Wiring) -> str:
    return datetime.fromtimestamp(at / 1e6, UTC).astimezone(wiring.deployment.zone).isoformat(" ", "seconds")
