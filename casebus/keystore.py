"""Where the keys of cases lie, each wrapped by its authority's master key, and from where they can be taken for ever.

A key that follows from a master key could be made again by whoever has the master; so each is a random one and stands in one
row. Destroying it empties the row and leaves who did it, when and why: nobody makes another key for that case.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError

from bus.errors import ConfigurationError, RetryError
from casebus.sealing import Master, Sealed
from schemas.envelope import Event
from schemas.sealing import DataKey, Known, Lock, concealed, has_clear, new_secret, seal

_metadata = sa.MetaData()
_keys = sa.Table(
    "data_keys",
    _metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("master", sa.Text, nullable=False),
    sa.Column("wrapped", sa.LargeBinary),
    sa.Column("destroyed_at", sa.BigInteger, index=True),
    sa.Column("destroyed_by", sa.Text),
    sa.Column("reason", sa.Text),
)
_name, _wrapped, _at = _keys.c.name, _keys.c.wrapped, _keys.c.destroyed_at
#: Keys that a connector remembers; a case has its events within days.
_REMEMBERED = 50_000
_AT_ONCE = 500


class Act(NamedTuple):
    """A key that was destroyed: when (microseconds UTC), by whom, why."""

    name: str
    at: int
    by: str
    why: str


class Store:
    """Rows of keys. Raises ConfigurationError for an address that cannot be used, RetryError where the database fails now."""

    def __init__(self, url: str) -> None:
        try:
            self._engine = sa.create_engine(url, pool_pre_ping=True)
        except (ArgumentError, ValueError, NoSuchModuleError, ModuleNotFoundError):
            raise ConfigurationError(
                "sealing.keys is no file and no address of a database whose driver is installed. "
                "Write secrets/keys.db, or postgresql+psycopg://user@host/name."
            ) from None
        if self._engine.dialect.name == "sqlite":
            sa.event.listen(self._engine, "connect", _wiping)

    def prepare(self) -> None:
        """Make the table where there is none; a file of ours is for nobody else's eyes."""
        file = self._engine.url.database if self._engine.dialect.name == "sqlite" else None
        if file:
            with _made(file):
                _private(Path(file))
        with self._writing() as connection:
            _metadata.create_all(connection)

    def row(self, name: str) -> tuple[str, bytes | None, int | None] | None:
        """Master, wrapped key, and when it was destroyed."""
        with self._reading() as connection:
            found = connection.execute(_ROW, {"wanted": name}).one_or_none()
        return None if found is None else (found.master, found.wrapped, found.destroyed_at)

    def add(self, rows: Mapping[str, tuple[str, bytes]]) -> None:
        """All or none. Raises RetryError where one of them is there by now."""
        made = [{"name": name, "master": master, "wrapped": wrapped} for name, (master, wrapped) in rows.items()]
        try:
            with self._writing() as connection:
                connection.execute(sa.insert(_keys), made)
        except IntegrityError:
            raise RetryError("Another process made a key for the same case at the same moment.") from None

    def destroy(self, names: Iterable[str], act: Act) -> None:
        """Empty these rows, and keep the names of those that had none. What was destroyed before stays as it was told then."""
        told = {"wrapped": None, "destroyed_at": act.at, "destroyed_by": act.by, "reason": act.why}
        with self._writing() as connection:
            for name in names:
                there = sa.or_(_at.is_(None), _wrapped.is_not(None))
                done = connection.execute(sa.update(_keys).where(_name == name, there).values(told))
                known = connection.execute(sa.select(_name).where(_name == name)).one_or_none()
                if not done.rowcount and known is None:
                    connection.execute(sa.insert(_keys), {"name": name, "master": "", **told})

    def acts(self, since: int = 0) -> list[Act]:
        """What was destroyed since then, oldest first."""
        wanted = sa.select(_keys).where(_at >= since).order_by(_at, _name)
        with self._reading() as connection:
            found = connection.execute(wanted).all()
        return [Act(row.name, row.destroyed_at, row.destroyed_by, row.reason) for row in found]

    def counts(self) -> dict[str, int]:
        """How many keys each master wraps."""
        wanted = sa.select(_keys.c.master, sa.func.count()).where(_wrapped.is_not(None)).group_by(_keys.c.master)
        with self._reading() as connection:
            return {str(master): int(number) for master, number in connection.execute(wanted)}

    def rewrap(self, system: str, old: Master, new: Master) -> tuple[int, list[str]]:
        """Wrap by the new master what the old one wraps, in one transaction: how many, and names that neither opens."""
        wanted = sa.select(_name, _wrapped).where(_name.startswith(f"{system}/", autoescape=True), _wrapped.is_not(None))
        failed: list[str] = []
        changed: list[dict[str, Any]] = []
        with self._writing() as connection:
            for name, wrapped in connection.execute(wanted).all():
                secret = old.unwrap(name, wrapped)
                if secret is not None:
                    changed.append({"key": name, "was": wrapped, "master": new.name, "wrapped": new.wrap(name, secret)})
                elif new.unwrap(name, wrapped) is None:
                    failed.append(name)
            for start in range(0, len(changed), _AT_ONCE):
                connection.execute(_REWRAPPED, changed[start : start + _AT_ONCE])
        return len(changed), failed

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _told(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with _told(), self._engine.begin() as connection:
            yield connection


_ROW = sa.select(_keys.c.master, _wrapped, _at).where(_name == sa.bindparam("wanted"))
#: Only what still is as it was read: a key destroyed meanwhile stays so.
_REWRAPPED = (
    sa.update(_keys)
    .where(_name == sa.bindparam("key"), _at.is_(None), _wrapped == sa.bindparam("was"))
    .values(master=sa.bindparam("master"), wrapped=sa.bindparam("wrapped"))
)


@contextmanager
def _told() -> Iterator[None]:
    """The driver's own words may hold the address with its password: only their kind is told."""
    try:
        yield
    except IntegrityError:
        raise
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        if "readonly" in str(cause):  # SQLite's word
            raise ConfigurationError(_UNWRITTEN.format("sealing.keys", "it cannot be written to")) from None
        raise RetryError(f"The database of sealing.keys does not answer as it should ({type(cause).__name__}).") from None


_UNWRITTEN = (
    "The file of {} cannot be used: {}. Name one that this process may write (an absolute path, or below the deployment)."
)


@contextmanager
def _made(file: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(_UNWRITTEN.format(f"sealing.keys, {file},", error.strerror)) from error


def _wiping(raw: Any, _: Any) -> None:
    """What is taken out is overwritten in the file."""
    raw.execute("pragma secure_delete = on")


def _private(file: Path) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)


class Vault:
    """`connectors.sealed.Sealing` of one connector: a case's key is made when it is first needed, and kept before it is used."""

    def __init__(self, system: str, settings: Sealed, folder: Path, store: Store) -> None:
        self._system, self._settings, self._folder, self._store = system, settings, folder, store
        self._known: dict[str, DataKey | None] = {}
        self._pending: dict[str, bytes] = {}
        self._read: Master | None = None
        self._heard = 0

    def sealed(self, event: Event) -> Event:
        """Raises ProblemsError where the master key cannot be read, ConfigurationError for a case's key that another one wraps,
        RetryError where the store does not answer."""
        if not has_clear(event, self._settings.wants):
            return event
        return seal(event, self._lock(event.case), self._settings.wants)

    def concealed(self, position: str, field: str, data: bytes) -> bytes:
        """A row that was refused, or a part of it, by a key of its place: the same row looks the same. Raises as `sealed`."""
        return concealed(data, self._lock(f"row:{position}"), field)

    def keep(self) -> None:
        """Before what was sealed is published: new keys go to the store. And what others destroyed meanwhile is forgotten."""
        pending, self._pending = self._pending, {}
        try:
            if pending:
                master = self._master()
                self._store.add({name: (master.name, master.wrap(name, secret)) for name, secret in pending.items()})
            self._forget()
        except BaseException:
            self._known.clear()
            raise

    def _forget(self) -> None:
        """Several may be destroyed in one microsecond, so those of the last one heard of are asked for again."""
        if self._read is None:
            return
        for act in self._store.acts(self._heard):
            self._known[act.name] = None
            self._heard = act.at

    def _lock(self, what: str) -> Lock:
        name = f"{self._system}/{what}"
        if name not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known = {kept: self._known[kept] for kept in self._pending}
            self._known[name] = self._found(name)
        return Lock(name, self._known[name])

    def _found(self, name: str) -> DataKey | None:
        master = self._master()
        row = self._store.row(name)
        if row is None:
            self._pending[name] = secret = new_secret()
            return DataKey(secret)
        wrapper, wrapped, destroyed_at = row
        if wrapped is None or destroyed_at is not None:
            return None
        if (found := master.unwrap(name, wrapped)) is None:
            raise ConfigurationError(
                f"The key of {name} is wrapped by the master key {wrapper}, and {master.name} does not open it. "
                "Name the right file in sealing.seal, or finish the change of masters: casebus keys rewrap."
            )
        return DataKey(found)

    def _master(self) -> Master:
        """Read when the first event is sealed: other processes of the deployment need not be able to."""
        if self._read is None:
            self._read = self._settings.read(self._folder, f"sealing.seal ({self._system})")
            self._store.prepare()
        return self._read


class Blind:
    """`connectors.sealed.Sealing` for who compares and may not read: the words are left out, as if the keys were destroyed."""

    def __init__(self, system: str, settings: Sealed) -> None:
        self._system, self._settings = system, settings

    def sealed(self, event: Event) -> Event:
        return seal(event, Lock(f"{self._system}/{event.case}", None), self._settings.wants)

    def concealed(self, position: str, field: str, data: bytes) -> bytes:
        """Nothing of a row."""
        del data
        return concealed(b"", Lock(f"{self._system}/row:{position}", None), field)

    def keep(self) -> None:
        """There is nothing to keep."""


class Keyring:
    """`schemas.sealing.Ring`: what may be opened here, by the masters that this process can read. Nothing is remembered:
    what was destroyed a moment ago is not shown."""

    def __init__(self, store: Store | None, masters: Mapping[str, Master]) -> None:
        self._store, self._masters = store, masters

    def known(self, name: str) -> Known:
        """By the name's connector. Raises RetryError where the store does not answer."""
        row = self._store.row(name) if self._store is not None else None
        if row is None:
            return Known()
        _, wrapped, at = row
        if at is not None or wrapped is None:
            return Known(destroyed=True)
        master = self._masters.get(name.partition("/")[0])
        secret = master.unwrap(name, wrapped) if master else None
        return Known(DataKey(secret) if secret else None)

    def acts(self) -> dict[str, Act]:
        """What was destroyed, by the key's name."""
        return {act.name: act for act in self._store.acts()} if self._store is not None else {}
