"""Kind `files`: a department drops files (CSV, XLSX, XML, JSON lines), here or on an SFTP server; deliveries are files too.

A file is known by its content. A second run adds nothing, an appended file continues, a file whose beginning has changed is
read again (its rows keep their ids, so only changes count, and rows that were refused before give no second dead letter).
`connectors.formats.memory` says what a position holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from bus.errors import BusError, ConfigurationError, RetryError
from connectors.formats import memory as memories
from connectors.formats.archives import Limits, gunzipped, members, unpacked
from connectors.formats.common import FileSettings, Mark, Reader
from connectors.formats.delimited import Delimited, DelimitedSettings
from connectors.formats.folder import Folder, Found, Place
from connectors.formats.jsondocument import JsonDocument, JsonDocumentSettings
from connectors.formats.jsonlines import JsonLines, JsonLinesSettings
from connectors.formats.markup import Markup, MarkupSettings
from connectors.formats.memory import Memory
from connectors.formats.outgoing import Outgoing, TargetSettings
from connectors.formats.remote import Remote, RemoteOutgoing
from connectors.formats.workbook import Workbook, WorkbookSettings
from connectors.source import Batch, Context, Kind, Source, SourceRecord, Target
from schemas.problem import Problem, ProblemsError
from schemas.yamlfile import Map, validated


class Form(NamedTuple):
    settings: type[FileSettings]
    reader: Callable[[Path, Any, Context, Mark | None, str], Reader]


FORMS: dict[str, Form] = {
    "csv": Form(DelimitedSettings, Delimited),
    "xlsx": Form(WorkbookSettings, Workbook),
    "xml": Form(MarkupSettings, Markup),
    "jsonl": Form(JsonLinesSettings, JsonLines),
    "json": Form(JsonDocumentSettings, JsonDocument),
}
#: Contents of files that gave no row (a copy, one that was only touched), by connector and state: a batch would remember
#: them in the position, but there is none. This process looks only once.
_looked: dict[tuple[str, bytes], bytes] = {}


def settings(node: Map) -> FileSettings:
    """The settings of the form that `format:` names. Raises ProblemsError."""
    form = FORMS.get(str(node.get("format")))
    if form is None:
        found = f"there is no file format `{node.get('format')}`"
        raise ProblemsError(Problem(node.where("format"), found, f"Write format: and one of {', '.join(FORMS)}."))
    return validated(form.settings, node)


class Piece(NamedTuple):
    """What is read as one file: a file, or a member of an archive, on this machine for a while."""

    name: str
    state: bytes
    path: Path
    #: Whether it is still what it was when it was listed.
    same: Callable[[], bool] = lambda: True


class Files:
    """The files of one connector."""

    def __init__(self, settings: FileSettings, context: Context) -> None:
        self._settings = settings
        self._context = context
        self._form = FORMS[settings.format]
        self._place = _placed(settings, context)
        self._limits = Limits(context.where, settings.unpacked)
        self._memory = Memory(None)
        self._begun: dict[str, Mark] = {}

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """Each file in its order, from its mark on; many small ones share a batch.

        What is wrong with one file keeps no other back: its error comes after what the others have.
        """
        self._memory = Memory(position)
        self._begun = dict(self._memory.marks)
        gathered = _Gathered(self._memory, limit)
        faults: list[BusError] = []
        for piece in self._pieces(faults):
            with _told(faults, piece.name):
                yield from self._batches(piece, gathered)
        yield from gathered.rest()
        if faults:
            raise faults[0]

    def refused_before(self, record: SourceRecord) -> bool:
        """`Remembering`: by the row's bytes, wherever they stand."""
        return self._memory.refused_before(record.raw)

    def remember(self, refused: Sequence[SourceRecord]) -> str:
        """`Remembering`: the position of the batch given last."""
        self._memory.refuse(record.raw for record in refused)
        return self._memory.text()

    def names(self) -> Sequence[str] | None:
        """The columns of the first file; None where there is none, or where its form does not say them."""
        faults: list[BusError] = []
        for piece in self._pieces(faults):
            with closing(self._reader(piece, None)) as reader:
                return reader.names
        if faults:
            raise faults[0]
        return None

    def close(self) -> None:
        """Nothing is held between passes."""

    def _pieces(self, faults: list[BusError]) -> Iterator[Piece]:
        """What has not been read yet, as it lies there now."""
        listing = self._place.listing()
        faults += listing.faults
        self._check_number(len(listing.files))
        there = {one.state: one for one in listing.files}
        self._memory.trim(there)
        for state, one in there.items():
            if not self._memory.knows(state):
                with _told(faults, one.name):
                    yield from self._opened(one)

    def _check_number(self, number: int) -> None:
        if number > memories.READ:
            raise ConfigurationError(
                f"{self._context.where}: {number:,} files lie there, more than the {memories.READ:,} that a connector remembers. "
                "Move away what has been read, or let path: mean fewer."
            )

    def _opened(self, one: Found) -> Iterator[Piece]:
        with self._place.local(one) as path:
            if self._settings.member is not None or one.name.lower().endswith(".zip"):
                yield from self._members(one, path)
            elif one.name.lower().endswith(".gz"):
                with gunzipped(path, self._limits, one.name) as inner:
                    yield Piece(one.name, one.state, inner)
            else:
                yield Piece(one.name, one.state, path, lambda: self._place.same(one))

    def _members(self, one: Found, path: Path) -> Iterator[Piece]:
        """Each member like a file of its own, by the archive's name and its own."""
        meant = [
            (member, f"{one.name}!{member.name}")
            for member in members(path, self._settings.member or "*", self._limits, one.name)
        ]
        states = [memories.state(name, member.info.file_size, member.info.CRC) for member, name in meant]
        for (member, name), state in zip(meant, states, strict=True):
            if not self._memory.knows(state):
                with unpacked(path, member, self._limits, one.name) as inner:
                    yield Piece(name, state, inner)
        if all(map(self._memory.knows, states)):
            self._memory.note(one.state, one.state)

    def _batches(self, piece: Piece, gathered: _Gathered) -> Iterator[Batch]:
        begun = self._start(piece)
        if begun is None:
            return
        reader, content = begun
        try:
            yield from gathered.of(piece.name, reader)
            if piece.same():
                self._memory.note(piece.state, content or _content(piece.path, reader.mark()))
        finally:
            reader.close()

    def _start(self, piece: Piece) -> tuple[Reader, bytes | None] | None:
        """A reader that stands where reading goes on, with the file's content where it had to be looked at.

        None for a content that was read already.
        """
        known = _looked.get((self._context.where, piece.state))
        if known is not None and self._memory.knows_content(known):
            self._memory.note(piece.state, known)
            return None
        reader = self._reader(piece, self._memory.marks.get(piece.name))
        if reader.resumed or not self._memory:
            return reader, None
        content, mark = memories.looked_through(piece.path, self._begun)
        if self._memory.knows_content(content):
            reader.close()
            self._memory.note(piece.state, content)
            _looked[self._context.where, piece.state] = content
            return None
        if mark is not None and reader.resumed is False:
            reader.close()
            reader = self._reader(piece, mark)
        return reader, content

    def _reader(self, piece: Piece, mark: Mark | None) -> Reader:
        return self._form.reader(piece.path, self._settings, self._context, mark, piece.name)


class _Gathered:
    """Rows on their way into batches, with the memory of where they end."""

    def __init__(self, memory: Memory, limit: int) -> None:
        self._memory = memory
        self._limit = limit
        self._rows: list[SourceRecord] = []

    def of(self, name: str, reader: Reader) -> Iterator[Batch]:
        """The rows of a file; the last of them wait for the next file's, or for the word that the file was read to its end."""
        if len(self._rows) >= self._limit:
            yield from self.rest()
        records = iter(reader)
        while True:
            more = list(islice(records, self._limit - len(self._rows)))
            mark = reader.mark()
            self._rows += more
            self._memory.stand(name, mark)
            if len(self._rows) < self._limit or (following := next(records, None)) is None:
                return
            yield from self.rest()
            self._rows.append(following)

    def rest(self) -> Iterator[Batch]:
        rows, self._rows = self._rows, []
        if rows:
            yield Batch(rows, self._memory.text())


@contextmanager
def _told(faults: list[BusError], name: str) -> Iterator[None]:
    """What is wrong with this file is told after the others; a file that went meanwhile is no fault."""
    try:
        yield
    except BusError as error:
        faults.append(error)
    except FileNotFoundError:
        pass
    except OSError as error:
        faults.append(RetryError(f"The file {name} cannot be read: {error.strerror}. It will be tried again."))


def _content(path: Path, mark: Mark) -> bytes:
    """Of a file that was read to its end: by its digest, where that is over the whole of it."""
    if mark.get("offset") == path.stat().st_size:
        return memories.content(mark)
    return memories.looked_through(path, {})[0]


def _open(settings: FileSettings, context: Context) -> Source:
    return Files(settings, context)


def _placed(settings: FileSettings, context: Context) -> Place:
    if settings.sftp is None:
        return Folder(settings, context.base, context.where)
    return Remote(settings, settings.sftp, context.base, context.where)


def _target(settings: TargetSettings, context: Context) -> Target:
    return Outgoing(settings, context) if settings.sftp is None else RemoteOutgoing(settings, settings.sftp, context)


def _table(settings: FileSettings) -> str:
    sheet = getattr(settings, "sheet", None)
    return str(sheet) if isinstance(sheet, str) else Path(settings.path).name


KIND = Kind(
    about="Files dropped in a folder or on an SFTP server: CSV, XLSX, XML, JSON",
    settings=settings,
    open=_open,
    table=_table,
    nested=lambda settings: isinstance(settings, (JsonLinesSettings, JsonDocumentSettings)),
    columns=lambda settings, context: Files(settings, context).names(),
    target_settings=TargetSettings,
    target=_target,
)
