"""Correcting what a letter holds: by `column=value`, or in an editor. What came stays; the correction stands beside it."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from bus.errors import ConfigurationError
from connectors import rowtext

NOTHING = "What came cannot be read as a row, so there are no columns. Say all of them: --set COLUMN=VALUE --set ..."
Row = dict[str, Any]


def corrected(said: Mapping[str, Any] | None, changes: Sequence[str], stage: str) -> Row:
    """The row with these changes. In an event a name is a field of its body or else of its header; `a.b` leads inside.

    Raises ConfigurationError for a column that is not there: a slip of the pen must not become a new column.
    """
    row = deepcopy(dict(said or {}))
    for change in changes:
        name, sign, value = change.partition("=")
        if not sign:
            raise ConfigurationError(f"--set {change} has no value. Write --set COLUMN=VALUE, empty: --set COLUMN=")
        held, last = _place(row, name, stage) if said is not None else (row, name)
        held[last] = _valued(value, held.get(last), stage)
    return row


def _place(row: Row, name: str, stage: str) -> tuple[Row, str]:
    starts = [row] if stage == "CONNECTOR" else [row["body"], row["header"]]
    for start in starts:
        if name in start:
            return start, name
        held, last = _inside(start, name)
        if held is not None and last in held:
            return held, last
    known = ", ".join(str(column) for start in starts for column in start if column != "..")
    raise ConfigurationError(f"There is no column {name}. There are: {known}.")


def _inside(start: Row, name: str) -> tuple[Row | None, str]:
    *way, last = name.split(".")
    held: Any = start
    for step in way:
        held = held.get(step) if isinstance(held, dict) else None
    return (held if isinstance(held, dict) else None), last


def _valued(text: str, before: Any, stage: str) -> Any:
    """Text, as departments send it; in an event of the type that stood there, for its schema asks for that."""
    if stage == "CONNECTOR":
        return text
    if isinstance(before, int) and not isinstance(before, bool):
        try:
            return int(text)
        except ValueError:
            raise ConfigurationError(f"Here belongs a whole number, not {text}.") from None
    return text or None


def shown_as(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Columns and values for people; what stands around a nested row is left out."""
    for name, value in row.items():
        if name != "..":
            yield str(name), value if isinstance(value, str) else rowtext.encoded({"": value})[5:-1]


def changes(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[str]:
    """What was corrected, a line for each column."""
    old, new = dict(_flat(before or {})), dict(_flat(after))
    for name, value in new.items():
        if old.get(name) != value:
            yield f"{name}: {old.get(name, '')} -> {value}"


def _flat(row: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, text in shown_as(row):
        held = row[name]
        yield from _flat(held, f"{above}{name}.") if isinstance(held, dict) else [(above + name, text)]


def edited(said: Mapping[str, Any] | None, reason: str) -> Row:
    """What whoever sits at the terminal makes of it in $EDITOR. Raises ConfigurationError where nothing was changed."""
    if said is None:
        raise ConfigurationError(NOTHING)
    before = rowtext.encoded({name: value for name, value in said.items() if name != ".."}, indent=1)
    text = _in_editor(f"# {reason}\n# Correct the row, save and leave. Lines that begin with # are left out.\n{before}\n")
    try:
        row = rowtext.decoded("\n".join(line for line in text.splitlines() if not line.startswith("#")))
    except ValueError as error:
        raise ConfigurationError(f"What was written is no JSON object ({error}). Nothing was changed; try it again.") from error
    if rowtext.encoded(row, indent=1) == before:
        raise ConfigurationError("Nothing was changed, so nothing is mended. To send it as it is: casebus deadletters replay.")
    return {**row, "..": said[".."]} if ".." in said else row


def _in_editor(text: str) -> str:
    """Raises ConfigurationError where there is no editor, or it failed."""
    command = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not command:
        raise ConfigurationError("No editor is named. Set EDITOR, or write --set COLUMN=VALUE.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "row.json"
        path.touch(mode=0o600)
        path.write_text(text, "utf-8")
        try:
            subprocess.run([*shlex.split(command), str(path)], check=True)  # noqa: S603  the user's own editor
        except (OSError, subprocess.CalledProcessError) as error:
            raise ConfigurationError(f"The editor {command} failed ({error}). Correct EDITOR, or write --set.") from error
        return path.read_text("utf-8")
