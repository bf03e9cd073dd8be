"""The API for programs: `/api/v1`, with a token of somebody whose rights it has. OpenAPI at `/api/v1/openapi.json`."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date, tzinfo
from typing import Annotated, Any, Literal, NamedTuple, Self

import msgspec
from fastapi import Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field, TypeAdapter, model_validator
from sqlalchemy import select

from monitor import tables
from monitor.clockmode import wall
from monitor.web import answers
from monitor.web.access import Right, User
from monitor.web.accounts import Look
from monitor.web.asked import When, when
from monitor.web.frame import Visit
from monitor.web.glance import LIGHTS
from monitor.web.listing import page_of
from monitor.web.models.desk import within_scope
from monitor.web.models.listing import PAGE, SORTS, asked
from monitor.web.models.overview import overview
from monitor.web.models.process import graph
from monitor.web.models.span import AGAINST, NAMED
from monitor.web.operate import add_connectors
from monitor.web.pages.case import case_model
from monitor.web.pages.desk import alerts, spotted_at
from monitor.web.pages.process import counted as process_map
from monitor.web.pages.statistics import asked_of, period_of
from monitor.web.pages.statistics import counted as service_of
from monitor.web.picture import Picture
from monitor.web.queries import key_of
from monitor.web.render import View
from monitor.web.site import Act, Site
from monitor.web.words import words

_ABOUT = """Lights, cases, alerts and dead letters of one supervision. `at` asks as of a moment (ISO 8601), `known=then` only
from what had been received by then. Make a token with `casebus user token NAME`."""
Bearer = Annotated[
    HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False, description="casebus user token NAME"))
]
_LIGHTS, _TREND = TypeAdapter(answers.Lights), TypeAdapter(list[answers.TrendDay])
_CASES, _HITS = TypeAdapter(answers.Cases), TypeAdapter(list[answers.Hit])

At = Annotated[str, Query(description="As of this moment (ISO 8601; local unless it has an offset); empty: now.")]
Known = Annotated[str, Query(description="`then`: only from what had been received by `at`.")]
Language = Annotated[str, Query(description="Language of sentences: en or zh.")]
By = Annotated[Literal["type", "activity"], Query(description="Steps by event type, or as the departments name them.")]
Page = Annotated[int, Query(ge=1, le=10_000, description=f"From 1; {PAGE} a page.")]


class Api:
    """Whom a token lets in, and what they see."""

    def __init__(self, site: Site) -> None:
        self.site = site

    def user(self, request: Request, given: HTTPAuthorizationCredentials | None) -> User:
        """Raises 401 without a token that is known."""
        found = self.site.accounts.bearer(given.credentials) if given else None
        if found is None:
            raise HTTPException(401, "Send a token: Authorization: Bearer ... (casebus user token NAME).")
        self.site.accounts.looked(Look(wall(), found.name, request.url.path, request.url.query))
        return found

    def visit(self, request: Request, user: User, asked_for: When, code: str) -> Visit:
        view = View(user, words(code), self.site.names, self.site.zone, asked_for, request.url.path)
        return Visit(self.site, request, view, self.site.scope(user))

    def seen(self) -> Any:
        """A dependency: whoever asks, as of when, in which language. One of all, since each costs a change of threads."""

        def visit(request: Request, given: Bearer, at: At = "", known: Known = "", language: Language = "en") -> Visit:
            user = self.user(request, given)
            return self.visit(request, user, asked_when(at, known, self.site.zone), language)

        return Depends(visit)


def asked_when(at: str, known: str, zone: tzinfo) -> When:
    """Raises 422 for what is no moment: a program that asks for a past day must not be told of today."""
    at = at[:11] + at[11:].replace(" ", "+")  # an offset's + that nobody encoded
    found = when({"at": at, "known": known}, zone)
    if at and found.at is None:
        raise HTTPException(422, f"at={at} is no moment. Write ISO 8601, as 2026-03-09 or 2026-03-09T18:00:00+08:00.")
    if known and not found.then:
        raise HTTPException(422, f"known={known} says nothing. Write known=then, together with at.")
    return found


class Told(NamedTuple):
    """An answer's parts: its model, what was asked for beside the address, what it changes with beside the picture."""

    kind: TypeAdapter[Any]
    asked: Hashable = None
    more: int = 0


def shared(seen: Visit, told: Told, answer: Callable[[Picture], Any]) -> Response:
    """The answer as JSON. Of the present it is made once for all who ask the same and may see the same."""
    picture = seen.picture()

    def written() -> bytes:
        return told.kind.dump_json(answer(picture))

    site, past = seen.site, seen.view.when.at is not None
    made = written() if past else site.shared.of(seen.sight(told.asked), site.state_of(picture, told.more), written).value
    return Response(made, media_type="application/json")


class CaseQuery(BaseModel):
    """What `/cases` filters by."""

    q: str = Field("", description="Beginning of a case number, or part of an item's name.")
    state: str = Field("open", description="open, ended or all")
    light: str = Field("", description=", ".join(LIGHTS))
    region: str = ""
    department: str = ""
    item: str = ""
    sort: str = Field("", description=", ".join(SORTS))
    down: str = Field("", description="1: the other way round.")
    page: int = Field(1, ge=1, le=10_000, description=f"From 1; {PAGE} a page.")


class FiguresQuery(BaseModel):
    """Which period, and of whom; without days of one's own a named period, up to today."""

    first: str = Field("", description="First day, 2026-06-01.")
    last: str = Field("", description="Last day, counted too.")
    period: str = Field("month", description=", ".join(NAMED))
    against: str = Field("before", description="before: the period just before; year: the same days a year before.")
    region: str = Field("", description="This region, and what lies in it.")
    department: str = ""
    item: str = ""

    @model_validator(mode="after")
    def _days(self) -> Self:
        """A program that mistypes a day must not be told of another period."""
        if (self.first or self.last) and not date.fromisoformat(self.first) <= date.fromisoformat(self.last):
            raise ValueError("first comes after last")
        if self.period not in NAMED or self.against not in AGAINST:
            raise ValueError(f"period is one of {', '.join(NAMED)}; against one of {', '.join(AGAINST)}")
        return self


def allowed(seen: Visit, right: Right) -> None:
    """Raises 403 where the role does not include it."""
    user = seen.view.user
    if not user.may(right):
        raise HTTPException(403, f"The role {user.role} does not include this.")


def build(site: Site) -> FastAPI:
    app = FastAPI(title="casebus", version="1", description=_ABOUT, docs_url=None, redoc_url=None)
    api = Api(site)
    add_figures(app, api)
    add_cases(app, api)
    add_desk(app, api)
    add_letters(app, api)
    add_connectors(app, site, api.seen())
    return app


def add_figures(app: FastAPI, api: Api) -> None:
    who = api.seen()

    @app.get("/lights", summary="Lights, by region and department", response_model=answers.Lights)
    def lights(seen: Visit = who) -> Response:
        regions = api.site.names.regions
        return shared(seen, Told(_LIGHTS), lambda one: answers.lights(overview(one, seen.scope, regions), one, seen.view.zone))

    @app.get("/trend", summary="What came and what was finished, day by day", response_model=list[answers.TrendDay])
    def trend(seen: Visit = who) -> Response:
        return shared(seen, Told(_TREND), lambda picture: answers.trend(picture.days(seen.view.zone, seen.scope)))

    @app.get("/figures", summary="How well people were served in a period, held against an earlier one")
    def figures(query: Annotated[FiguresQuery, Query()], seen: Visit = who) -> dict[str, Any]:
        parts = query.model_dump()
        found, slimmed = service_of(seen, period_of(seen, parts), asked_of(seen, parts))
        return found.to_json() | {"slimming": msgspec.to_builtins(slimmed)}

    @app.get("/items/{item}/process", summary="What directly follows what, in the cases of an item")
    def process(item: str, seen: Visit = who, share: float = 1.0, by: By = "type") -> answers.Process:
        found = process_map(seen, asked_of(seen, {"item": item}), by)
        return answers.process(found, graph(found, share))


def add_cases(app: FastAPI, api: Api) -> None:
    who = api.seen()

    @app.get("/cases", summary="Cases, filtered and sorted as on the page", response_model=answers.Cases)
    def cases(query: Annotated[CaseQuery, Query()], seen: Visit = who) -> Response:
        allowed(seen, Right.CASES)
        wanted = asked(query.model_dump(mode="json") | {"page": str(query.page)}, api.site.items_named, seen.scope)
        told = Told(_CASES, wanted)
        return shared(seen, told, lambda picture: answers.cases(page_of(api.site, picture, wanted), seen.view.zone))

    @app.get("/cases/{number:path}", summary="One case: its clock explained, its events, moves and findings")
    def case(number: str, seen: Visit = who) -> answers.CaseDetail:
        allowed(seen, Right.CASES)
        with api.site.view.snapshot() as snapshot:
            keys = key_of(snapshot, number, seen.scope)
        if len(keys) > 1:
            raise HTTPException(409, f"Several cases have this number: {', '.join(keys)}.")
        model = case_model(seen, keys[0]) if keys else None
        if model is None:
            raise HTTPException(404, "It does not exist, had not begun by then, or lies outside of your regions.")
        return answers.case(model, seen.view.zone)


def add_desk(app: FastAPI, api: Api) -> None:
    who = api.seen()

    @app.get("/alerts", summary="The newest alerts that were raised or withdrawn")
    def raised(seen: Visit = who) -> list[answers.Alert]:
        allowed(seen, Right.CASES)
        return [answers.alert(one, seen.view.zone) for one in alerts(seen)]

    @app.get(
        "/hits",
        summary="What the indicators find now, or would have found at a past moment",
        response_model=list[answers.Hit],
    )
    def hits(seen: Visit = who) -> Response:
        allowed(seen, Right.CASES)
        now = api.site.hits

        def found(_: Picture) -> list[answers.Hit]:
            spotted = now.spotted if seen.view.when.at is None else spotted_at(seen)
            return [answers.hit(one, seen.view.words.language) for one in within_scope(spotted, seen.scope)]

        return shared(seen, Told(_HITS, more=now.version), found)

    @app.post("/supervisions", status_code=202, summary="Take a case up, note, urge, or close")
    def act(said: answers.ActIn, seen: Visit = who) -> answers.ActOut:
        allowed(seen, Right.SUPERVISE)
        if said.act != "take" and not said.supervision:
            raise HTTPException(422, "supervision: name the one that is open. It was told when the case was taken up.")
        user = seen.view.user
        if case_model(seen._replace(view=seen.view._replace(when=When())), said.case) is None:
            raise HTTPException(404, "There is no such case in your regions. Name its key, <namespace>:<number>.")
        if api.site.publish is None:
            raise HTTPException(503, "This page stands without a bus.")
        supervision = said.supervision or answers.new_supervision()
        api.site.publish(Act(said.case, said.act, supervision, user, said.text, api.site.now(), wall()))
        api.site.accounts.looked(Look(wall(), user.name, f"act:{said.act}", said.case))
        return answers.ActOut(supervision=supervision)


def add_letters(app: FastAPI, api: Api) -> None:
    who = api.seen()

    @app.get("/dead-letters", summary="Refused records, newest first; without their bytes")
    def letters(seen: Visit = who, reason: str = "", system: str = "", page: Page = 1) -> list[answers.Letter]:
        allowed(seen, Right.LETTERS)
        if seen.scope is not None:
            raise HTTPException(403, "Refused records belong to no region: only who sees all of them may list them.")
        table = tables.dead_letters.c
        query = select(tables.dead_letters).order_by(table.received_at.desc(), table.partition, table.offset.desc())
        query = query.where(table.reason == reason) if reason else query
        query = query.where(table.system == system) if system else query
        rows = api.site.view.all(query.limit(PAGE).offset((page - 1) * PAGE))
        return [answers.letter(row, api.site.zone) for row in rows]
