"""The database's errors as sentences, by who repairs them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, ProgrammingError

from bus.errors import ConfigurationError, CorruptionError, RetryError

#: The command that builds a view anew.
REBUILD = "casebus monitor --rebuild"
_OTHER = f"The view has tables of another shape: {{}}. Build it anew from the journal: {REBUILD}."


@contextmanager
def faults() -> Iterator[None]:
    """The database's errors as sentences, by who repairs them."""
    try:
        yield
    except OperationalError as error:
        if _misses(error):
            raise ConfigurationError(_OTHER.format(error.orig)) from error
        raise RetryError(f"The view's database does not answer: {error.orig}. Start it, or wait; nothing is lost.") from error
    except ProgrammingError as error:
        raise ConfigurationError(_OTHER.format(error.orig)) from error
    except IntegrityError as error:
        raise CorruptionError(f"The view already holds what is to be written: {error.orig}. Run casebus audit.") from error
    except DatabaseError as error:
        remedy = f"Delete it: it is built again from the journal ({REBUILD})."
        raise ConfigurationError(f"The view's database cannot be used: {error.orig}. {remedy}") from error


def _misses(error: OperationalError) -> bool:
    """SQLite says in one class that a table lacks something and that the file is locked."""
    return any(words in str(error.orig) for words in ("no such column", "no such table", "has no column"))
