"""Sealed names in the API, which shows what the page shows: opened for who may see names where the process has the key."""

from __future__ import annotations

import dataclasses
from typing import Any

import monitor_world as world
import pytest
from fastapi.testclient import TestClient
from web_world import RED, lives

from bus.errors import RetryError
from monitor.view import View
from monitor.web.app import build
from monitor.web.site import Site
from router.case import fold
from router.law import LawProfile
from schemas.envelope import Event
from schemas.sealing import DataKey, Known, Lock, new_secret, seal

NAME, KEY = f"hall/{RED}", DataKey(new_secret())


class Ring:
    """What is known of the case's key; None: the keys cannot be reached."""

    def __init__(self, known: Known | None) -> None:
        self._known = known

    def known(self, name: str) -> Known:
        if self._known is None:
            raise RetryError("The keys are away.")
        return self._known if name == NAME else Known()


def sealed(event: Event) -> Event:
    found = seal(event, Lock(NAME, KEY), bool)
    return Event(found.type, found.header, found.body, world.CODEC.encode(found.type, found.header, found.body))


@pytest.fixture
def view(tmp_path):
    """The burning case, as a connector that seals has published it."""
    events = next([sealed(event) for event in events] for key, events in lives() if key == RED)
    journal = [world.journal_record(entry, number) for number, entry in enumerate(world.chain(events))]
    made = View.at(tmp_path / "view.db")
    made.apply_batch([*journal, world.state_record(world.state(events, fold(events, LawProfile(), RED)), 0)], {}, world.CODEC)
    yield made
    made.close()


def shown(site: Site, known: Known | None, name: str) -> dict[str, Any]:
    """The case as the API tells it to somebody."""
    web = TestClient(build(dataclasses.replace(site, ring=Ring(known))))
    answer = web.get(f"/api/v1/cases/{RED}", headers={"Authorization": f"Bearer {site.accounts.new_token(name, 0)}"})
    return answer.json()


@pytest.mark.parametrize(
    ("known", "name", "applicant", "actor"),
    [
        (Known(KEY), "auditor", "王小明", "张三"),
        (Known(KEY), "chief", "(sealed)", "(sealed)"),
        (Known(), "auditor", "(sealed)", "(sealed)"),
        (None, "auditor", "(sealed)", "(sealed)"),
        (Known(destroyed=True), "auditor", "(destroyed)", "(destroyed)"),
        (Known(destroyed=True), "chief", "(destroyed)", "(destroyed)"),
    ],
    ids=["may see, with the key", "may not see", "without the key", "keys away", "destroyed", "destroyed, may not see"],
)
def test_who_sees_a_sealed_name(site: Site, known: Known | None, name: str, applicant: str, actor: str) -> None:
    """The role and the key, both; in the head, in the list of events, and in what an event says."""
    found = shown(site, known, name)
    first = found["events"][0]
    assert (found["applicant"], first["actor"]) == (applicant, actor)
    assert applicant in first["says"]["applicant"]
    assert ("王小明" in str(found)) is (applicant == "王小明")
