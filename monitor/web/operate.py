"""The API for those who run the bus: how the connectors stand, and orders to them. What follows them is not ours to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from bus.errors import ConfigurationError, RetryError
from monitor.clockmode import wall
from monitor.web.access import Right
from monitor.web.accounts import Look
from monitor.web.frame import Visit
from monitor.web.operators import Operators
from monitor.web.site import Site

T = TypeVar("T")


class RewindIn(BaseModel):
    """Where to go back to: a position of this connector, or with `beginning` to the first row."""

    to: str | None = Field(None, description="A position, as GET /connectors shows it.")
    beginning: bool = False
    dry_run: bool = Field(False, description="Only say what would be read again.")


class RewindOut(BaseModel):
    now: str | None = Field(description="Where it stands.")
    then: str | None = Field(description="Where it goes on from; null: the beginning.")
    rows: int | None = Field(description="Rows between the two; null: the source cannot say; negative: they are passed over.")
    order: str | None = Field(description="The order's id; null for a dry run.")


class ConnectorOut(BaseModel):
    """One connector. Times are microseconds UTC, 0 where there is none; sums count since the beginning."""

    name: str
    state: Literal["RUNNING", "PAUSED", "RESTARTING", "FAILED", "UNATTENDED"]
    kind: str
    about: str
    file: str
    worker: str
    since: int
    passed: int = Field(description="When it was looked at last.")
    position: str | None
    rows: int
    events: int
    letters: int
    error: str
    due: int = Field(description="When it is tried again.")
    file_error: str = Field(description="What is wrong with its file, while the former contents run on.")


def add_connectors(app: FastAPI, site: Site, who: Any) -> None:
    """`who` is the dependency that says who asks."""

    @app.get("/connectors", summary="How each connector stands", response_model=list[ConnectorOut])
    def connectors(seen: Visit = who) -> Sequence[Mapping[str, Any]]:
        return _told(_desk(site, seen).standings)

    @app.post("/connectors/{name}/rewind", status_code=202, summary="Go back once, or say what that would read again")
    def rewind(name: str, said: RewindIn, seen: Visit = who) -> RewindOut:
        desk, by = _desk(site, seen), seen.view.user.name
        if (said.to is None) == (not said.beginning):
            raise HTTPException(422, "Say where to go back to: `to` or `beginning`.")
        found = _told(lambda: desk.rewind(name, said.to, by, dry=said.dry_run))
        if not said.dry_run:
            _note(site, by, "rewind", name)
        return RewindOut(**found)

    @app.post("/connectors/{name}/{word}", status_code=202, summary="Pause, resume or restart a connector")
    def order(name: str, word: Literal["pause", "resume", "restart"], seen: Visit = who) -> None:
        desk, by = _desk(site, seen), seen.view.user.name
        _told(lambda: desk.order(name, word, by))
        _note(site, by, word, name)


def _desk(site: Site, seen: Visit) -> Operators:
    """Raises 403 for whoever does not run the whole bus."""
    user = seen.view.user
    if not user.may(Right.OPERATE):
        raise HTTPException(403, f"The role {user.role} does not include this.")
    if seen.scope is not None:
        raise HTTPException(403, "Connectors belong to no region: only who sees all of them may order them about.")
    if site.operators is None:
        raise HTTPException(503, "This page stands without a bus.")
    return site.operators


def _told(act: Callable[[], T]) -> T:
    try:
        return act()
    except LookupError as error:
        raise HTTPException(404, str(error.args[0])) from error
    except ConfigurationError as error:
        raise HTTPException(422, str(error)) from error
    except RetryError as error:
        raise HTTPException(503, str(error)) from error


def _note(site: Site, by: str, word: str, name: str) -> None:
    """Who ordered what stands with who looked at what."""
    site.accounts.looked(Look(wall(), by, f"connector:{word}", name))
