"""The whole site as one ASGI application: gate, files, API, pages."""

from __future__ import annotations

import gc
import sys
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from monitor.web import api
from monitor.web.exports import add_exports
from monitor.web.gate import add_choices, add_gate
from monitor.web.health import add_health
from monitor.web.metrics import add_metrics
from monitor.web.site import Site


def build(site: Site) -> FastAPI:
    """Everything but the pages, which are NiceGUI's and can be there once in a process (`serve`)."""
    app = FastAPI(title="casebus", openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/static", StaticFiles(directory=Path(str(files("monitor.web").joinpath("static")))), name="static")
    add_gate(app, site.accounts, site.settings, site.name)
    add_choices(app)
    add_exports(app, site)
    add_metrics(app, site)
    add_health(app, site)
    app.mount("/api/v1", api.build(site))
    return app


def with_pages(app: FastAPI, site: Site) -> FastAPI:
    """Put the pages on it."""
    from nicegui import ui

    from monitor.web.pages import calendar, case, cases, desk, letters, looks, overview, places, process, statistics

    for page in (overview, cases, case, places, statistics, calendar, process, desk, letters, looks):
        page.add(site)
    ui.run_with(app, title=site.name, tailwind=False, dark=None, show_welcome_message=False, reconnect_timeout=30)
    return app


#: Seconds for which a thread that works beside the pages may keep Python to itself while an answer waits.
SWITCH = 0.001


class Calm:
    """A browser that has gone on before its answer came is no fault, though Starlette's middleware raises one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except RuntimeError as error:
            if str(error) != "No response returned.":
                raise


def serve(site: Site, port: int | None = None) -> None:
    """Until SIGINT or SIGTERM."""
    import uvicorn

    sys.setswitchinterval(SWITCH)
    app = with_pages(build(site), site)
    site.live.start()
    gc.freeze()  # what stands now stays: the collector need not look through it whenever it looks for closed pages
    site.hits.start()
    try:
        port = port or site.settings.port or 8080
        uvicorn.run(Calm(app), host=site.settings.host, port=port, log_config=None, log_level="warning", server_header=False)
    finally:
        site.hits.stop()
        site.live.stop()
