"""A body that a department would send (kind `http`), from a file: a first look at it, and its rows as if it had been sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bus.errors import ConfigurationError
from connectors.config import Connector, Part
from connectors.formats import objects
from connectors.integrate import look, trees
from connectors.integrate.look import Seen
from connectors.source import Context, SourceRecord
from connectors.values import Refusal

LISTEN = "127.0.0.1:8090"
_WHY = {"listen": "only programs of this machine can call; a gate before it, or certfile: and an address of your own"}


def seen(name: str, system: str, base: Path) -> Seen:
    """What a sample body holds, JSON or XML by the file's ending. Raises ConfigurationError for one that cannot be read."""
    common = {"listen": LISTEN, "token_file": tokens(system)}
    if Path(name).suffix.lower() == ".xml":
        found = look.file(name, base)
        source = {key: value for key, value in found.source.items() if key != "path"}
        return Seen("http", {**source, **common}, found.fields, {**found.guessed, **_WHY})
    value = _json(read(base / name), name)
    rows = trees.of_json([_flat(one) for one in value] if isinstance(value, list) else [value])
    record = {"record": ".".join(rows.record)} if rows.record else {}
    held = [one for one in _held(value, rows.record) if isinstance(one, dict)]
    fields = {field: [trees.value(row, field) for row in held] for field in rows.fields}
    return Seen("http", {"format": "json", **record, **common}, fields, {**_WHY, "record": "the list that holds most objects"})


def tokens(system: str) -> str:
    """The file with the tokens of its callers, below the deployment's folder."""
    return f"keys/{system}.tokens"


def read(path: Path) -> bytes:
    """Raises ConfigurationError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(
            f"The file {path} cannot be read: {error.strerror}. Put it there, or correct its name."
        ) from error


def _json(body: bytes, name: str) -> Any:
    try:
        return objects.decoded(body)
    except ValueError as error:
        raise ConfigurationError(f"{name} is no JSON ({error}). Ask for a body that is whole; XML ends in .xml.") from error


def _flat(row: Any) -> Any:
    """Of a list of rows each is one, whatever lists it holds."""
    return {name: held for name, held in row.items() if not isinstance(held, list)} if isinstance(row, dict) else row


def _held(value: Any, way: tuple[str, ...]) -> list[Any]:
    """The rows of the body, each with what is around it as `..`."""
    if isinstance(value, list):
        return value
    return [one.row for one in objects.rows_of(value, way, objects.Origin("body", 1, b""))]


def rows(part: Part, connector: Connector, body: bytes) -> list[SourceRecord]:
    """The rows of a body, as a call would give them. Raises ConfigurationError where it would be sent back."""
    if part.kind.body is None:
        raise ConfigurationError(f"{connector.name} is not called by anybody: it is read where it lies, without --body.")
    context = Context(connector.base, part.fields, connector.path.name, None, part.settings.columns, part.settings.zone)
    try:
        return list(part.kind.body(part.source_settings, context, body))
    except Refusal as refusal:
        raise ConfigurationError(f"This body would be sent back: {refusal.found}. {refusal.instead}.") from refusal
