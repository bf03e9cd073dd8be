"""The whole site as one ASGI application: gate, files, API, pages."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from monitor.web.gate import add_gate
from monitor.web.site import Site


def build(site: Site) -> FastAPI:
    """Everything but the pages, which are NiceGUI's and can be there once in a process (`serve`)."""
    app = FastAPI(title="casebus", openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/static", StaticFiles(directory=Path(str(files("monitor.web").joinpath("static")))), name="static")
    add_gate(app, site.accounts, site.settings, site.name)
    return app


def with_pages(app: FastAPI, site: Site) -> FastAPI:
    """Put the pages on it."""
    from nicegui import ui

    from monitor.web.pages import case, overview

    for page in (overview, case):
        page.add(site)
    ui.run_with(app, title=site.name, tailwind=False, dark=None, show_welcome_message=False, reconnect_timeout=30)
    return app


def serve(site: Site, port: int | None = None) -> None:
    """Until SIGINT or SIGTERM."""
    import uvicorn

    app = with_pages(build(site), site)
    site.live.start()
    try:
        uvicorn.run(
            app, host=site.settings.host, port=port or site.settings.port or 8080, log_level="warning", server_header=False
        )
    finally:
        site.live.stop()
