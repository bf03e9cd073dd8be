"""The list as a file: CSV as it streams, XLSX for desks. Who took it, and what, is written down."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse

from monitor.chunks import chunks
from monitor.clockmode import wall
from monitor.export import safe, sayable
from monitor.times import iso
from monitor.web.access import Right
from monitor.web.accounts import Look
from monitor.web.asked import when
from monitor.web.gate import language_of, user_of
from monitor.web.glance import Glance
from monitor.web.listing import all_of
from monitor.web.models.listing import Filter, asked
from monitor.web.render import View
from monitor.web.site import Site
from monitor.web.words import words

#: Cases in one worksheet: of a size that desks still open. A CSV file streams, and holds all.
XLSX_MOST = 100_000
COLUMNS = ("number", "light", "item", "item_name", "region", "department", "holder", "phase", "outcome")
TIMES = ("applied_at", "ended_at")
NUMBERS = ("elapsed", "limit", "left")
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def add_exports(app: FastAPI, site: Site) -> None:
    @app.get("/export/cases.csv", include_in_schema=False)
    def as_csv(request: Request) -> Response:
        view, wanted = _asked(site, request)
        if not view.user.may(Right.CASES):
            return Response(status_code=403)
        rows = table(_cases(site, view, wanted), view)
        return StreamingResponse(csv_text(rows), media_type="text/csv; charset=utf-8", headers=_named("cases.csv"))

    @app.get("/export/cases.xlsx", include_in_schema=False)
    def as_xlsx(request: Request) -> Response:
        view, wanted = _asked(site, request)
        if not view.user.may(Right.CASES):
            return Response(status_code=403)
        cases = list(_cases(site, view, wanted, XLSX_MOST + 1))
        if len(cases) > XLSX_MOST:
            return Response(view.words("list.too_many", most=f"{XLSX_MOST:,}"), 413, media_type="text/plain; charset=utf-8")
        return Response(xlsx(table(cases, view)), media_type=_SHEET, headers=_named("cases.xlsx"))

    @app.post("/filters", include_in_schema=False)
    def save(request: Request, title: str = Form(max_length=40), query: str = Form("", max_length=500)) -> Response:
        site.accounts.save_filter(user_of(request).name, title.strip(), query)
        return RedirectResponse(f"/cases?{query}", 303)

    @app.post("/filters/drop", include_in_schema=False)
    def drop(request: Request, title: str = Form()) -> Response:
        site.accounts.drop_filter(user_of(request).name, title)
        return RedirectResponse("/cases", 303)


def table(cases: Iterable[Glance], view: View) -> Iterator[list[str | int | None]]:
    """A heading, then a row a case; texts no spreadsheet takes for a formula."""
    yield [*COLUMNS, *TIMES, "due", *NUMBERS]
    for one in cases:
        texts = [_text(one, name, view) for name in COLUMNS]
        times = [iso(getattr(one, name), view.zone) or "" for name in TIMES]
        yield [*(safe(sayable(text)) for text in texts), *times, one.due, *(getattr(one, name) for name in NUMBERS)]


def csv_text(rows: Iterable[list[str | int | None]]) -> Iterator[str]:
    """With a byte order mark: without it Excel reads Chinese as something else."""
    yield "\ufeff"
    for some in chunks(rows, 500):
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerows(some)
        yield out.getvalue()


def xlsx(rows: Iterable[list[str | int | None]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("cases")
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _text(one: Glance, name: str, view: View) -> str:
    return view.item(one.item) if name == "item_name" else str(getattr(one, name))


def _asked(site: Site, request: Request) -> tuple[View, Filter]:
    user = user_of(request)
    parts = dict(request.query_params)
    view = View(user, words(language_of(request, site.settings)), site.names, site.zone, when(parts, site.zone))
    wanted = asked(parts, site.items_named, site.scope(user))
    site.accounts.looked(Look(wall(), user.name, request.url.path, urlencode(wanted.parts)))
    return view, wanted


def _cases(site: Site, view: View, wanted: Filter, most: int | None = None) -> Iterator[Glance]:
    return all_of(site, site.picture(view.when), wanted, most)


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
