"""One case, many names: appointments, tickets, local numbers, and two numbers that prove to be one case."""

from itertools import permutations
from random import Random

import pytest
from router_story import CODEC, PARTITIONS, Story, event, life

from router.case import fold
from router.journal import verify
from router.law import LawProfile

CASE, TICKET, APPOINTMENT = "city:1", "ticket:7", "appointment:3"


def linked(case: str, other: str, relation: str, at: float = 0.1):
    return event("Linked", at, case=case, other=other, relation=relation)


def whole(story: Story) -> None:
    """Every chain is gapless and ends where its state says."""
    states = story.states()
    for key, entries in story.journal().items():
        assert verify(entries, states[key].head, states[key].sequence) == []


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_ticket_and_an_appointment_fold_into_their_case_in_whatever_order(tmp_path, order):
    """What their keys hold and what still comes goes to the case, with the bytes as published."""
    ticket, appointment = event("TicketTaken", -1, case=TICKET), event("AppointmentRequested", -3, case=APPOINTMENT)
    late = event("AppointmentConfirmed", -2, case=APPOINTMENT)
    links = [linked(CASE, TICKET, "TICKET"), linked(CASE, APPOINTMENT, "APPOINTMENT")]
    parts = [[ticket, appointment], links, life(), [late]]
    story = Story(tmp_path)
    for index in order:
        story.play(parts[index])
    everything = [one for part in parts for one in part]
    states = story.states()
    assert states[CASE].case == fold(everything, LawProfile(), CASE)
    assert states[CASE].case.links == [APPOINTMENT, TICKET]
    assert states[CASE].case.applied_at == life()[0].occurred_at
    assert {states[key].forwards_to for key in (TICKET, APPOINTMENT)} == {CASE}
    raw = {entry["event"] for entry in story.journal()[CASE]}
    assert {ticket.raw, appointment.raw, late.raw} <= raw
    whole(story)


def test_the_alias_counts_nothing_itself(tmp_path):
    """Its case is empty, its events stand as forwarded, its chain ends with a link."""
    story = Story(tmp_path)
    story.play([event("TicketTaken", -1, case=TICKET), linked(CASE, TICKET, "TICKET"), event("Applied")])
    state = story.states()[TICKET]
    assert (state.case.events, [entry.standing for entry in state.ledger]) == (0, ["forwarded"])
    assert story.kinds(TICKET)[-1] == "LINK"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_ticket_that_serves_two_cases_belongs_to_both(tmp_path, order):
    """One visit, two applications: they stay two cases."""
    parts = [
        event("TicketTaken", -1, case=TICKET),
        linked(CASE, TICKET, "TICKET"),
        linked("city:2", TICKET, "TICKET"),
    ]
    story = Story(tmp_path)
    for index in order:
        story.play([parts[index]])
    for case, link in ((CASE, parts[1]), ("city:2", parts[2])):
        assert story.states()[case].case == fold([parts[0], link], LawProfile(), case)
    whole(story)


def test_two_numbers_of_one_case_end_at_the_one_of_the_better_namespace(tmp_path):
    """The profile names the canonical namespace first; which number was heard of first does not matter."""
    profile = LawProfile(namespaces=("city",))
    split = [event("Applied", case="city:1"), event("Accepted", 1, case="another:1"), event("Decided", 2, case="another:1")]
    link = linked("another:1", "city:1", "SAME_CASE")
    for number, order in enumerate(permutations([*split, link])):
        story = Story(tmp_path / str(number), profile)
        for one in order:
            story.play([one])
        states = story.states()
        assert states["city:1"].case == fold([*split, link], profile, "city:1")
        assert states["another:1"].forwards_to == "city:1"
        whole(story)


@pytest.mark.parametrize("seed", range(10))
def test_many_numbers_of_one_case_end_at_the_best_whatever_breaks(tmp_path, seed):
    """A chain of links told in any order, some by the winner, some by the loser, with routers dying: one case."""
    random = Random(seed)
    keys = [f"city:{number}" for number in range(6)]
    events = [event("Applied", case=keys[3])]
    events += [event("StepCompleted", number + 1, case=key) for number, key in enumerate(keys)]
    for number in range(1, len(keys)):
        pair = random.sample([keys[number], keys[random.randrange(number)]], 2)
        events.append(linked(*pair, "SAME_CASE"))
    random.shuffle(events)
    story = Story(tmp_path, routers=2)
    for start in range(0, len(events), 3):
        story.play(events[start : start + 3], random)
    story.work()
    states = story.states()
    assert states["city:0"].case == fold(events, LawProfile(), "city:0")
    assert all(states[key].forwards_to for key in keys[1:])
    assert not any(states[key].case.events for key in keys[1:])
    whole(story)


def test_what_the_loser_decided_is_taken_back_and_the_winner_decides_anew(tmp_path):
    """The receiver learns the number under which the case goes on."""
    story = Story(tmp_path)
    story.play([event("Applied", case="city:2"), event("HandedUp", 1, case="city:2")])
    story.play([linked("city:1", "city:2", "SAME_CASE")])
    told = [(one["case"], one["kind"]) for one in story.deliveries() if one["rule"] == "hand_up"]
    assert sorted(told) == [("city:1", "handed_up"), ("city:2", "handed_up"), ("city:2", "withdrawn")]
    assert story.kinds("city:2")[-1] == "LINK"


def test_two_numbers_each_said_to_be_the_others_name_are_told_to_a_person(tmp_path):
    """The event goes round once, then to the dead letters; nothing loops."""
    story = Story(tmp_path)
    story.play([linked("city:1", "city:2", "LOCAL_NUMBER"), linked("city:2", "city:1", "LOCAL_NUMBER")])
    story.play([event("Applied", case="city:1")])
    assert "link_cycle" in {letter["reason"] for letter in story.letters()}
    whole(story)


def test_the_end_of_input_waits_for_what_is_forwarded_twice(tmp_path):
    """A ticket of a local number of a case: its event takes two hops, and the end comes after it."""
    story = Story(tmp_path, batch=1)
    story.publish([event("TicketTaken", -1, case=TICKET), linked("local:5", TICKET, "TICKET")])
    story.publish([linked(CASE, "local:5", "LOCAL_NUMBER"), event("Applied")])
    story.end()
    story.work()
    assert story.ended() == set(range(PARTITIONS))
    for number in range(PARTITIONS):
        mine = [one for one in story.cluster.records("case.journal") if one.partition == number]
        names = [CODEC.decode_record(one.value) for one in mine]
        last = max(index for index, (name, value) in enumerate(names) if name == "InputEnded" and value["hop"] == 2)
        assert all(name == "InputEnded" for name, _ in names[last:])
    assert event("TicketTaken", -1, case=TICKET).type in {
        CODEC.decode(entry["event"]).type for entry in story.journal()[CASE] if entry["event"]
    }


def wrong(link, at: float = 9.0):
    return event("Corrected", at, case=link.case, corrects=link.id)


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_cancelled_link_takes_back_what_it_forwarded(tmp_path, order):
    """Whatever came first, ticket and case end as if they had never been tied; what was taken back stays in the journal."""
    ticket = event("TicketTaken", -1, case=TICKET)
    link = linked(CASE, TICKET, "TICKET")
    cancelled = wrong(link)
    parts = [[ticket], [link], life(), [cancelled]]
    story = Story(tmp_path)
    for index in order:
        story.play(parts[index])
    states = story.states()
    assert states[CASE].case == fold([link, *life()[:0], *parts[2], cancelled], LawProfile(), CASE)
    assert states[TICKET].case == fold([ticket], LawProfile(), TICKET)
    assert (states[TICKET].forwards_to, states[TICKET].belongs_to) == ("", [])
    whole(story)


def test_a_cancelled_link_of_two_numbers_gives_each_its_case_again(tmp_path):
    """What the loser had decided is decided anew there, the winner's decision is compensated."""
    story = Story(tmp_path)
    link = linked("city:1", "city:2", "SAME_CASE")
    mine = [event("Applied", case="city:2"), event("HandedUp", 1, case="city:2"), event("Applied", 2, case="city:1")]
    story.play([*mine, link])
    assert story.states()["city:1"].case.hand_overs
    cancelled = wrong(link)
    story.play([cancelled])
    states = story.states()
    assert states["city:2"].case == fold(mine[:2], LawProfile(), "city:2")
    assert states["city:1"].case == fold([mine[2], link, cancelled], LawProfile(), "city:1")
    told = [(one["case"], one["kind"]) for one in story.deliveries() if one["rule"] == "hand_up"]
    assert told[-2:] in ([("city:1", "withdrawn"), ("city:2", "handed_up")], [("city:2", "handed_up"), ("city:1", "withdrawn")])
    assert "REINSTATED" in story.kinds("city:2")
    whole(story)


def test_a_newer_version_of_a_link_unties_the_old_key(tmp_path):
    """The window had typed the wrong ticket: the row comes again with the right one."""
    story = Story(tmp_path)
    tickets = [event("TicketTaken", -1, case=key) for key in (TICKET, "ticket:8")]
    first = event("Linked", case=CASE, other=TICKET, relation="TICKET", row="L", version=1)
    second = event("Linked", case=CASE, other="ticket:8", relation="TICKET", row="L", version=2)
    story.play([*tickets, *life(), first])
    story.play([second])
    states = story.states()
    assert states[CASE].case.links == ["ticket:8"]
    assert (states[TICKET].forwards_to, states["ticket:8"].forwards_to) == ("", CASE)
    whole(story)


@pytest.mark.parametrize("seed", range(8))
def test_links_that_come_and_go_among_many_numbers_leave_only_those_that_count(tmp_path, seed):
    """In a star of numbers of one case some links are cancelled: each number ends where the others say, in any order."""
    random = Random(seed)
    keys = [f"city:{number}" for number in range(5)]
    lives = [event("StepCompleted", number + 1, case=key) for number, key in enumerate(keys)]
    links = [linked(keys[0], key, "SAME_CASE") for key in keys[1:]]
    gone = random.sample(links, 2)
    events = [event("Applied", case=keys[0]), *lives, *links]
    random.shuffle(events)
    story = Story(tmp_path, routers=2)
    story.play(events, random)
    for link in gone:
        story.play([wrong(link)], random)
    story.work()
    states = story.states()
    for link in links:
        other = link.body["other"]
        assert states[other].forwards_to == ("" if link in gone else keys[0])
        assert (states[other].case.events == 1) == (link in gone)
    assert states[keys[0]].case.events == 4
    whole(story)


def test_a_cancellation_that_is_cancelled_ties_again(tmp_path):
    """The link was right after all: what the ticket holds counts in the case as before."""
    story = Story(tmp_path)
    ticket, link = event("TicketTaken", -1, case=TICKET), linked(CASE, TICKET, "TICKET")
    mistaken = wrong(link)
    for one in [ticket, *life(), link, mistaken, event("Corrected", 10, case=CASE, corrects=mistaken.id)]:
        story.play([one])
    states = story.states()
    assert states[TICKET].forwards_to == CASE
    assert [one.id for one in states[CASE].case.tickets] == ["T1"]
    whole(story)
