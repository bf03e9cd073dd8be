"""An SFTP server, asked from ordinary threads: one loop for the process, one connection for each login, kept between looks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr, field_validator

from bus.errors import BusError, ConfigurationError, RetryError
from connectors.formats.names import readable
from schemas.yamlfile import Settings

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")
#: Seconds for the connection and the login; a server that is silent for three of ALIVE is gone.
PATIENCE, ALIVE = 15, 15


class SftpSettings(Settings):
    """A login: `url` is sftp://user@host:port/folder, `known_hosts` the file with the server's key, as ssh-keyscan writes it.

    `key` is the file of a private key; it and the password come from the environment: `password: ${NAME}`.
    """

    url: str
    known_hosts: str
    key: str | None = None
    passphrase: SecretStr | None = None
    password: SecretStr | None = None

    @field_validator("url")
    @classmethod
    def _address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "sftp" or not parts.hostname or not parts.username:
            raise ValueError("no address, write sftp://user@host:22/folder")
        if parts.password:
            raise ValueError("a password does not belong into an address, write password: ${NAME}")
        return url

    @property
    def folder(self) -> str:
        """Absolute on the server; `/~/out` is below the home of the login."""
        path = unquote(urlsplit(self.url).path).rstrip("/") or "/"
        return path.removeprefix("/~/")


class Entry(NamedTuple):
    """A file as the server lists it, by the name that it has there; `changed` in nanoseconds by the server's clock."""

    name: str
    size: int
    changed: int


class Session:
    """The files that one login sees. Each call raises RetryError where waiting helps, ConfigurationError where it does not."""

    def __init__(self, settings: SftpSettings, base: Path, where: str) -> None:
        self._settings = settings
        self._base = base
        self._where = where
        self._client: asyncssh.SFTPClient | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._one = threading.Lock()

    def files(self, begin: PurePosixPath, parts: Sequence[str]) -> list[Entry]:
        """The files below a folder that these parts mean, `**` for any depth; links are left aside."""
        return self._ask(lambda client: _below(client, self._path(str(begin)), "", parts))

    def fetch(self, name: str, target: Path) -> None:
        """A copy on this machine. Raises FileNotFoundError for a file that went meanwhile."""
        try:
            self._ask(lambda client: client.get(self._path(name), target))
        except ConfigurationError as error:
            if _is_gone(error):
                raise FileNotFoundError(name) from error
            raise

    def exists(self, name: str) -> bool:
        return self._ask(lambda client: client.exists(self._path(name)))

    def put(self, name: str, aside: str, data: bytes) -> None:
        """The file, whole from the moment it has its name."""

        async def written(client: asyncssh.SFTPClient) -> None:
            folder = self._path(name).rpartition("/")[0]
            if folder:
                await client.makedirs(folder, exist_ok=True)
            async with client.open(self._path(aside), "wb") as file:
                await file.write(data)
            await client.posix_rename(self._path(aside), self._path(name))

        self._ask(written)

    def _path(self, name: str) -> str:
        return f"{self._settings.folder.rstrip('/')}/{name}"

    def _ask(self, question: Callable[[asyncssh.SFTPClient], Awaitable[T]]) -> T:
        async def asked() -> T:
            return await question(await self._opened())

        with self._one, self._named():
            try:
                return _wait(asked())
            except BaseException:
                self._drop()
                raise

    async def _opened(self) -> asyncssh.SFTPClient:
        import asyncssh

        if self._client is None:
            parts, settings = urlsplit(self._settings.url), self._settings
            self._connection = await asyncssh.connect(
                str(parts.hostname),
                parts.port or 22,
                username=unquote(str(parts.username)),
                password=_told(settings.password),
                client_keys=[str(self._base / settings.key)] if settings.key else None,
                passphrase=_told(settings.passphrase),
                known_hosts=str(self._base / settings.known_hosts),
                agent_path=None,
                config=None,
                connect_timeout=PATIENCE,
                login_timeout=PATIENCE,
                keepalive_interval=ALIVE,
            )
            self._client = await self._connection.start_sftp_client(path_errors="surrogateescape")
        return self._client

    def _drop(self) -> None:
        connection, self._connection, self._client = self._connection, None, None
        if connection is not None:
            _loop().call_soon_threadsafe(connection.abort)

    @contextmanager
    def _named(self) -> Iterator[None]:
        """What went wrong, by who mends it."""
        import asyncssh

        said = f"{self._where}: the server {urlsplit(self._settings.url).hostname}"
        try:
            yield
        except BusError:
            raise
        except asyncssh.HostKeyNotVerifiable as error:
            text = f"{said} shows another key than known_hosts: ({error.reason}). Ask whether it changed, then renew the file."
            raise ConfigurationError(text) from error
        except asyncssh.PermissionDenied as error:
            raise ConfigurationError(f"{said} refuses the login. Correct the user, key: or password:.") from error
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError, FileNotFoundError) as error:
            raise ConfigurationError(f"{said} cannot be asked: {error}. Correct key:, passphrase: or known_hosts:.") from error
        except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPPermissionDenied) as error:
            raise ConfigurationError(f"{said} says: {error.reason}. Correct the path, or allow it there.") from error
        except (asyncssh.Error, OSError) as error:
            raise RetryError(f"{said} cannot be reached ({error}). It will be tried again.") from error


async def _below(client: asyncssh.SFTPClient, folder: str, prefix: str, parts: Sequence[str]) -> list[Entry]:
    import asyncssh

    head, rest = parts[0], parts[1:]
    found: dict[str, Entry] = {}
    if head == "**":
        found |= {one.name: one for one in await _below(client, folder, prefix, rest)}
    async for entry in client.scandir(folder):
        own, attributes = str(entry.filename), entry.attrs
        name, path = f"{prefix}{own}", f"{folder}/{own}"
        if own.startswith(".") or not (head == "**" or fnmatchcase(readable(own), head)):
            continue
        if attributes.type == asyncssh.FILEXFER_TYPE_DIRECTORY and (rest or head == "**"):
            deeper = await _below(client, path, f"{name}/", parts if head == "**" else rest)
            found |= {one.name: one for one in deeper}
        elif attributes.type == asyncssh.FILEXFER_TYPE_REGULAR and not rest and head != "**":
            found[name] = Entry(name, attributes.size or 0, (attributes.mtime or 0) * 10**9 + (attributes.mtime_ns or 0))
    return list(found.values())


def _told(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _is_gone(error: ConfigurationError) -> bool:
    import asyncssh

    return isinstance(error.__cause__, (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath))


def _wait(work: Coroutine[Any, Any, T]) -> T:
    """Its result, from the process's own loop."""
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="sftp", daemon=True).start()
    return loop


_sessions: dict[tuple[SftpSettings, Path, str], Session] = {}
_opening = threading.Lock()


def session(settings: SftpSettings, base: Path, where: str) -> Session:
    """A connector's session for this login: sources come and go with each look, connections stay."""
    with _opening:
        return _sessions.setdefault((settings, base, where), Session(settings, base, where))
