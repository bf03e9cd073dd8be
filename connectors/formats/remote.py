"""Files on an SFTP server: listed there, read from a copy here; deliveries go there too."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from bus.errors import ConfigurationError, RetryError
from connectors.formats import folder, outgoing
from connectors.formats.common import FileSettings
from connectors.formats.folder import LONGEST_WAIT, Found, Listing, Pattern, finished, ordered
from connectors.formats.names import readable
from connectors.formats.sftp import Entry, SftpSettings, session
from connectors.source import Context, Receipt

#: Seconds after which a file counts as left alone by its own time too, though the server's clock may be off.
_OLD = 60


class Remote:
    """The folder of a login."""

    def __init__(self, settings: FileSettings, login: SftpSettings, base: Path, where: str) -> None:
        self._settings = settings
        self._url = login.url
        self._session = session(login, base, where)
        pattern = Pattern.of(settings.path)
        begin = PurePosixPath(pattern.root)
        self._single = not pattern.parts
        self._parts = pattern.parts or (begin.name,)
        self._begin = begin.parent if self._single else begin
        self._where = where

    def listing(self) -> Listing:
        entries = self._session.files(self._begin, self._parts)
        if self._single and not entries:
            path = self._begin / self._parts[0]
            raise ConfigurationError(f"{self._where}: the file {path} is not there. Put it there, or correct path:.")
        if self._settings.done is not None:
            marked = self._session.files(self._begin, (*self._parts[:-1], self._parts[-1] + self._settings.done))
            marks = {one.name.removesuffix(self._settings.done) for one in marked}
            entries = [one for one in entries if one.name in marks]
        entries = self._settled([one for one in entries if finished(one.name.rpartition("/")[2])])
        files = (Found(readable(one.name), one.name, one.size, one.changed) for one in entries)
        return Listing(ordered(files, self._settings), [])

    def _settled(self, entries: list[Entry]) -> list[Entry]:
        """Those that nobody writes to: old, or the same in two listings."""
        wanted = self._settings.settle
        seconds = wanted if wanted is not None else 0.0 if self._settings.growing else folder.SETTLE
        now = time.time_ns()
        young = [one for one in entries if now - one.changed < max(_OLD, seconds) * 1e9] if seconds else []
        if not young:
            return entries
        if seconds <= LONGEST_WAIT:
            time.sleep(seconds)
            still = set(self._session.files(self._begin, self._parts))
            return [one for one in entries if one not in young or one in still]
        return [one for one in entries if one not in young or now - one.changed >= seconds * 1e9]

    @contextmanager
    def local(self, one: Found) -> Iterator[Path]:
        """A copy. Raises RetryError where the file was another one when it had come."""
        with tempfile.TemporaryDirectory(prefix="casebus-") as place:
            target = Path(place) / PurePosixPath(one.path).name
            self._session.fetch(str(self._begin / one.path), target)
            if target.stat().st_size != one.size:
                raise RetryError(f"The file {one.name} changed while it was fetched. It will be fetched again.")
            yield target

    def same(self, one: Found) -> bool:  # noqa: ARG002  a copy does not change
        return True


class RemoteOutgoing:
    """The folder of a login that the receiving system watches."""

    def __init__(self, settings: outgoing.TargetSettings, login: SftpSettings, context: Context) -> None:
        self._folder = settings.folder.strip("/")
        self._session = session(login, context.base, context.where)

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        """Raises RetryError or ConfigurationError."""
        name = outgoing.file_name(delivery)
        target = f"{self._folder}/{name}"
        if self._session.exists(target):
            return Receipt(target, True)
        self._session.put(target, f"{self._folder}/{outgoing.aside_name(name)}", outgoing.content(delivery))
        return Receipt(target, False)
