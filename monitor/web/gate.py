"""The gate: nobody passes without a session (people) or a token (programs), and what they looked at is written down."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.clockmode import wall
from monitor.web.access import User
from monitor.web.accounts import Accounts, Look
from monitor.web.render import environment
from monitor.web.settings import PageSettings
from monitor.web.words import LANGUAGES, words

COOKIE, LANGUAGE, THEME = "casebus_session", "casebus_language", "casebus_theme"
#: What somebody may fetch who has not signed in: the form, its looks, and what carries a key of its own.
_OPEN = ("/login", "/settings", "/static/", "/_nicegui", "/api/", "/metrics", "/favicon.ico", "/healthz", "/readyz")
_YEAR = 365 * 24 * 3600
THEMES = ("light", "dark")
_HEADERS = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin"}


class Gate:
    """Lets through who has a session, and sends everybody else to the form."""

    def __init__(self, app: ASGIApp, accounts: Accounts) -> None:
        self._app, self._accounts = app, accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":  # a socket belongs to a page that has been let through
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        user = self._accounts.session(request.cookies.get(COOKIE), wall())
        request.state.user = user
        if user is None and not request.url.path.startswith(_OPEN):
            await RedirectResponse(f"/login?to={quote(_here(request))}", 303)(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, guarded)


def add_gate(app: FastAPI, accounts: Accounts, settings: PageSettings, name: str) -> None:
    """Sessions, and the form to sign in."""

    def form(request: Request, to: str, tried: str = "", problem: str = "") -> str:
        said = words(language_of(request, settings))
        model = {"site": name, "to": local_path(to), "name": tried, "problem": problem, "theme": theme_of(request)}
        return environment().get_template("login.html").render(t=said, **model)

    app.add_middleware(Gate, accounts=accounts)

    @app.get("/login", response_class=HTMLResponse, include_in_schema=False)
    def ask(request: Request, to: str = "/") -> HTMLResponse:
        return HTMLResponse(form(request, to))

    @app.post("/login", include_in_schema=False)
    def enter(request: Request, name_: str = Form(alias="name"), password: str = Form(), to: str = Form("/")) -> Response:
        secret = accounts.sign_in(name_, password, wall())
        if secret is None:
            problem = "waits" if accounts.waits(name_, wall()) else "wrong"
            return HTMLResponse(form(request, to, name_, problem), 401)
        accounts.looked(Look(wall(), name_, "login", ""))
        answer = RedirectResponse(local_path(to), 303)
        answer.set_cookie(COOKIE, secret, httponly=True, samesite="strict", secure=settings.secure)
        return answer

    @app.post("/logout", include_in_schema=False)
    def leave(request: Request) -> Response:
        accounts.sign_out(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE)
        return answer


def add_choices(app: FastAPI) -> None:
    """Language and theme, kept by the browser."""

    @app.get("/settings", include_in_schema=False)
    def choose(language: str = "", theme: str = "", back: str = "/") -> Response:
        answer = RedirectResponse(local_path(back), 303)
        if language in LANGUAGES:
            answer.set_cookie(LANGUAGE, language, max_age=_YEAR, samesite="lax")
        if theme in THEMES:
            answer.set_cookie(THEME, theme, max_age=_YEAR, samesite="lax")
        return answer


def language_of(request: Request, settings: PageSettings) -> str:
    chosen = request.cookies.get(LANGUAGE, "")
    return chosen if chosen in LANGUAGES else settings.language


def theme_of(request: Request) -> str:
    """Empty: as the system has it."""
    chosen = request.cookies.get(THEME, "")
    return chosen if chosen in THEMES else ""


def user_of(request: Request) -> User:
    """Whom the gate let in."""
    user = request.state.user
    if not isinstance(user, User):
        raise PermissionError("Nobody is signed in.")
    return user


def local_path(path: str) -> str:
    """Only an address of our own: a link must not lead somebody who signs in to another site."""
    parts = urlsplit(path)
    own = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return path if own else "/"


def _here(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
