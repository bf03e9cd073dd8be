"""What the forms of files share: marks to come back to, and the checks that keep one bad file from harming the rest."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Literal, Protocol

from pydantic import Field, field_validator

from bus.errors import ConfigurationError
from connectors.columns import must_have
from connectors.formats.sftp import SftpSettings
from connectors.source import Context, SourceRecord
from connectors.values import Refusal, key_text
from schemas.yamlfile import Settings

#: Where a reader stands in a file, as JSON keeps it.
Mark = dict[str, Any]


class FileSettings(Settings):
    """What every form needs: the file, or a pattern of files (`drop/*.csv`, `drop/**/*.csv`)."""

    path: str
    format: str
    #: Where the files lie on an SFTP server: `path` begins in the folder of its address.
    sftp: SftpSettings | None = None
    #: By name, or by the time of change where the names say nothing.
    order: Literal["name", "changed"] = "name"
    #: A file that is still written to: its last line counts only when it has ended.
    growing: bool = False
    longest_row: int = Field(1 << 20, ge=64, le=1 << 28)
    #: Of archives (ZIP): the members that are meant, such as `*.csv`, and how many bytes they may unpack to.
    member: str | None = None
    unpacked: int = Field(1 << 30, ge=1)
    #: A file counts only when another one, its name with this added (`.ok`), lies beside it.
    done: str | None = None
    #: Seconds that a file must have been left alone before it is read; by default 1 where `path` is a pattern.
    settle: float | None = Field(None, ge=0, le=3600)

    @field_validator("path")
    @classmethod
    def _stays(cls, path: str) -> str:
        """A pattern finds what lies below the folder that it begins in, nothing else."""
        below = re.split(r"[*?\[]", path, maxsplit=1)
        if len(below) > 1 and ".." in re.split(r"[/\\]", below[1]):
            raise ValueError("a pattern must stay in its folder, without .. behind its first sign")
        return path


class Reader(Protocol):
    """One file, open: records behind a mark, and the mark behind the last of them.

    `resumed` says that the file begins with what was read before; None where only reading can tell.
    """

    @property
    def resumed(self) -> bool | None: ...
    @property
    def names(self) -> Sequence[str] | None:
        """The columns, where the file says them before its rows."""
        ...

    def __iter__(self) -> Iterator[SourceRecord]: ...
    def mark(self) -> Mark: ...
    def close(self) -> None: ...


def digest() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=16)


def put(file: BinaryIO, running: hashlib.blake2b, left: int) -> int:
    """Put so many of the next bytes into the digest; returns how many there were."""
    done = 0
    while done < left and (chunk := file.read(min(left - done, 1 << 20))):
        running.update(chunk)
        done += len(chunk)
    return done


def too_long(limit: int) -> Refusal:
    return Refusal(
        "row_too_long", f"found a row of more than {limit:,} bytes", "Correct the file, or raise longest_row: in the mapping"
    )


def unreadable(name: str, found: str, instead: str, context: Context) -> ConfigurationError:
    """The whole file cannot be read: whoever runs the connector must act."""
    return ConfigurationError(f"{context.where}: the file {name} cannot be read: {found}. {instead}.")


def headings(cells: list[str], name: str, line: int, context: Context) -> list[str]:
    """The names of a header row, as the mapping writes them where only width and blanks differ.

    Every field that the mapping reads must stand there, once; an `optional` one need not.
    """
    fields = {key_text(field): field for field in context.fields if isinstance(field, str)}
    names = [fields.get(title, title) for title in map(key_text, cells)]
    if missing := [field for field in must_have([*fields.values()], context.columns) if field not in names]:
        if not any(names):
            found = f"line {line} is empty, where the names of the columns should stand"
            raise unreadable(name, found, "Send the file again, whole, or correct header_row:", context)
        known = ", ".join(title for title in names if title)
        found = f"line {line} has no column {', '.join(missing)}; it has {known}"
        raise unreadable(name, found, "Correct from: in the mapping, header_row:, delimiter: or encoding:", context)
    if doubled := [field for field in fields.values() if names.count(field) > 1]:
        found = f"line {line} heads {names.count(doubled[0])} columns with {doubled[0]}"
        raise unreadable(name, found, "Give all columns names of their own, in order: names: in the mapping", context)
    return names
