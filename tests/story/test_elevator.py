"""The elevator's annual inspection (domain.md): booked online, called back within two hours, inspected, granted, rated."""

import os
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from city_story import EXAMPLE, City
from running_page import RunningPage, running_page

from monitor.caseview import Asked, Sentence, case_view
from monitor.statistics.compute import Inputs
from router.findings import FINDINGS
from schemas.case import Outcome
from schemas.deadlines import deadlines
from schemas.limits import Terms
from schemas.rules import Subject

CASE, VISIT, BUREAU, HALL = "case:50010320260309001", "visit:YY2026030601", "quality@500103", "service-hall@500103"
ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with pytest.MonkeyPatch.context() as patch:
        city = City(tmp_path_factory.mktemp("city"), patch).run()
        yield city
        city.close()


@pytest.fixture(scope="module")
def page(city: City) -> Iterator[RunningPage]:
    with running_page(EXAMPLE, os.environ) as found:
        yield found


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()) * 1_000_000


def test_the_booking_becomes_part_of_the_case(city: City) -> None:
    """The bureau's system knows a booking, the hall's a case; one link makes them one life, from booking to rating."""
    case = city.cases()[CASE]
    (one,) = case.appointments
    assert (one.requested_at, one.confirmed_at) == (at("2026-03-06T10:05"), at("2026-03-06T11:20"))
    assert (one.visit_at, one.by) == (at("2026-03-09T09:30"), BUREAU)
    assert (case.outcome, case.rating, case.findings) == (Outcome.GRANTED, 1, [])
    assert case.applied_at < case.accepted_at < case.stopped_at < case.collected_at


def test_the_call_back_came_within_two_office_hours_and_would_have_been_late_after(city: City) -> None:
    """10:05 on a Friday: until 14:05, for the office closes from 12 to 14."""
    wiring, case = city.wiring, city.cases()[CASE]
    terms = Terms(wiring.settings.rules.clock, wiring.calendar, ZONE)
    found = [one for one in deadlines(case, None, terms, at("2026-03-10T18:00")) if one.kind is Subject.CALL_BACK]
    (call,) = found
    assert (call.due_at, call.passed, call.elapsed) == (at("2026-03-06T14:05"), False, 1.25)


def test_every_message_reaches_the_system_that_has_to_act(city: City) -> None:
    """The bureau is asked to call back, the hall learns the date; both lie in the folders that their systems watch."""
    assert set(city.told(CASE)) == {("call_back", BUREAU), ("visit_fixed", HALL)}
    assert ("call_back", CASE) in {(one["kind"], one["case"]) for one in city.files("quality")}
    assert ("visit_fixed", CASE) in {(one["kind"], one["case"]) for one in city.files("hall")}
    assert city.cases()[VISIT].appointments == []


def test_the_page_tells_the_life_from_booking_to_rating(city: City) -> None:
    """The case's view has every step in business order, with the moves that followed and their rule."""
    wiring = city.wiring
    inputs = Inputs(wiring.codec, wiring.folding, wiring.clockwork)
    sentences = {code: Sentence(*rule) for code, rule in FINDINGS.items()}
    shown = case_view(city.view, CASE, inputs, sentences, Asked(at("2026-04-16T18:00"), None)).to_json(wiring.clockwork)
    told = [one["activity"] for one in shown["timeline"] if one["activity"]]
    assert told[:6] == ["预约", "回访", "申请", "关联", "收件", "受理"]
    assert told[6:11] == ["承办", "环节完成", "办结", "领证", "评价"]
    assert told[11:] == ["appointment", "appointment"]
    assert (shown["case"]["outcome"], shown["clock"]["light"], shown["findings"]) == ("granted", "green", [])


def test_the_running_page_answers_programs_with_the_life_and_its_limits(page: RunningPage) -> None:
    """Every step in its order, both moves with rule and receiver, and no limit of it passed."""
    case = page.get(f"/cases/{CASE}")
    assert [one["activity"] for one in case["events"]] == [
        "预约", "回访", "申请", "关联", "收件", "受理", "承办", "环节完成", "办结", "领证", "评价",
    ]  # fmt: skip
    assert [(one["says"], one["target"]) for one in case["decisions"]] == [("call back", BUREAU), ("date fixed", HALL)]
    assert "call back YY2026030601: done after 1.25 office hours, 2 office hours allowed." in case["limits"]
    assert (case["outcome"], case["light"], case["findings"]) == ("granted", "green", [])


def test_the_running_page_tells_people_the_same_by_the_case_and_by_the_booking(page: RunningPage) -> None:
    """Whoever knows the booking's number only finds the case."""
    shown = page.text(f"/case/{CASE.partition(':')[2]}")
    told = [
        "Appointment asked for 预约",
        "Called back 回访",
        "Application 申请",
        "Linked 关联",
        "Accepted 受理",
        "Step done 环节完成",
    ]
    told += ["Decided 办结", "Collected 领证", "Rated 评价", "score 1"]
    places = [shown.index(one) for one in told]
    assert places == sorted(places)
    assert "Green: finished after 1 working day, within the promised limit of 3 working days." in shown
    assert "date fixed → Service hall, 示范区" in shown
    assert "visit at 2026-03-09 09:30" in shown
    assert "score 1" in page.text("/case/YY2026030601")
