"""`/metrics` for Prometheus: lights, refusals, how old the picture is, how long pages take. Its rules: docs/alerts.yml."""

from __future__ import annotations

import time
from collections.abc import Iterator

from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.web.glance import LIGHTS
from monitor.web.picture import cells
from monitor.web.site import Site

#: Seconds; the aim for a page is 0.2.
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 5.0)


def add_metrics(app: FastAPI, site: Site) -> None:
    """With a token, as the API."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped in the library
    registry = CollectorRegistry()
    registry.register(Figures(site))
    seconds = Histogram("casebus_page_seconds", "Time to the whole answer.", ["path"], registry=registry, buckets=BUCKETS)
    app.add_middleware(Timed, seconds=seconds)

    @app.get("/metrics", include_in_schema=False)
    def metrics(request: Request) -> Response:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        user = site.accounts.bearer(secret) if scheme.lower() == "bearer" else None
        if user is None:
            return Response("Send a token: casebus user token NAME\n", 401, {"WWW-Authenticate": "Bearer"})
        if user.region:
            return Response("These are figures of all regions: send a token of somebody who sees them all.\n", 403)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class Figures:
    """Read from the shared picture when Prometheus asks."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def collect(self) -> Iterator[Metric]:
        picture = self._site.live.picture
        lights = GaugeMetricFamily("casebus_open_cases", "Open cases.", labels=("region", "department", "light"))
        for (region, department), lamps in sorted(cells(picture.tally()).items()):
            for light in LIGHTS:
                lights.add_metric((region, department, light), getattr(lamps, light))
        yield lights
        yield GaugeMetricFamily("casebus_provisional_cases", "Work came, the application has not.", picture.provisional)
        yield GaugeMetricFamily("casebus_refused_records", "Dead letters in all.", picture.refused)
        yield GaugeMetricFamily("casebus_picture_version", "Changes shown since the page started.", picture.version)
        yield GaugeMetricFamily(
            "casebus_picture_looked", "When the view was last looked at (Unix seconds).", self._site.live.looked
        )
        hits = GaugeMetricFamily("casebus_indicator_hits", "What the indicators find.", labels=("indicator",))
        counts: dict[str, int] = {}
        for one in self._site.hits.spotted:
            counts[one.found.indicator.name] = counts.get(one.found.indicator.name, 0) + 1
        for name, number in sorted(counts.items()):
            hits.add_metric((name,), number)
        yield hits


class Timed:
    """Times each answer, under the first part of its path: a case's number is no label."""

    def __init__(self, app: ASGIApp, seconds: Histogram) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self._app(scope, receive, noted)
        if status != 404:  # an address that is none must not become a label
            self._seconds.labels(label(scope["path"])).observe(time.perf_counter() - began)


def label(path: str) -> str:
    """`/case/9912...` is `/case`, `/api/v1/cases/9912...` is `/api/v1/cases`."""
    parts = path.split("/")
    return "/".join(parts[: 4 if parts[1] == "api" else 2]) or "/"
