"""The view's database: whether it answers, by which driver, whose tables it has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import Engine, create_engine, inspect, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from bus.errors import ConfigurationError
from bus.ports import Client, Partition
from casebus.doctor.finding import Finding
from casebus.doctor.records import reads_on
from monitor import tables
from monitor.rows import TOPICS

WHAT = "the view"
#: What brings the driver of a database.
EXTRAS = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mysql"}
PATIENCE = 5  # seconds


def reached(url: str) -> tuple[Finding, dict[Partition, int]]:
    """What is found, and how far the view has read, where it is there and can be used."""
    try:
        shown = make_url(url).set(query={}).render_as_string(hide_password=True)  # a password may be an option, too
        engine = create_engine(url, connect_args=_patience(url))
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        extra = EXTRAS.get(make_url(url).get_backend_name())
        cure = f"Install casebus[{extra}]." if extra else "Write `view:` as postgresql+psycopg://user@host/database."
        return Finding(WHAT, f"no driver for {shown} ({error})", cure), {}
    except (ArgumentError, ValueError):
        return Finding(WHAT, "no address of a database", "Write `view:` as postgresql+psycopg://user@host/database."), {}
    try:
        return _looked(engine, shown)
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        cure = "Start the database, correct `view:` in casebus.yaml, or give its user the right to its tables."
        return Finding(WHAT, f"{shown} does not answer: {cause}", cure), {}
    finally:
        engine.dispose()


def _patience(url: str) -> dict[str, int]:
    return {"connect_timeout": PATIENCE} if make_url(url).get_backend_name() in EXTRAS else {}


def _looked(engine: Engine, shown: str) -> tuple[Finding, dict[Partition, int]]:
    name = engine.url.database or ""
    if engine.dialect.name == "sqlite" and not Path(name).exists():
        return Finding(WHAT, "not there yet: the monitor makes it"), {}
    if not inspect(engine).has_table(tables.meta.name):
        return Finding(WHAT, f"{shown} has no tables yet: the monitor makes them"), {}
    with engine.connect() as connection:
        version = connection.execute(select(tables.meta.c.value).where(tables.meta.c.name == "version")).scalar()
        if version != tables.VERSION:
            return _of_another_version(str(version)), {}
        read = {Partition(row.topic, row.partition): row.next_offset for row in connection.execute(select(tables.offsets))}
    return Finding(WHAT, f"{shown}, tables of version {version}"), read


def _of_another_version(found: str) -> Finding:
    if found.isdigit() and int(found) > int(tables.VERSION):
        cure = "Run the casebus that wrote them, or a newer one; or give this one a `view:` of its own."
        return Finding(WHAT, f"tables of version {found}, newer than this program's {tables.VERSION}", cure)
    return Finding(WHAT, f"tables of version {found}: the monitor builds those of version {tables.VERSION} when it starts")


def _ends(client: Client) -> dict[Partition, int]:
    """None where there are no topics yet."""
    try:
        return client.ends(TOPICS)
    except ConfigurationError:
        return {}


def whose(client: Client, read: Mapping[Partition, int]) -> Finding:
    """Two deployments in one database, or a Kafka that was made anew below an old view."""
    beyond = reads_on(read, _ends(client)) if read else []
    if not beyond:
        return Finding("whose view", "this deployment's")
    cure = (
        "Give each deployment a database of its own; where Kafka was made anew, build the view anew: casebus monitor --rebuild."
    )
    return Finding("whose view", f"another deployment's: {'; '.join(beyond[:3])}", cure)
