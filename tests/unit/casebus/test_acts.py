"""What supervisors do, as events."""

from __future__ import annotations

from bus.partition import partition_of
from casebus.acts import message
from monitor.web.access import Role, User
from monitor.web.site import Act
from router.case import fold
from router.law import LawProfile
from schemas import codec

CODEC = codec.default()
CHIEF = User("chief", Role.SUPERVISOR, "11")


def act(kind: str, made_at: int, at: int = 1_000_000) -> Act:
    return Act("city:1", kind, "SV-1", CHIEF, f"{kind} it", at, made_at)


def event(kind: str, made_at: int):
    return CODEC.decode(message(act(kind, made_at), CODEC, 4).value)


def test_an_act_goes_to_its_cases_partition_under_the_name_of_who_acts():
    """Like any other event of the case."""
    sent = message(act("take", 5), CODEC, 4)
    found = CODEC.decode(sent.value)
    assert (sent.topic, sent.partition, sent.key) == ("approval.events", partition_of(b"city:1", 4), b"city:1")
    assert (found.type, found.header["actor"], found.body["reason"]) == ("SupervisionOpened", {"value": "chief"}, "take it")


def test_the_router_opens_and_closes_by_them_also_while_the_clock_stands_still():
    """In a replay all acts happen at one moment: the machine's time keeps their order, and notes open nothing anew."""
    acts = [event("take", 1), event("note", 2), event("urge", 3)]
    case = fold(acts, LawProfile(), "city:1")
    assert (case.supervisions, case.findings) == (["SV-1"], [])
    assert fold([event("shut", 4), *acts], LawProfile(), "city:1").supervisions == []


def test_the_same_act_has_the_same_id_and_another_has_another():
    """A note said twice is two notes; one sent twice is one."""
    assert event("note", 2).id == event("note", 2).id
    assert event("note", 2).id != event("note", 3).id
