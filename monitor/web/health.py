"""`/healthz` and `/readyz`, for whoever starts the page again and for the proxy before it. No token: they tell no figures."""

from __future__ import annotations

import time

from fastapi import FastAPI
from fastapi.responses import JSONResponse

from monitor.web.site import Site

#: Seconds after which a picture is too old to send people to. A look takes a fraction of one.
STALE = 60.0


def add_health(app: FastAPI, site: Site) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> JSONResponse:
        """It answers, so it lives: a view that does not is no reason to start the page again."""
        return JSONResponse({"service": "page", "alive": True})

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        missing = lacking(site.live.looked, time.time())
        told = {"service": "page", "alive": True, "ready": not missing, "missing": missing}
        return JSONResponse(told, 503 if missing else 200)


def lacking(looked: float, now: float) -> str:
    """Why people are better sent elsewhere; both in seconds since 1970."""
    if not looked:
        return "The view has not been looked at yet."
    return f"The view does not answer for {now - looked:.0f} s: people would see an old picture." if now - looked > STALE else ""
