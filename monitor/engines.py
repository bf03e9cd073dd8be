"""The view's database by its address; an address that cannot be used is told without what is in it."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from bus.errors import ConfigurationError

_WRITE = "Write one such as postgresql+psycopg://user@host/name; signs of a password that have a meaning there as %3A %2F %40"


def engine(url: str) -> Engine:
    """Raises ConfigurationError where this is no address, or its driver is not installed."""
    try:
        return create_engine(url)
    except (ArgumentError, ValueError):  # a port that is no number: mostly the rest of a password
        raise ConfigurationError(f"The view's address (view: in casebus.yaml) is no address of a database. {_WRITE}.") from None
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(f"The driver of the view's database is not installed ({error}). {_WRITE}.") from None
