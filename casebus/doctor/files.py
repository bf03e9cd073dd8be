"""The deployment's own files: what `check` finds, the calendar's reach, who may read its secrets."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel

from casebus.commands.output import several
from casebus.deployment import Mode
from casebus.doctor.finding import Finding
from casebus.wiring import Wiring
from schemas.calendar import Calendar

#: Settings that name a file with a secret in it.
_SECRET = frozenset({"password_file", "keyfile", "file"})
#: A secret written out in casebus.yaml, instead of `${NAME}` or a file: a password, or one inside an address.
_WRITTEN = re.compile(r"(?m)^[^#\n]*(?:\bpassword: *[\"']?(?!\$\{|null|[\"'\s])|://[^/\s:@]+:(?!\$\{)[^/\s@]+@)")
#: Where a container is handed its secrets: by its engine, for whoever runs in it.
_HANDED = Path("/run/secrets")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check(wiring: Wiring) -> Finding:
    problems = wiring.problems()
    cure = f"Run casebus check {wiring.deployment.folder}." if problems else ""
    return Finding("files", several(len(problems), "fault"), cure)


def today(wiring: Wiring) -> date:
    """As the deployment's clock has it."""
    clock = wiring.settings.clock
    return (clock.at if clock.mode is not Mode.WALL and clock.at else datetime.now(wiring.deployment.zone)).date()


def calendar(calendar: Calendar, today: date) -> Finding:
    """Without the year's notice every limit in working days is reckoned by plain weeks, and wrong around each holiday."""
    until = calendar.known_until
    if not calendar.provisional(today):
        return Finding("calendar", "every day is settled" if until == date.max else f"settled until {until}")
    cure = (
        f"Put the notice of {today.year} into calendars/{today.year}.yaml and name it in `calendar: files:`, "
        "or update the package holidays."
    )
    return Finding("calendar", f"no notice for {today.year}: {until} is the last day that one settles", cure)


def secrets(wiring: Wiring) -> Finding:
    """Private keys and passwords are for one pair of eyes."""
    folder = wiring.deployment.folder
    files = [folder / path for path in named(wiring.settings)]
    head = wiring.deployment.path(wiring.deployment.file)
    if _WRITTEN.search(head.read_text("utf-8", "replace")):
        files.append(head)
    keys = wiring.settings.sealing.keys.get_secret_value()  # a file, or the address of a database
    files += [path for path in (wiring.deployment.data / "page.db", folder / keys) if path.is_file()]
    own = [path for path in files if path.exists() and not path.resolve().is_relative_to(_HANDED)]
    bare = [path for path in own if path.stat().st_mode & _OTHERS]
    if not bare:
        return Finding("secrets", f"{several(len(files), 'file')}, for nobody else's eyes")
    said = ", ".join(f"{path} ({stat.filemode(path.stat().st_mode)})" for path in bare)
    return Finding("secrets", f"others may read {said}", f"chmod 600 {' '.join(map(str, bare))}")


def named(settings: BaseModel) -> Iterator[Path]:
    """Files with secrets that settings name, wherever in them."""
    for name, value in settings:
        if isinstance(value, Path) and name in _SECRET:
            yield value
        for one in value.values() if isinstance(value, dict) else (value,):
            if isinstance(one, BaseModel):
                yield from named(one)
