"""The figures of a period on the page: which period, how much better or worse, and how often it is counted."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.statistics.hall import HallMeasure
from monitor.statistics.period import Period
from monitor.statistics.processmap import ProcessMeasure
from monitor.statistics.service import Compared, Score, Service
from monitor.statistics.slimming import Changed, Slimming
from monitor.statistics.standard import Difference
from monitor.web.counted import EVERY, REST, Counted
from monitor.web.models import figures
from monitor.web.models.span import chosen
from monitor.web.words import words

TODAY = date(2026, 5, 14)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("month", "2026-05-01", "2026-05-14"),
        ("last_month", "2026-04-01", "2026-04-30"),
        ("quarter", "2026-04-01", "2026-05-14"),
        ("last_quarter", "2026-01-01", "2026-03-31"),
        ("year", "2026-01-01", "2026-05-14"),
        ("nonsense", "2026-05-01", "2026-05-14"),
    ],
)
def test_a_period_is_chosen_by_its_name(name, first, last):
    """What makes no sense is this month."""
    assert chosen({"period": name}, TODAY).span.period == Period(date.fromisoformat(first), date.fromisoformat(last))


def test_days_of_ones_own_are_held_against_those_before_or_a_year_before():
    """An address says what was chosen, and nothing else."""
    parts = {"first": "2026-03-01", "last": "2026-03-31", "against": "year"}
    found = chosen(parts, TODAY)
    assert found.span.before == Period(date(2025, 3, 1), date(2025, 3, 31))
    assert found.parts == parts
    assert chosen({"first": "2026-03-02", "last": "2026-03-01"}, TODAY).parts == {}
    assert chosen({}, TODAY).span.before == Period(date(2026, 4, 17), date(2026, 4, 30))


NOW = Score(
    ended=4, decided=4, limited=4, on_time=3, within_law=4, compared=2, statutory_days=40, promised_days=20, actual_days=10
)
THEN = Score(
    ended=2, decided=2, limited=2, on_time=2, within_law=2, compared=1, statutory_days=20, promised_days=15, actual_days=16
)


def test_a_tile_says_whether_it_went_better_or_worse():
    """Fewer on time is worse; what stayed is neither; without a figure before nothing is said."""
    tiles = {one.name: one for one in figures.tiles(NOW, THEN)}
    assert (tiles["on_time"].good, tiles["within_law"].good, tiles["compression"].good) == (-1, 0, 1)
    assert tiles["bad_ratings"].good == 0
    fewer = {one.name: one.good for one in figures.tiles(Score(ended=2, hand_overs=1), Score(ended=2, hand_overs=4))}
    assert fewer["hand_overs_each"] == 1


def test_bars_are_days_a_case_beside_the_longest():
    """Twenty days by law, ten promised, five used; before fifteen were promised and sixteen used."""
    found = [(now.days, now.width, then.days, then.width) for now, then in figures.limits(NOW, THEN)]
    assert found == [(20, 100, 20, 100), (10, 50, 15, 75), (5, 25, 16, 80)]
    assert figures.limits(Score(), Score())[0][0].width == 0


def test_whose_days_they_were_in_one_order():
    """Offices first, then who is asked outside of them; a level that nobody foresaw comes last."""
    found = figures.held(Score(ended=2, held={"applicant": 2.0, "moon": 2.0, "county": 6.0}))
    assert [(one.holder, one.days, one.part) for one in found] == [("county", 3, 60), ("applicant", 1, 20), ("moon", 1, 20)]


def test_a_page_of_nothing_can_be_shown():
    """A deployment without a case."""
    hall = HallMeasure([(0, 1)], None).result()[0]
    empty = ProcessMeasure().result()
    service = Service(Score(), {}, {}, {})
    compared = Compared(("", ""), ("", ""), service, service)
    slim = Slimming("", "", 0, 0, [], [], [], [], [], [], {}, {})
    found = figures.shown(figures.Figures(compared, hall, hall, empty, empty, []), slim)
    assert (found.regions, found.held, found.halls.hours, found.slimmed) == ([], [], [], [])


def test_what_differs_and_what_changed_is_said_in_words():
    """In both languages, and what nobody foresaw as it is."""
    zh, en = words("zh"), words("en")
    assert figures.value("5 working", zh) == "5个工作日"
    assert figures.value("county", en) == "county"
    assert figures.value("", en) == "–"
    assert figures.what(Difference("i", "paper: 身份证", "cases", "asked for", {}), zh) == "材料：身份证"
    other = Difference("i", "promised", "catalogue", "5 working", {"9 working": ["A", "B"]})
    assert figures.others(other, en, str.lower) == "9 working days: a, b"
    assert figures.slimmed(Slimming("", "", 1, 1, [], [], [Changed("1", "n", "municipal", "county")], [], [], [], {}, {}))[
        0
    ].kind == ("handed_down")


def test_an_answer_is_counted_once_and_again_only_after_a_rest():
    """One that took a second holds for twenty; a question about another state is another answer."""
    seconds, counted = [0.0], []

    def count():
        seconds[0] += 1
        counted.append(seconds[0])
        return len(counted)

    kept = Counted(lambda: seconds[0])
    assert [kept.of("q", 1, count), kept.of("q", 1, count), kept.of("q", 2, count)] == [1, 1, 1]
    seconds[0] += max(EVERY, REST)
    assert kept.of("q", 1, count) == 1
    assert kept.of("q", 2, count) == 2
    assert kept.of("other", 2, count) == 3


def test_answers_that_nobody_asks_for_are_let_go():
    """The oldest first."""
    kept = Counted(kept=1)
    assert [kept.of(name, 0, object) is not None for name in "ab"] == [True, True]
    known = kept.of("b", 0, object)
    assert kept.of("b", 0, object) is known
    assert kept.of("a", 0, list) == []
