"""What is drawn or written once for all who may see the same, and never for anybody else."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace

import monitor_world as world
import msgspec
import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from web_world import RED

from monitor.web import answers, frame
from monitor.web.access import Role, User
from monitor.web.app import build
from monitor.web.asked import When
from monitor.web.frame import Visit
from monitor.web.pages.case import content
from monitor.web.render import View
from monitor.web.shared import Shared, Took
from monitor.web.words import words

CHIEF, COUNTY = User("chief", Role.SUPERVISOR), User("county", Role.SUPERVISOR, "12")
COLLEAGUE, AUDITOR = User("colleague", Role.SUPERVISOR), User("auditor", Role.AUDITOR)


class Pages:
    """Open pages without a browser: `ticks` are their looks at the picture, `drawn` the pictures' versions that were drawn."""

    def __init__(self, site):
        self.site, self.ticks, self.timers, self.turned, self.drawn = site, [], [], [], []

    def open(self, user, path="/", *, query=b"", language="en", at=None, draw=None):
        """What this one is shown, the newest last."""
        request = Request({"type": "http", "path": path, "query_string": query, "headers": [], "method": "GET"})
        view = View(user, words(language), self.site.names, self.site.zone, When(at), path)
        seen, shown = Visit(self.site, request, view, self.site.scope(user)), []
        frame.live(seen, draw(seen) if draw else self._draw, shown.append)
        return shown

    def look(self):
        async def all_of_them():
            for look, timer in zip(self.ticks, self.timers, strict=True):
                if timer.active:
                    await look()

        asyncio.run(all_of_them())

    def _draw(self, picture):
        self.drawn.append(picture.version)
        return f"drawing {len(self.drawn)}"


@pytest.fixture(autouse=True)
def timeless(site):
    """Answers take no time, so none holds when the state has moved on."""
    object.__setattr__(site, "shared", Shared(clock=lambda: Took(1.0, 0.0)))


@pytest.fixture
def pages(site, monkeypatch):
    made = Pages(site)

    def timer(_, look):
        made.ticks.append(look)
        made.timers.append(SimpleNamespace(active=True))
        return made.timers[-1]

    monkeypatch.setattr(frame.ui, "timer", timer)
    monkeypatch.setattr(frame.ui, "on", lambda _, turned: made.turned.append(turned))
    return made


def test_watchers_of_the_same_cause_one_drawing(pages):
    """Who it is does not matter, only what they may see."""
    assert pages.open(CHIEF) == pages.open(COLLEAGUE) == ["drawing 1"]


@pytest.mark.parametrize(
    "other",
    [{"user": COUNTY}, {"user": AUDITOR}, {"language": "zh"}, {"path": "/places"}, {"query": b"region=12"}],
    ids=["scope", "role", "language", "page", "query"],
)
def test_whoever_may_see_something_else_has_a_drawing_of_their_own(pages, other):
    """Another region, role, language, page or question."""
    assert pages.open(CHIEF) != pages.open(**{"user": CHIEF} | other)
    assert len(pages.drawn) == 2


def test_a_new_picture_is_drawn_once_for_all_open_pages(pages, site):
    """And not at all while nothing has changed."""
    shown = [pages.open(user) for user in (CHIEF, COLLEAGUE, CHIEF)]
    pages.look()
    assert len(pages.drawn) == 1
    _move(site)
    pages.look()
    assert shown == [["drawing 1", "drawing 2"]] * 3


def test_a_page_moves_with_the_clock_where_nothing_happens(pages, site):
    """A minute later it is drawn again: days and hours go by without any event."""
    shown = pages.open(CHIEF)
    site.live.looked += 60
    pages.look()
    assert shown == ["drawing 1", "drawing 2"]


def test_a_past_moment_is_drawn_for_whoever_asks_and_never_again(pages):
    """What is live is not mixed up with it."""
    live, past = pages.open(CHIEF), pages.open(CHIEF, at=world.at(20 * 24))
    assert (live, past) == (["drawing 1"], ["drawing 2"])
    assert len(pages.ticks) == 1


def test_a_shared_drawing_shows_nobody_a_name_that_their_role_masks(pages):
    """The same case, opened by an auditor, then by a supervisor, then by a second one."""

    def draw(seen):
        return lambda _: content(seen, RED)

    auditor, chief, colleague = (pages.open(user, f"/case/{RED}", draw=draw)[0] for user in (AUDITOR, CHIEF, COLLEAGUE))
    assert "王小明" in auditor
    assert "王小明" not in chief
    assert colleague is chief


@pytest.fixture
def ask(site):
    web = TestClient(build(site))
    headers = {name: {"Authorization": f"Bearer {site.accounts.new_token(name, 0)}"} for name in ("chief", "county", "machine")}
    return lambda name, path: web.get(f"/api/v1{path}", headers=headers[name])


def test_the_api_works_an_answer_out_once_for_who_may_see_the_same(ask, site, monkeypatch):
    """Asked twice it counts once; a county's question, and one after a change, are counted by themselves."""
    counted, lights = [], answers.lights
    monkeypatch.setattr(answers, "lights", lambda *given: counted.append(1) or lights(*given))
    first = ask("chief", "/lights")
    assert ask("chief", "/lights").json() == first.json()
    assert len(counted) == 1
    assert ask("county", "/lights").json() != first.json()
    assert len(counted) == 2
    _move(site)
    ask("chief", "/lights")
    assert len(counted) == 3


def test_a_kept_answer_is_told_to_nobody_who_may_not_ask(ask):
    """An operator is refused what a supervisor has just been told; a county gets its own case only."""
    assert ask("chief", "/cases").json()["total"] == 2
    assert ask("machine", "/cases").status_code == 403
    assert [one["region"] for one in ask("county", "/cases").json()["cases"]] == ["12"]


def test_who_asks_the_same_at_once_waits_for_one_answer():
    """Eight threads, one making."""
    shared, made, begin = Shared(), [], threading.Barrier(8)

    def asks():
        begin.wait()
        shared.of("question", 1, lambda: made.append(1) or len(made))

    threads = [threading.Thread(target=asks) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert made == [1]


def test_only_so_many_questions_are_kept():
    """The one not asked for the longest is forgotten."""
    shared = Shared(kept=2)
    for question in ("a", "b", "a", "c"):
        shared.of(question, 1, lambda: "answer")
    assert [shared.ready(question, 1) is not None for question in "abc"] == [True, False, True]
    assert shared.latest("a") == ("answer", 1)
    assert shared.latest("b") is None


def test_an_answer_that_failed_is_made_again():
    """The next one who asks is not told of the fault before."""
    shared = Shared()
    with pytest.raises(ZeroDivisionError):
        shared.of("question", 1, lambda: 1 // 0)
    assert shared.of("question", 1, lambda: "answer") == ("answer", 1)


class Machine:
    """Its clock, and that of a core; making an answer takes both on."""

    def __init__(self):
        self.now = Took(100.0, 10.0)
        self.made = 0

    def rest(self, seconds):
        self.now = Took(self.now.wall + seconds, self.now.core)

    def make(self, wall, core):
        def answer():
            self.now = Took(self.now.wall + wall, self.now.core + core)
            self.made += 1
            return self.made

        return answer


@pytest.mark.parametrize(
    ("wall", "core", "holds"),
    [(0.004, 0.004, 0.02), (0.04, 0.04, 0.2), (0.3, 0.01, 0.3), (3.0, 0.5, 1.0)],
    ids=["cheap", "dear", "machine behind", "at most a second"],
)
def test_an_answer_holds_for_as_long_as_it_was_dear(wall, core, holds):
    """Whatever moves meanwhile: five times what it took of a core; as long as it took where the machine is behind."""
    machine = Machine()
    shared = Shared(clock=lambda: machine.now)
    assert shared.of("question", 1, machine.make(wall, core)) == (1, 1)
    machine.rest(holds - 0.001)
    assert shared.of("question", 2, machine.make(wall, core)) == shared.ready("question", 2) == (1, 1)
    machine.rest(0.002)
    assert shared.ready("question", 2) is None
    assert shared.of("question", 2, machine.make(wall, core)) == (2, 2)


def test_a_page_that_was_shown_an_older_answer_gets_the_newer_one(pages, site):
    """At the first look behind the time that the older one holds."""
    machine = Machine()
    object.__setattr__(site, "shared", Shared(clock=lambda: machine.now))
    shown = pages.open(CHIEF, draw=lambda _: lambda _: machine.make(0.01, 0.01)())
    _move(site)
    pages.look()
    assert shown == [1]
    machine.rest(0.3)
    pages.look()
    assert shown == [1, 2]


def test_pages_that_look_while_a_drawing_is_made_wait_for_that_one(pages, site):
    """Three at once: one thread, one drawing."""
    threads = []

    def draw(picture):
        threads.append(threading.get_ident())
        return picture.version

    shown = [pages.open(CHIEF, draw=lambda _: draw) for _ in range(3)]
    _move(site)

    async def at_once():
        await asyncio.gather(*(look() for look in pages.ticks))

    asyncio.run(at_once())
    assert len(threads) == 2
    assert [len(one) for one in shown] == [2, 2, 2]


def test_a_tab_behind_others_is_sent_nothing_until_somebody_turns_to_it(pages, site):
    """Then it shows what is new at once."""
    shown = pages.open(CHIEF)
    (turned,) = pages.turned
    asyncio.run(turned(SimpleNamespace(args={"hidden": True})))
    _move(site)
    pages.look()
    assert shown == ["drawing 1"]
    asyncio.run(turned(SimpleNamespace(args={"hidden": False})))
    assert shown == ["drawing 1", "drawing 2"]
    assert pages.timers[0].active


def _move(site):
    site.live.picture = msgspec.structs.replace(site.live.picture, version=site.live.picture.version + 1)
