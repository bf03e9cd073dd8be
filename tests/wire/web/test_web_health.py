"""Whether the page lives and whether people should be sent to it: asked by machines, without a token."""

from __future__ import annotations

from fastapi.testclient import TestClient

from monitor.web.app import build
from monitor.web.health import STALE, lacking


def test_the_page_is_ready_when_it_has_looked_at_its_view(site):
    """It lives before that; a page that looked long ago shows an old picture."""
    web = TestClient(build(site), follow_redirects=False)
    assert web.get("/healthz").json() == {"service": "page", "alive": True}
    site.live.looked = 0.0
    answer = web.get("/readyz")
    assert answer.status_code == 503
    assert "not been looked at" in answer.json()["missing"]
    site.live.look()
    assert web.get("/readyz").json()["ready"] is True
    site.live.looked -= STALE + 5
    assert web.get("/readyz").status_code == 503


def test_an_old_picture_is_told_with_its_age():
    """A view that does not answer for a minute."""
    assert lacking(1000.0, 1000.0 + STALE) == ""
    assert "for 90 s" in lacking(1000.0, 1090.0)
