"""The router as it runs: events in, journal, state, deliveries and dead letters out, while things break."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest
from router_story import CODEC, EVERY_DAY_WORKS, PARTITIONS, Story, event, life

from bus.ports import Message
from router.case import fold
from router.contexts import Contexts
from router.decide import decide
from router.journal import verify
from router.law import LawProfile
from schemas.calendar import Calendar, CalendarSettings
from schemas.catalogue import Catalogue

PLAIN = LawProfile()


def muddle(random: Random, cases: int) -> list:
    """Lives of some cases with repetitions, newer versions, conflicts, corrections and late events, in any order."""
    events = []
    for number in range(cases):
        case = f"city:{number}"
        lives = life(case)
        lives.append(event("ClockPaused", random.uniform(0, 9), case=case))
        lives.append(event("HandedUp", 3.5, case=case))
        lives.append(event("HandedAcross", 3.6, case=case, hand_over="H2", part="fire"))
        lives.append(event("StepCompleted", 4.2, case=case, part="fire", opinion="RETURN", header_authority="fire@500103"))
        lives.append(event("SupplementRequested", 0.5, case=case, header_authority="office@500103"))
        lives.append(event("Accepted", 2.5, case=case, row=f"row{number}", kind="k", version=2))
        lives.append(event("Decided", 4.5, case=case, row=f"row{number}", kind="k", version=1))
        lives.append(event("Reopened", 7.5, case=case))
        lives.append(event("Corrected", 8, case=case, corrects=random.choice(lives).id))
        lives += [rival(case, number, at) for at in (3, 1, 2)]
        events += lives + random.choices(lives, k=4)
    random.shuffle(events)
    return events


def rival(case: str, number: int, at: int, conflict: str = "REJECT"):
    """One of several bodies under one id."""
    reported = {"at": at, "precision": "SECOND", "zone": "UTC"}
    return event(
        "LimitExtended",
        3,
        case=case,
        days=at,
        row=f"rival{number}",
        kind="k",
        header_reported_at=reported,
        header_conflict=conflict,
    )


def check(story: Story, events: list) -> None:
    """State equals the pure fold of everything, and so do the decisions; journals are whole; nothing is lost or doubled."""
    states, journals = story.states(), story.journal()
    for case in {one.case for one in events}:
        own = [one for one in events if one.case == case]
        assert states[case].case == fold(own, story.settings.profile, case)
        assert verify(journals[case], states[case].head, states[case].sequence) == []
        recorded = [CODEC.decode(entry["event"]) for entry in journals[case] if entry["event"] is not None]
        said = [(one.id, one.header["body_hash"]) for one in recorded]
        assert sorted(said) == sorted({(one.id, one.header["body_hash"]) for one in own})
        decided = {one.id for one in decide(states[case].case)}
        assert {identity for identity, text in states[case].decisions.items() if not text.startswith("-")} == decided
        told = [one for one in story.deliveries() if one["case"] == case]
        assert len({one["delivery_id"] for one in told}) == len(told)
        withdrawn = {one["summary"]["withdraws"] for one in told if one["kind"] == "withdrawn"}
        standing = [one for one in told if one["kind"] != "withdrawn" and one["delivery_id"] not in withdrawn]
        assert len(standing) == len(decided)


def test_a_plain_life_is_one_entry_an_event_and_one_state(tmp_path):
    """No copies, no findings, no deliveries: the journal is the list of events."""
    story = Story(tmp_path)
    events = life()
    story.play(events)
    assert story.kinds("city:1") == ["EVENT"] * 8
    assert story.states()["city:1"].case == fold(events, PLAIN)
    assert story.letters() == []


@pytest.mark.parametrize("seed", range(12))
def test_whatever_breaks_the_state_is_the_fold_of_all_events(tmp_path, seed):
    """Aborted commits, commits of unknown outcome, routers that die and lose their store: the same truth."""
    random = Random(seed)
    events = muddle(random, 6)
    story = Story(tmp_path, routers=1 + seed % 3, profile=PLAIN if seed % 2 else LawProfile(after_end="set_aside"))
    for start in range(0, len(events), 40):
        story.play(events[start : start + 40], random)
    story.work()
    check(story, events)


def test_a_copy_leaves_no_trace(tmp_path):
    """The same event again: no entry, no dead letter, no new state."""
    story = Story(tmp_path)
    events = life()
    story.play(events)
    before = (story.journal(), len(story.cluster.records("case.state")))
    story.play(events)
    assert (story.journal(), len(story.cluster.records("case.state"))) == before
    assert story.letters() == []


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_loser_of_a_conflict_is_rejected_whichever_came_first(tmp_path, order):
    """The earliest reported stands; the other one is a dead letter with its own bytes."""
    story = Story(tmp_path)
    rivals = {at: rival("city:1", 1, at) for at in (1, 2)}
    for one in [*life(), *(rivals[at] for at in order)]:
        story.play([one])
    (letter,) = story.letters()
    assert (letter["reason"], letter["raw"]) == ("conflicting_id", rivals[2].raw)
    assert [one.days for one in story.states()["city:1"].case.extensions] == [1]


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_where_the_connector_says_replace_the_latest_report_stands_and_nothing_is_rejected(tmp_path, order):
    """Some systems change a row in place: the new body is the row."""
    story = Story(tmp_path)
    rivals = {at: rival("city:1", 1, at, "REPLACE") for at in (1, 2)}
    for one in [*life(), *(rivals[at] for at in order)]:
        story.play([one])
    assert story.letters() == []
    assert [one.days for one in story.states()["city:1"].case.extensions] == [2]
    assert "SUPERSEDED" in story.kinds("city:1")


@pytest.mark.parametrize(("folder", "refused"), [("catalogue", ["unknown_item"]), ("nothing", [])])
def test_an_item_that_the_catalogue_does_not_have_is_refused_where_there_is_one(tmp_path, folder, refused):
    """Structurally impossible, and said with what to do; a deployment without a catalogue takes every item."""
    place = tmp_path / folder
    place.mkdir()
    if refused:
        version = '{version: "1", from: 2020-01-01, promised: 5, statutory: 20}'
        item = f'item: "7"\nname: 取水许可\ndepartment: water\nversions:\n  - {version}\n'
        (place / "7.yaml").write_text(item, "utf-8")
    story = Story(tmp_path, contexts=Contexts(Catalogue.load(place)))
    story.play([event("Applied", case="city:1", header_item="7" if refused else "8")])
    story.play([event("Applied", case="city:2", header_item="9")])
    assert [letter["reason"] for letter in story.letters()] == refused
    assert all("catalogue/9.yaml" in letter["text"] for letter in story.letters())
    assert len(story.states()) == (1 if refused else 2)


def test_what_cannot_be_read_goes_to_the_dead_letters_and_blocks_nobody(tmp_path):
    """Bytes of nobody, another key, another partition: each with its reason; the case beside them is worked on."""
    story = Story(tmp_path)
    place = story.cluster
    one = event("Applied", case="city:9")
    right = next(number for number in range(PARTITIONS) if number == _place("city:9"))
    place.publish(
        [
            Message("approval.events", 0, b"city:1", b"\xc3\x01nonsense", 5),
            Message("approval.events", _place("city:8"), b"city:8", one.raw, 5),
            Message("approval.events", (right + 1) % PARTITIONS, b"city:9", one.raw, 5),
            Message("approval.events", 0, None, None, 5),
            Message("approval.events", 0, None, b"no marker", 5, (("type", b"InputEnded"),)),
            Message("case.forward", 0, None, one.raw, 5, (("type", b"InputEnded"),)),
        ]
    )
    story.play(life())
    reasons = Counter(letter["reason"] for letter in story.letters())
    counts = {"key_mismatch": 1, "unreadable_event": 2, "unreadable_marker": 2, "wrong_partition": 1}
    assert reasons == counts
    assert story.states()["city:1"].case.outcome is not None


def _place(key: str) -> int:
    from bus.partition import partition_of

    return partition_of(key.encode(), PARTITIONS)


def test_an_event_that_breaks_the_fold_is_rejected_and_the_case_goes_on(tmp_path):
    """A calendar that does not reach so far raises inside the fold: that event alone goes to the dead letters."""

    class Strict(Calendar):
        def provisional(self, _):
            raise ValueError("beyond the calendar")

    terms = EVERY_DAY_WORKS._replace(calendar=Strict.from_settings(CalendarSettings(country=None), Path()))
    story = Story(tmp_path, profile=LawProfile(terms=terms))
    story.play([*life()[:3], event("HandedUp", 2.5)])
    story.play(life()[3:])
    (letter,) = story.letters()
    assert letter["reason"] == "cannot_be_applied"
    assert "beyond the calendar" in letter["text"]
    assert story.kinds("city:1") == ["EVENT"] * 8


def test_a_hand_up_reaches_the_receiver_and_is_withdrawn_when_it_is_cancelled(tmp_path):
    """The decision is delivered once; its contradiction is an entry and a delivery of its own."""
    story = Story(tmp_path)
    handed = event("HandedUp", 3)
    story.play([*life()[:3], handed])
    (delivery,) = story.deliveries()
    assert (delivery["to"], delivery["kind"], delivery["hand_over"]) == ("quality@500000", "handed_up", "H1")
    story.play([event("Corrected", 4, corrects=handed.id)])
    assert [one["kind"] for one in story.deliveries()].count("withdrawn") == 1
    assert story.kinds("city:1").count("COMPENSATION") == 1
    assert verify(story.journal()["city:1"]) == []


def test_a_decision_taken_again_is_delivered_under_a_new_id(tmp_path):
    """Cancelled, then the cancellation cancelled: the receiver must not take the second for a repetition."""
    story = Story(tmp_path)
    handed = event("HandedUp", 3)
    wrong = event("Corrected", 4, corrects=handed.id)
    for one in (event("Applied"), handed, wrong, event("Corrected", 5, corrects=wrong.id)):
        story.play([one])
    kinds = [one["kind"] for one in story.deliveries() if one["kind"] in {"handed_up", "withdrawn"}]
    assert sorted(kinds) == ["handed_up", "handed_up", "withdrawn"]
    assert len({one["delivery_id"] for one in story.deliveries()}) == len(story.deliveries())


def test_a_stale_alert_is_refused_and_a_fresh_one_escalates(tmp_path):
    """The monitor judged entry 1 while entry 3 was already recorded."""
    story = Story(tmp_path)
    story.play(life()[:3])
    story.alert(event("AlertRaised", 3, alert="W1", judged_sequence=1))
    assert story.states()["city:1"].case.alerts == {}
    assert story.kinds("city:1")[-1] == "SET_ASIDE"
    story.alert(event("AlertRaised", 3.1, alert="W2", judged_sequence=4))
    assert story.states()["city:1"].case.alerts == {"W2": "yellow"}
    assert [one["kind"] for one in story.deliveries()] == ["yellow_alert"]
    story.alert(event("AlertWithdrawn", 3.2, alert="W2", judged_sequence=5))
    assert [one["kind"] for one in story.deliveries()] == ["yellow_alert", "withdrawn"]


def test_a_case_without_application_waits_then_expires_then_is_reinstated(tmp_path):
    """It is listed; at the end of input its events are dead letters; the application brings them back."""
    story = Story(tmp_path)
    orphans = [event("Decided", 3), event("Collected", 4)]
    story.play(orphans)
    assert not story.states()["city:1"].case.opened
    assert story.letters() == []
    story.end()
    story.work()
    assert story.states()["city:1"].expired
    assert sorted(letter["reason"] for letter in story.letters()) == ["no_application"] * 2
    story.play([event("Rated", 5)])
    assert len(story.letters()) == 3
    story.play([event("Applied", 0)])
    state = story.states()["city:1"]
    assert not state.expired
    assert state.case.opened
    assert state.case.events == 4
    assert story.kinds("city:1").count("REINSTATED") == 3
    assert verify(story.journal()["city:1"], state.head, state.sequence) == []


def test_an_alert_of_the_monitor_expires_a_case_too(tmp_path):
    """Time speaks to the router as an alert."""
    story = Story(tmp_path)
    story.play([event("Decided", 3)])
    story.alert(event("AlertRaised", 90, alert="W1", indicator="no_application", judged_sequence=1))
    assert story.states()["city:1"].expired
    assert [letter["reason"] for letter in story.letters()] == ["no_application"]


def test_an_appointment_alone_never_expires(tmp_path):
    """It need not become a case, so nothing is wrong with it."""
    story = Story(tmp_path)
    story.play([event("AppointmentRequested", 1, case="appointment:7"), event("TicketTaken", 1, case="ticket:7")])
    story.end()
    story.work()
    assert story.letters() == []
    assert not story.states()["appointment:7"].expired


@pytest.mark.parametrize("seed", range(6))
def test_the_end_of_input_is_said_once_everywhere_and_after_everything(tmp_path, seed):
    """Every journal partition says so, whatever breaks on the way; no entry of the run comes after it."""
    random = Random(seed)
    story = Story(tmp_path, routers=2)
    story.publish(muddle(random, 4))
    story.end("one")
    story.work(random)
    story.work()
    assert story.ended() == set(range(PARTITIONS))
    for number in range(PARTITIONS):
        mine = [one for one in story.cluster.records("case.journal") if one.partition == number]
        names = [CODEC.decode_record(one.value) for one in mine]
        last = max(index for index, (name, value) in enumerate(names) if name == "InputEnded" and value["hop"] == 2)
        assert all(name == "InputEnded" for name, _ in names[last:])


@pytest.mark.parametrize("seed", range(4))
def test_a_journal_alone_gives_the_state_again(tmp_path, seed):
    """The published bytes in recording order, read by somebody who has nothing else, fold to the same case and chain."""
    random = Random(seed)
    story = Story(tmp_path, routers=2)
    story.play(muddle(random, 3), random)
    story.work()
    states = story.states()
    for case, entries in story.journal().items():
        events = [CODEC.decode(entry["event"]) for entry in entries if entry["event"] is not None]
        assert fold(events, PLAIN, case) == states[case].case
        assert (entries[-1]["hash"], entries[-1]["sequence"]) == (states[case].head, states[case].sequence)
