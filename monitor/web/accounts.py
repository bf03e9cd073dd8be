"""The page's own database: local users, sessions, tokens of the API, saved filters, and the log of who looked at what.

It holds nothing of a case, and no password or token as it is (`passwords`). Times are microseconds since 1970-01-01 UTC.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Engine,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    create_engine,
    delete,
    event,
    insert,
    select,
)
from sqlalchemy import update as updating
from sqlalchemy.exc import OperationalError

from monitor.web import passwords
from monitor.web.access import Role, User
from schemas.problem import Problem, ProblemsError

HOUR = 3_600_000_000
#: Failed tries of one name within ten minutes, after which it has to wait for the end of them.
TRIES, TRIED = 8, HOUR // 6
#: So many names that were tried in vain are remembered before those whose time has passed are forgotten.
NAMES = 1000

metadata = MetaData()
users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("used_at", BigInteger, nullable=False),
)
tokens = Table(
    "tokens",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
filters = Table(
    "filters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("title", Text, primary_key=True),
    Column("query", Text, nullable=False),
)
looks = Table(
    "looks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("about", Text, nullable=False),
    Index("looks_by_name", "name", "at"),
)


class Look(NamedTuple):
    """Somebody saw something: a page, or a case, or took data out."""

    at: int
    name: str
    what: str
    about: str


class Accounts:
    """Users and what they did. `session_hours` is how long a session lasts unused."""

    def __init__(self, engine: Engine, session_hours: int = 12) -> None:
        self._engine = engine
        self._lasts = session_hours * HOUR
        self._failures: dict[str, list[int]] = {}
        _create(engine)

    @classmethod
    def at(cls, path: Path, session_hours: int = 12) -> Accounts:
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(f"sqlite:///{path}")
        event.listen(engine, "connect", _tune)
        accounts = cls(engine, session_hours)
        path.chmod(0o600)
        return accounts

    def close(self) -> None:
        self._engine.dispose()

    def add(self, user: User, password: str, now: int) -> None:
        """Add, or give somebody another role, region or password; whoever was signed in by that name is signed out.

        Programs are not: a forgotten password is no reason that figures stop. `end_tokens` is for a password that got out.
        """
        row = {"role": str(user.role), "region": user.region, "hash": passwords.hashed(password), "created_at": now}
        with self._engine.begin() as connection:
            connection.execute(delete(users).where(users.c.name == user.name))
            connection.execute(insert(users), {"name": user.name, **row})
            connection.execute(delete(sessions).where(sessions.c.name == user.name))

    def remove(self, name: str) -> None:
        """Raises ProblemsError when there is nobody of that name. What they looked at stays in the log."""
        self._known(name)
        with self._engine.begin() as connection:
            for table in (users, sessions, tokens, filters):
                connection.execute(delete(table).where(table.c.name == name))

    def users(self) -> list[User]:
        return [_user(row) for row in self._all(select(users).order_by(users.c.name))]

    def sign_in(self, name: str, password: str, now: int) -> str | None:
        """A new session's secret, or None. An unknown name takes as long as a wrong password."""
        if self.waits(name, now):
            return None
        row = self._one(select(users).where(users.c.name == name))
        right = passwords.matches(password, row.hash if row else _NOBODY)
        if row is None or not right:
            self._failed(name, now)
            return None
        self._failures.pop(name, None)
        return self._new(sessions, name, used_at=now)

    def waits(self, name: str, now: int) -> bool:
        """Whether this name was tried too often just now."""
        recent = [at for at in self._failures.get(name, ()) if at > now - TRIED]
        if recent:
            self._failures[name] = recent
        return len(recent) >= TRIES

    def _failed(self, name: str, now: int) -> None:
        """Remembered for as long as it counts: who tries names that nobody has must not fill the memory with them."""
        if len(self._failures) >= NAMES:
            self._failures = {who: tries for who, tries in self._failures.items() if tries[-1] > now - TRIED}
        self._failures.setdefault(name, []).append(now)

    def sign_out(self, secret: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.digest == passwords.digest(secret)))

    def session(self, secret: str | None, now: int) -> User | None:
        """Who this session belongs to; using it keeps it alive (written once a minute at most)."""
        if not secret:
            return None
        digest = passwords.digest(secret)
        query = (
            select(users, sessions.c.used_at).join(sessions, sessions.c.name == users.c.name).where(sessions.c.digest == digest)
        )
        row = self._one(query)
        if row is None or row.used_at < now - self._lasts:
            return None
        if row.used_at < now - HOUR // 60:
            with self._engine.begin() as connection:
                connection.execute(updating(sessions).where(sessions.c.digest == digest).values(used_at=now))
        return _user(row)

    def holder(self, secret: str | None) -> User | None:
        """Whose session this is as long as nobody ends it, without keeping it alive: for pages that stand open."""
        mine = sessions.c.digest == passwords.digest(secret or "")
        row = self._one(select(users).join(sessions, sessions.c.name == users.c.name).where(mine))
        return _user(row) if row else None

    def new_token(self, name: str, now: int) -> str:
        """A token for programs, shown once. Raises ProblemsError when there is nobody of that name."""
        self._known(name)
        return self._new(tokens, name, created_at=now)

    def end_tokens(self, name: str) -> int:
        """None of them is good any more. How many there were; raises ProblemsError when there is nobody of that name."""
        self._known(name)
        with self._engine.begin() as connection:
            return connection.execute(delete(tokens).where(tokens.c.name == name)).rowcount

    def bearer(self, secret: str) -> User | None:
        query = select(users).join(tokens, tokens.c.name == users.c.name).where(tokens.c.digest == passwords.digest(secret))
        row = self._one(query)
        return _user(row) if row else None

    def looked(self, look: Look) -> None:
        with self._engine.begin() as connection:
            connection.execute(insert(looks), look._asdict())

    def looks(self, most: int = 200, name: str = "", about: str = "") -> list[Look]:
        """The newest first."""
        query = select(looks.c.at, looks.c.name, looks.c.what, looks.c.about).order_by(looks.c.id.desc()).limit(most)
        query = query.where(looks.c.name == name) if name else query
        query = query.where(looks.c.about.startswith(about, autoescape=True)) if about else query
        return [Look(*row) for row in self._all(query)]

    def save_filter(self, name: str, title: str, query: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(filters).where(filters.c.name == name, filters.c.title == title))
            connection.execute(insert(filters), {"name": name, "title": title, "query": query})

    def drop_filter(self, name: str, title: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(filters).where(filters.c.name == name, filters.c.title == title))

    def saved_filters(self, name: str) -> dict[str, str]:
        """Title to query."""
        query = select(filters.c.title, filters.c.query).where(filters.c.name == name).order_by(filters.c.title)
        return {row.title: row.query for row in self._all(query)}

    def _new(self, table: Table, name: str, **at: int) -> str:
        secret = passwords.token()
        with self._engine.begin() as connection:
            connection.execute(insert(table), {"digest": passwords.digest(secret), "name": name, **at})
        return secret

    def _known(self, name: str) -> None:
        if self._one(select(users.c.name).where(users.c.name == name)) is None:
            known = ", ".join(user.name for user in self.users()) or "nobody yet"
            raise ProblemsError(Problem(name, "there is no such user", f"Name one of: {known}; or add them: casebus user add."))

    def _all(self, query: Any) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(query))

    def _one(self, query: Any) -> Any | None:
        found = self._all(query)
        return found[0] if found else None


#: What an unknown name is compared with.
_NOBODY = f"scrypt${passwords.N}${passwords.R}${passwords.P}${'00' * 16}${'00' * 64}"


def _user(row: Any) -> User:
    return User(row.name, Role(row.role), row.region)


def _tune(connection: Any, _: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000"):
        connection.execute(f"PRAGMA {pragma}")


def _create(engine: Engine) -> None:
    """Another page that starts now may make a table between our look for it and its making."""
    for attempt in range(len(metadata.tables), -1, -1):
        try:
            metadata.create_all(engine, checkfirst=True)
        except OperationalError:
            if not attempt:
                raise
        else:
            return
