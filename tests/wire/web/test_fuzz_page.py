"""Whoever asks the page anything: no address fails, whatever stands in it, in the body or in the headers."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient
from hostile import TREES, dear
from hypothesis import given
from hypothesis import strategies as st

from monitor.web.app import build

PATHS = [
    "/api/v1/lights", "/api/v1/trend", "/api/v1/figures", "/api/v1/items/I-1/process", "/api/v1/cases", "/api/v1/cases/city:0001",
    "/api/v1/alerts", "/api/v1/hits", "/api/v1/letters", "/api/v1/connectors", "/export/cases.csv", "/metrics", "/static/x",
    "/login", "/logout", "/api/v1/connectors/hall/pause", "/api/v1/openapi.json", "/",
]  # fmt: skip
NAMES = [
    *("at", "known", "language", "q", "state", "light", "region", "department", "item", "sort", "down", "page", "first", "last"),
    *("period", "against", "share", "by", "name", "password", "to", "action", "system"),
]
LIKELY = st.sampled_from(
    ["", "1", "-1", "0", "2026-02-30", "0001-01-01", "9999-12-31T23:59:59+14:00", "2026-06-30T18:00", "then", "%", "_", "'", "\\"]
)
VALUES = st.one_of(LIKELY, st.text(max_size=20), st.integers().map(str), st.floats().map(str))
KINDS = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data", "x", ""]
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]


@pytest.fixture
def web(site):
    """One application for all examples; what it raises comes through."""
    return TestClient(build(site), follow_redirects=False)


@pytest.fixture
def rights(site):
    return {"Authorization": f"Bearer {site.accounts.new_token('chief', 0)}"}


@dear
@given(data=st.data())
def test_the_page_answers_anything(web, rights, data):
    """Every address of the API and the gate, by somebody with every right and by nobody."""
    others = st.text(max_size=12).map(lambda text: f"/api/v1/cases/{quote(text)}")
    path = data.draw(st.one_of(st.sampled_from(PATHS), others))
    asked = data.draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4))
    body = data.draw(st.one_of(st.none(), TREES.map(lambda one: json.dumps(one).encode()), st.binary(max_size=60)))
    headers = (rights if data.draw(st.booleans()) else {}) | {"Content-Type": data.draw(st.sampled_from(KINDS))}
    method = data.draw(st.sampled_from(METHODS))
    query = "&".join(f"{name}={quote(value)}" for name, value in asked.items())
    answer = web.request(method, f"{path}?{query}", content=body, headers=headers)
    assert answer.status_code < 500, (method, path, query, body, answer.text[-2000:])
