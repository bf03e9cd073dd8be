"""A case is the fold of what was reported: any order of arrival and any repetition gives the same case."""

from itertools import permutations
from random import Random

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from router_lives import EVERY_DAY_WORKS, HOUR, START, event, life, moment, on_day

from router.case import EFFECTS, apply, fold, in_order
from router.findings import FINDINGS
from router.law import ABOUT, AFTER_END, IGNORED, MAIN, PRELIMINARY, TRACKS, LawProfile, Unaccepted
from schemas.case import Case, Outcome, Phase
from schemas.codec import default
from schemas.envelope import Event

PLAIN = LawProfile()
COUNTING = LawProfile(terms=EVERY_DAY_WORKS)
SETTING_ASIDE = LawProfile(after_end="set_aside")
#: Types with an effect of their own in a life, without those that only the router's intake judges.
TYPES = sorted(set(default().types) - {"AlertRaised", "AlertWithdrawn"})


def codes(case: Case) -> list[str]:
    return [finding.code for finding in case.findings]


def test_every_event_type_is_applied_or_ignored_with_a_reason():
    """No type falls through: it has an effect, or a reason why it has none, and never both."""
    assert EFFECTS.keys() | IGNORED.keys() == set(default().types)
    assert not EFFECTS.keys() & IGNORED.keys()


def test_the_tables_name_only_event_types_that_exist():
    """A misspelt name in a table would never match anything."""
    named = {*MAIN, *AFTER_END, *ABOUT, *PRELIMINARY, *(name for track in TRACKS for name in track.starts + track.ends)}
    assert named <= set(default().types)


def test_a_plain_life_gives_a_finished_case_without_findings():
    """Applied, accepted, worked on, decided, collected: each leaves its mark."""
    case = fold(life(), PLAIN)
    assert (case.phase, case.outcome, case.events, case.rating) == (Phase.ENDED, Outcome.GRANTED, 8, 5)
    assert None not in (case.applied_at, case.accepted_at, case.stopped_at, case.ended_at, case.collected_at)
    assert codes(case) == []


@pytest.mark.parametrize("profile", [PLAIN, SETTING_ASIDE], ids=["flag", "set aside"])
@pytest.mark.parametrize("type_name", sorted(default().types))
def test_any_type_can_come_at_any_point_of_a_life(type_name, profile):
    """Apply is total: a fact that breaks every order is still applied."""
    lives = life()
    for after in range(len(lives) + 1):
        case = fold(lives[:after], profile, "city:1")
        assert apply(case, event(type_name, 20), profile).last.occurred_at > 0


def test_apply_leaves_its_argument_untouched():
    """Every type applied to a rich case: the case before reads the same afterwards."""
    rich = fold([*life()[:5], event("ClockPaused", 5), event("HandedUp", 6), event("AlertRaised", 7)], PLAIN)
    before = msgspec.msgpack.encode(rich)
    for type_name in default().types:
        apply(rich, event(type_name, 30), PLAIN)
    assert msgspec.msgpack.encode(rich) == before


def test_every_finding_that_an_applier_names_is_in_the_law():
    """Walk pairs of types in every order; whatever is found has a sentence and a legal basis."""
    found = set()
    for first in default().types:
        for second in default().types:
            found |= set(codes(fold([event(first, 1), event(second, 2)], PLAIN)))
    assert found <= FINDINGS.keys()
    assert len(found) > 15


@st.composite
def lives_of_any_kind(draw) -> list[Event]:
    """Events of one case: any types, close in time so that they tie, with versions, conflicts and corrections."""
    count = draw(st.integers(1, 14))
    events = []
    for number in range(count):
        fields = {
            "row": f"r{draw(st.integers(0, number))}",
            "version": draw(st.integers(1, 3)),
            "kind": draw(st.sampled_from(["a", "b"])),
            "system": draw(st.sampled_from(["hall", "office"])),
            "header_sequence": draw(st.integers(0, 2)),
            "header_reported_at": draw(st.sampled_from([None, {"at": 5, "precision": "SECOND", "zone": "UTC"}])),
            "header_conflict": draw(st.sampled_from(["REJECT", "REPLACE"])),
        }
        name = draw(st.sampled_from(TYPES))
        if name == "Corrected" and events:
            fields["corrects"] = draw(st.sampled_from(events)).id
        events.append(event(name, draw(st.integers(0, 4)), **fields))
    return events


#: Lives that once were hard: one moment in two systems, a day that covers exact moments, an end and a reopening on one day.
ONE_MOMENT = [
    event(name, 1, system=system, header_sequence=1) for name in ("Accepted", "Decided", "HandedUp") for system in ("hall", "a")
]
ONE_DAY = [event("Applied", 0.1), on_day("Accepted", 1), event("StepCompleted", 0.9, opinion="PASS"), on_day("Decided", 1)]
ONE_MONTH = [event("Applied", 3), event("Accepted", 0, header_occurred_at=moment(START, "MONTH")), event("ClockPaused", 9)]
TAKEN_UP = [event("Applied", 0), on_day("Withdrawn", 2), on_day("Reopened", 2), event("Accepted", 2.2), event("Decided", 3)]
HARD = (ONE_MOMENT, ONE_DAY, ONE_MONTH, TAKEN_UP)


@example(ONE_MOMENT, Random(1), PLAIN)
@example(ONE_DAY, Random(2), PLAIN)
@example(ONE_MONTH, Random(3), SETTING_ASIDE)
@example(TAKEN_UP, Random(4), SETTING_ASIDE)
@given(lives_of_any_kind(), st.randoms(use_true_random=False), st.sampled_from([PLAIN, SETTING_ASIDE]))
def test_any_interleaving_and_repetition_folds_to_the_same_case(events, random, profile):
    """Order and repetition of arrival carry no meaning."""
    expected = fold(events, profile, "city:1")
    shuffled = events + random.choices(events, k=5)
    random.shuffle(shuffled)
    assert fold(shuffled, profile, "city:1") == expected


@pytest.mark.parametrize("profile", [PLAIN, SETTING_ASIDE], ids=["flag", "set aside"])
@pytest.mark.parametrize("events", HARD, ids=["one moment", "one day", "one month", "taken up"])
def test_every_order_of_arrival_of_a_hard_life_gives_one_case(events, profile):
    """All permutations, applied one by one where that is in order and folded again where it is not."""
    whole = fold(events, profile, "city:1")
    for order in permutations(events):
        case, known = Case("city:1"), []
        for one in order:
            known.append(one)
            case = apply(case, one, profile) if in_order(case, one.order) else fold(known, profile, "city:1")
        assert case == whole


def test_a_life_of_one_day_is_told_in_the_order_of_the_law():
    """Accepted and decided on a day, worked on at an hour of it: nothing is found."""
    assert codes(fold(ONE_DAY, PLAIN)) == []


@given(lives_of_any_kind())
def test_applying_in_business_order_equals_the_fold(events):
    """One cheap apply an event gives what folding all of them gives, where nothing is replaced or taken away."""
    known, plain = [], {one.origin: one for one in events if one.type != "Corrected"}.values()
    case = Case("city:1")
    for one in sorted(plain, key=lambda one: one.order):
        assert case.last is None or one.order > case.last
        known.append(one)
        case = apply(case, one, PLAIN) if in_order(case, one.order) else fold(known, PLAIN, "city:1")
    assert case == fold(plain, PLAIN, "city:1")


def test_a_late_acceptance_explains_the_opinion_before_it():
    """The finding stands until the acceptance is known, which happened before the opinion."""
    opinion = event("StepCompleted", 3, opinion="PASS")
    known = [event("Applied"), opinion]
    assert codes(fold(known, PLAIN)) == ["opinion_before_acceptance"]
    assert codes(fold([*known, event("Accepted", 1)], PLAIN)) == []


def test_a_preceding_joint_approval_has_the_consents_of_others_before_its_acceptance():
    """That is what it is for; the lead's own opinion comes after all the same."""
    applied = event("Applied", form="PRECEDING_JOINT", header_authority="housing@500103")
    for who, found in (("fire@500103", []), ("housing@500103", ["opinion_before_acceptance"])):
        opinion = event("StepCompleted", 2, opinion="PASS", header_authority=who)
        assert codes(fold([applied, opinion, event("Accepted", 3, header_authority="housing@500103")], PLAIN)) == found


def test_an_acceptance_after_the_opinion_leaves_the_finding():
    """It did happen in this order: applied, and flagged."""
    case = fold([event("Applied"), event("StepCompleted", 2, opinion="PASS"), event("Accepted", 3)], PLAIN)
    assert codes(case) == ["opinion_before_acceptance"]
    assert case.accepted_at is not None


def test_examining_papers_before_the_acceptance_is_no_finding_unless_the_profile_says_so():
    """Only opinions and parts of joint approvals break the order by default."""
    events = [event("Applied"), event("StepCompleted", 1), event("Accepted", 2)]
    assert codes(fold(events, PLAIN)) == []
    assert codes(fold(events, LawProfile(flag_steps_before_acceptance=True))) == ["step_before_acceptance"]


def test_the_first_of_two_acceptances_starts_the_clock():
    """The second is a finding."""
    case = fold([event("Applied"), first := event("Accepted", 1), event("Accepted", 2)], PLAIN)
    assert case.accepted_at == first.occurred_at
    assert codes(case) == ["accepted_twice"]


def test_a_decision_without_acceptance_names_both_faults_until_the_acceptance_comes():
    """Decided before any acceptance is known, and never accepted."""
    events = [event("Applied"), event("Decided", 3)]
    assert codes(fold(events, PLAIN)) == ["decision_before_acceptance", "never_accepted"]
    assert codes(fold([*events, event("Accepted", 1)], PLAIN)) == []


def test_a_profile_can_miss_the_acceptance_from_the_application_on():
    """Then the finding stands on every case that nobody has accepted, and goes with acceptance, refusal or withdrawal."""
    profile = LawProfile(unaccepted=Unaccepted.FROM_APPLICATION)
    assert codes(fold([event("Applied")], profile)) == ["never_accepted"]
    for answer in ("Accepted", "NotAccepted", "Withdrawn", "Returned"):
        assert "never_accepted" not in codes(fold([event("Applied"), event(answer, 1)], profile))


def test_a_second_supplement_notice_is_a_finding():
    """Art. 32: once and completely; a profile may allow more rounds."""
    events = [event("Applied")]
    for number in (1, 2):
        events += [event("SupplementRequested", number, round=number), event("SupplementReceived", number + 0.5, round=number)]
    case = fold(events, PLAIN)
    assert codes(case) == ["second_supplement_notice"]
    assert [one.round for one in case.supplements] == [1, 2]
    assert codes(fold(events, LawProfile(supplement_rounds=3))) == []


def test_papers_due_on_a_day_may_come_until_its_end():
    """The notice names a day: its last moment counts, as for every limit that is told as a day."""
    due = {"at": START, "precision": "DAY", "zone": "Asia/Shanghai"}
    case = fold([event("Applied", -3), event("SupplementRequested", -2, due=due)], PLAIN)
    assert case.supplements[0].due_at == START + 24 * HOUR - 1


def test_pauses_are_told_open_and_closed_and_their_faults_found():
    """Resumed without a pause; a pause still open at the decision."""
    accepted = [event("Applied"), event("Accepted", 1)]
    assert codes(fold([*accepted, event("ClockResumed", 2)], PLAIN)) == ["resumed_without_pause"]
    open_case = fold([*accepted, event("ClockPaused", 2)], PLAIN)
    assert open_case.paused
    assert codes(fold([*accepted, event("ClockPaused", 2), event("Decided", 3)], PLAIN)) == ["pause_open_at_decision"]
    assert codes(fold([*accepted, event("ClockPaused", 2), event("ClockResumed", 2.5), event("Decided", 3)], PLAIN)) == []


def test_what_comes_after_the_end_is_flagged_or_set_aside():
    """Flagged: applied with a finding. Set aside: the case does not change, and says which event it left out."""
    late = event("ClockPaused", 20)
    flagged, aside = fold([*life(), late], PLAIN), fold([*life(), late], SETTING_ASIDE)
    assert codes(flagged) == ["event_after_end"]
    assert flagged.pauses
    assert aside.set_aside == {late.id: "event_after_end"}
    assert not aside.pauses
    assert not aside.findings


def test_an_end_told_as_a_day_covers_its_day():
    """What a more exact source tells of the same day is not after the end; the next day is."""
    at = {"at": START, "precision": "DAY", "zone": "Asia/Shanghai"}
    ended = [event("Applied", -1), event("Withdrawn", 0, header_occurred_at=at)]
    assert codes(fold([*ended, event("ClockPaused", 0.6)], PLAIN)) == ["pause_before_acceptance"]
    assert "event_after_end" in codes(fold([*ended, event("ClockPaused", 1.1)], PLAIN))


def test_a_cancelled_end_reinstates_what_was_set_aside():
    """The withdrawal is taken back, so the later acceptance counts."""
    withdrawn = event("Withdrawn", 1)
    events = [event("Applied"), withdrawn, event("Accepted", 2)]
    assert fold(events, SETTING_ASIDE).accepted_at is None
    mended = fold([*events, event("Corrected", 3, corrects=withdrawn.id)], SETTING_ASIDE)
    assert mended.accepted_at is not None
    assert not mended.set_aside


def test_appointments_and_tickets_do_not_disturb_the_times_of_the_case():
    """They come before the application, whose day stays the first; they are no events of the case."""
    before = [event("AppointmentRequested", -9, case="appointment:1"), event("TicketTaken", -1, case="ticket:1")]
    case, plain = fold([*before, *life()], PLAIN, "city:1"), fold(life(), PLAIN)
    assert (case.events, case.first_at, case.last_at, case.applied_at) == (8, plain.first_at, plain.last_at, plain.applied_at)


def test_only_the_highest_version_of_a_row_counts_as_a_whole():
    """Version 1 gave an acceptance and a decision, version 2 only an acceptance: the decision is gone."""
    old = [event("Accepted", 1, row="x", kind="a"), event("Decided", 2, row="x", kind="b")]
    new = event("Accepted", 3, row="x", kind="a", version=2)
    case = fold([event("Applied"), *old, new], PLAIN)
    assert case.accepted_at == new.occurred_at
    assert case.outcome is None


def test_of_two_bodies_under_one_id_the_earliest_report_stands_or_the_latest():
    """REJECT keeps what was reported first, REPLACE what was reported last, whichever arrived first."""

    def said(at: int, type_name: str, conflict: str) -> Event:
        reported = {"at": at, "precision": "SECOND", "zone": "UTC"}
        return event(type_name, 1, row="x", kind="k", header_reported_at=reported, header_conflict=conflict)

    for policy, phase in (("REJECT", Phase.ACCEPTED), ("REPLACE", Phase.ENDED)):
        rivals = [said(1, "Accepted", policy), said(2, "Returned", policy)]
        for order in (rivals, rivals[::-1]):
            assert fold([event("Applied"), *order], PLAIN).phase is phase


def test_a_correction_can_itself_be_taken_back():
    """The second correction cancels the first, so the acceptance counts again."""
    accepted = event("Accepted", 1)
    first = event("Corrected", 2, corrects=accepted.id)
    second = event("Corrected", 3, corrects=first.id)
    assert fold([event("Applied"), accepted, first], PLAIN).accepted_at is None
    assert fold([event("Applied"), accepted, first, second], PLAIN).accepted_at is not None


def test_custody_moves_when_the_receiver_signs():
    """Sent is not received; another signature than the addressee's is a finding."""
    sent = [event("Applied"), event("Accepted", 1), event("HandedUp", 2)]
    assert fold(sent, PLAIN).holder == "quality@500103"
    signed = event("Received", 3, hand_over="H1", header_authority="quality@500000")
    assert fold([*sent, signed], PLAIN).holder == "quality@500000"
    other = event("Received", 3, hand_over="H1", header_authority="fire@500000")
    assert codes(fold([*sent, other], PLAIN)) == ["received_by_another"]


def test_the_lead_must_wait_for_all_assisting_authorities():
    """A part handed across and not answered at the decision is a finding; its opinion answers it."""
    sent = [event("Applied"), event("Accepted", 1), event("HandedAcross", 2, part="fire")]
    assert codes(fold([*sent, event("Decided", 4)], PLAIN)) == ["decided_before_all_answered"]
    answered = fold([*sent, event("StepCompleted", 3, part="fire", opinion="PASS"), event("Decided", 4)], PLAIN)
    assert codes(answered) == []
    assert answered.hand_overs[0].answered_at is not None


def test_a_closing_step_ends_the_case_where_the_profile_names_one():
    """Decided is then a phase of its own, and the end is the closing."""
    profile = LawProfile(closing_steps={"archive"})
    decided = [*life()[:5], event("Decided", 6)]
    assert fold(decided, profile).phase is Phase.DECIDED
    assert fold(decided, profile).ended_at is None
    closed = fold([*decided, event("StepCompleted", 7, step="archive")], profile)
    assert closed.phase is Phase.ENDED
    assert closed.stopped_at < closed.ended_at


def test_a_hand_up_later_than_twenty_working_days_after_the_acceptance_is_late():
    """Art. 43; judged only where days can be counted."""
    events = [event("Applied"), event("Accepted", 1), event("HandedUp", 22)]
    assert codes(fold(events, PLAIN)) == []
    assert codes(fold(events, COUNTING)) == ["late_hand_up"]
    assert codes(fold([*events[:2], event("HandedUp", 21)], COUNTING)) == []


def test_a_late_hand_up_is_the_one_that_its_deadline_calls_late():
    """Days in a special procedure are not counted, and a part that goes up, or a second time, is not the case's first."""
    paused = [event("ClockPaused", 5), event("ClockResumed", 9)]
    opened = [event("Applied"), event("Accepted", 1)]
    assert codes(fold([*opened, *paused, event("HandedUp", 24)], COUNTING)) == []
    (found,) = fold([*opened, *paused, event("HandedUp", 26)], COUNTING).findings
    assert found.facts == {"phase": "accepted", "days": "21", "limit": "20"}
    part = event("HandedUp", 2, hand_over="H0", part="fire")
    assert codes(fold([*opened, part, event("HandedUp", 24)], COUNTING)) == ["late_hand_up"]
    again = event("HandedUp", 24, hand_over="H2", header_authority="quality@500103")
    assert codes(fold([*opened, event("HandedUp", 3), again], COUNTING)) == []


def test_the_case_keeps_what_its_clocks_ask_for():
    """A step's own limit, a notice's last day, who started a procedure, who approved it, even sealed."""
    sealed = {"key": "k7", "cipher": b"x"}
    events = [
        event("StepStarted", 1, limit_days=3),
        event("SupplementRequested", 1, due=moment(START + HOUR)),
        event("ClockPaused", 2, approver=sealed, header_authority="fire@500103"),
        event("LimitExtended", 3, approver={"value": "王平"}),
    ]
    case = fold(events, PLAIN)
    assert (case.steps[0].limit_days, case.supplements[0].due_at) == (3, START + HOUR + 999_999)
    assert (case.pauses[0].by, case.pauses[0].approver) == ("fire@500103", "sealed:k7")
    assert case.extensions[0].approver == "王平"


def test_an_appointment_waits_for_the_call_back_and_keeps_the_date_fixed():
    """The first request and the first call back count, the last date stands; whichever came first."""
    asked = [event("AppointmentRequested", at) for at in (1, 2)]
    told = [event("AppointmentConfirmed", at, visit_at=moment(START + at)) for at in (3, 4)]
    (one,) = fold([*asked, *told], PLAIN).appointments
    assert (one.requested_at, one.confirmed_at) == (asked[0].occurred_at, told[0].occurred_at)
    assert (one.visit_at, one.by) == (START + 4, "quality@500103")
    (late,) = fold([told[0], asked[1].__class__(asked[1].type, asked[1].header, asked[1].body)], PLAIN).appointments
    assert late.requested_at == asked[1].occurred_at


def test_links_in_a_header_are_shown_with_the_case_and_move_nothing():
    """Information of the source; only a Linked event ties two keys."""
    case = fold([event("Applied", header_links=["local:5", "city:1"])], PLAIN)
    assert (case.links, case.merged) == (["local:5"], [])
