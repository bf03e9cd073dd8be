"""The dashboard is a picture of its data: aligned, no wider than the terminal, readable without colour."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import monitor_world as world
import pytest
from rich.cells import cell_len
from rich.console import Console

from monitor.board import SPAN, Board, Lamps, Passed, Worst, board
from monitor.lights import Clockwork
from monitor.view import View
from monitor.watch import screen, spark, watch
from schemas.calendar import Calendar, CalendarSettings
from schemas.case import Case, HandOver, Phase
from schemas.clock import ClockRules

ZONE = ZoneInfo("Asia/Shanghai")
CLOCKWORK = Clockwork(ClockRules(), Calendar(CalendarSettings()), ZONE)


def text(renderable, width=100):
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(renderable)
    return console.export_text()


def case(number, accepted, **fields):
    known = {
        "authority": "规划自然资源局@500103",
        "applied_at": world.at(0),
        "accepted_at": world.at(accepted),
        "promised_days": 5,
    }
    return Case(f"city:{number}", phase=Phase.ACCEPTED, **(known | fields))


@pytest.fixture
def view(tmp_path):
    opened = View.at(tmp_path / "view.db")
    yield opened
    opened.close()


def feed(view, *cases):
    view.apply_batch([world.state_record(world.state([], one), n) for n, one in enumerate(cases)], {}, world.CODEC)


PICTURE = Board(
    now=world.at(12),
    cases=1234,
    open=40,
    provisional=2,
    events=17001,
    events_last_hour=3,
    dead_letters=164,
    findings=9,
    lamps={"规划自然资源局": Lamps(1, 2, 30, 4), **{f"department-{n}-with-a-long-name": Lamps(green=1) for n in range(20)}},
    worst=[Worst("990127252025010200001", "规划自然资源局和林业局", "25-001", "red", 31, 20, -11, "2025-01-26")],
    moves=[Passed("990127252025010200001", "up", "质量监督局@990102", "质量监督局@990100", world.at(1), None)],
    on_their_way=1,
    days=[0, 1, 8],
    read=50,
    end=100,
)


@pytest.mark.parametrize("width", [100, 120, 200])
def test_no_line_is_wider_than_the_terminal(width):
    """Chinese characters take two cells; the frame closes all the same."""
    lines = text(screen(PICTURE, ZONE), width).splitlines()
    assert max(cell_len(line) for line in lines) <= width
    assert {cell_len(line) for line in lines[:2]} == {width}


def test_the_picture_says_what_the_board_holds():
    """Each light by word and number, the worst case with its days, the move with its way."""
    shown = text(screen(PICTURE, ZONE))
    for part in (
        "1,234 cases",
        "● 1 red",
        "● 2 yellow",
        "4 not accepted",
        "164 refused",
        "9 others",
        "31/20",
        "-11",
        "↑",
        "on its way",
    ):
        assert part in shown, part
    assert "50 of 100" in shown


def test_an_empty_board_is_calm(view):
    """Before anything came there is nothing to fear."""
    shown = text(screen(board(view, CLOCKWORK, world.at(1)), ZONE))
    assert "0 cases" in shown
    assert "none near its limit" in shown
    assert "nothing has moved yet" in shown


def test_the_worst_case_stands_first_and_ended_cases_do_not_stand_there(view):
    """By light, then by days left; what has ended is nobody's worry any more."""
    ended = case("0003", 1, stopped_at=world.at(900), ended_at=world.at(900))
    feed(view, case("0001", 24 * 7), case("0002", 1), ended)
    found = board(view, CLOCKWORK, world.at(24 * 14))
    assert [one.number for one in found.worst] == ["0002", "0001"]
    assert [one.light for one in found.worst] == ["yellow", "yellow"]
    assert found.lamps["规划自然资源局"].total == found.open == 2


def test_the_newest_move_stands_first(view):
    """A move without receipt is counted as on its way."""
    moves = [HandOver("h1", "up", "a@1", "b@2", world.at(1), world.at(2)), HandOver("h2", "down", "b@2", "a@1", world.at(5))]
    feed(view, case("0001", 1, hand_overs=moves))
    found = board(view, CLOCKWORK, world.at(24))
    assert [(one.kind, one.received_at) for one in found.moves] == [("down", None), ("up", world.at(2))]
    assert found.on_their_way == 1


def test_what_has_waited_longest_for_its_receiver_stands_before_newer_moves(view):
    """With its clock; what was answered came, and what belongs to an ended case is waited for by nobody."""
    waits = [HandOver("h1", "up", "a@1", "b@2", world.at(1))]
    passed = [HandOver(f"m{n}", "across", "a@1", "c@1", world.at(30 + n), world.at(31 + n)) for n in range(10)]
    came = [HandOver("h3", "across", "a@1", "d@1", world.at(2), None, world.at(3), "fire")]
    over = case("0003", 1, hand_overs=waits, stopped_at=world.at(9), ended_at=world.at(9))
    feed(view, case("0001", 1, hand_overs=waits), case("0002", 1, hand_overs=[*passed, *came]), over)
    found = board(view, CLOCKWORK, world.at(24 * 4), most=6)
    assert [(one.number, one.sent_at) for one in found.moves] == [
        ("0001", world.at(1)),
        *(("0002", world.at(h)) for h in range(39, 34, -1)),
    ]
    assert (found.moves[0].waited, found.moves[0].allowed, found.on_their_way) == (4, 2, 1)
    shown = text(screen(found, ZONE), 120)
    assert "on its way, 4 of 2 days" in shown
    assert "never signed for" not in shown
    assert "never signed for" in text(screen(board(view, CLOCKWORK, world.at(24 * 4), most=40), ZONE), 120)


def test_days_are_local_days_and_today_is_last(view):
    """An event of local 01:00 is not yesterday's, though UTC says so."""
    early = world.event("Applied", 1, received_at=world.at(1))
    view.apply_batch([world.journal_record(world.chain([early])[0], 0)], {}, world.CODEC)
    assert board(view, CLOCKWORK, world.at(2)).days == [0] * (SPAN - 1) + [1]
    assert board(view, CLOCKWORK, world.at(26)).days[-2:] == [1, 0]


def test_bars_show_the_smallest_count_and_stop_at_the_largest():
    """Nothing is empty, one event is seen, the largest day is full."""
    assert spark([0, 1, 800]) == " ▁█"
    assert spark([]) == ""


def test_watching_looks_again_until_it_is_stopped():
    """Each look is a new picture; an interrupt ends it."""
    looks = []

    def wait(_):
        if len(looks) == 3:
            raise KeyboardInterrupt

    def look():
        looks.append(PICTURE)
        return PICTURE

    with pytest.raises(KeyboardInterrupt):
        watch(look, ZONE, Console(file=io.StringIO(), width=100), wait)
    assert len(looks) == 3
