"""Dead letters: mended, replayed and dismissed by somebody for a reason, and judged by what the router says afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from letter_world import ME, Make, World, makers

from bus.errors import ConfigurationError, FencedError
from bus.ports import Message, Record
from bus.topics import RETRIES
from casebus.letters import ledger
from casebus.letters.again import said_by
from casebus.letters.correct import corrected, edited
from connectors import deadletters
from schemas.handled import State

APPLIED = "1,C1,A,2026-03-02,EN-001"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with makers(tmp_path) as make:
        yield make


def test_a_row_whose_code_is_mapped_now_is_published_as_it_would_have_been(make: Make) -> None:
    """The id is that of the row, the mapping that of today; the letter is mended when its event stands in the journal."""
    world = make(APPLIED, "2,C1,X,2026-03-03,")
    name = world.the_only().id
    world.map({"type": "Received", "on": "X"})
    world.again()
    world.replay(name)
    assert (world.state(name), world.open()) == ("mended", [])
    (connector,) = world.wiring.connectors
    *_, row = [row for batch in connector.open().fetch(None, 10) for row in batch.records]
    found = connector.mapping.translate(row, world.wiring.receipts.now())
    assert [(one.id, one.header["sequence"]) for one in world.events()[1:]] == [(one.id, one.header["sequence"]) for one in found]
    assert [act.state for act in world.desk.items()[0].acts] == [State.REPLAYED, State.MENDED]


def test_a_row_that_nothing_was_done_about_is_refused_again(make: Make) -> None:
    """Nothing is published, and the letter stays in the list with what is said of it today."""
    world = make(APPLIED, "2,C1,X,2026-03-03,")
    name = world.the_only().id
    world.replay(name)
    item = world.the_only()
    assert (item.state, item.reason, len(world.events()), world.letters()) == (State.REFUSED_AGAIN, "unknown_code", 1, 1)


def test_a_row_given_no_event_needs_nobody(make: Make) -> None:
    """A code that the mapping ignores now is understood."""
    world = make(APPLIED, "2,C1,X,2026-03-03,")
    path = world.folder / "connectors" / "dep.yaml"
    path.write_text(path.read_text("utf-8") + "ignore: [X]\n", "utf-8")
    world.again()
    world.replay(world.the_only().id)
    assert (world.open(), len(world.events())) == ([], 1)


def test_a_mended_row_goes_through_the_same_mapping_and_what_came_is_kept(make: Make) -> None:
    """The correction stands beside the bytes, with who and why, and holds for later replays too."""
    world = make(APPLIED, "2,C1,B,2026-02-30,")
    name = world.the_only().id
    letter = world.desk.letters([name])[name]
    row = corrected({"serial": "2", "number": "C1", "state": "B", "at": "2026-02-30", "item": ""}, ["at=2026-02-28"], "CONNECTOR")
    world.desk.replay([name], ME, {name: row})
    world.route()
    world.desk.settle([name], ME, 5)
    (item,) = world.desk.items()
    first = item.acts[0]
    assert (item.state, first.by, first.why, first.row) == (State.MENDED, *ME, row)
    assert world.desk.letters([name])[name] == letter
    assert letter.value["raw"] == b"2,C1,B,2026-02-30,\n"
    assert [event.type for event in world.events()] == ["Applied", "Accepted"]


def test_a_correction_holds_for_later_replays(make: Make) -> None:
    """The row was mended, but its code was mapped only afterwards."""
    world = make(APPLIED, "2,C1,X,2026-02-30,")
    name = world.the_only().id
    world.desk.replay([name], ME, {name: {"serial": "2", "number": "C1", "state": "X", "at": "2026-02-28"}})
    assert world.the_only().reason == "unknown_code"
    world.map({"type": "Received", "on": "X"})
    world.again()
    world.replay(name)
    assert world.state(name) == "mended"


def test_another_event_under_the_same_id_is_no_proof(make: Make) -> None:
    """The journal has the id, but it says something else: the letter is refused, for the row was told in two ways."""
    world = make(APPLIED, "2,C1,B,2026-03-03,", "2,C1,B,2026-02-30,")
    name = world.the_only().id
    world.desk.replay([name], ME, {name: {"serial": "2", "number": "C1", "state": "B", "at": "2026-02-28"}})
    assert world.state(name) == "replayed"
    world.route()
    assert world.letters() == 2  # the row's, and the router's answer, which is no letter more to work on
    item = world.the_only()
    assert (item.id, item.state, item.reason) == (name, State.REFUSED_AGAIN, "conflicting_id")


def test_letters_are_replayed_in_the_order_of_their_source(make: Make) -> None:
    """However they were named: a case is told in order."""
    wrong = [f"{number},C1,X,2026-03-0{number},EN-001" for number in range(2, 9)]
    world = make(APPLIED, *wrong)
    names = [item.id for item in world.open()]
    world.map({"type": "Received", "on": "X"})
    world.again()
    world.replay(*reversed(names))
    assert [event.header["source"]["key"] for event in world.events()] == [str(number) for number in range(1, 9)]
    assert world.open() == []


def test_a_row_that_could_not_be_read_is_mended_by_saying_all_of_it(make: Make) -> None:
    """Its bytes alone say nothing; replayed as it is, the sentence says what can be done."""
    world = make(APPLIED, "2,C1,B,2026-03-0\udcff,")
    name = world.the_only().id
    world.replay(name)
    assert "Mend it (casebus deadletters mend" in world.the_only().text
    row = corrected(None, ["serial=2", "number=C1", "state=B", "at=2026-03-03", "item="], "CONNECTOR")
    world.desk.replay([name], ME, {name: row})
    assert world.route().state(name) == "mended"


@pytest.mark.parametrize("added", [True, False], ids=["with the item", "without"])
def test_an_event_that_the_router_refused_goes_to_it_again(make: Make, added: bool) -> None:
    """Its published bytes, unchanged; where it is refused once more only the last letter is listed."""
    world = make("1,C1,A,2026-03-02,EN-002")
    name = world.the_only().id
    if added:
        items = world.folder / "catalogue"
        text = (items / "EN-001.yaml").read_text("utf-8")
        (items / "EN-002.yaml").write_text(text.replace("EN-001", "EN-002"), "utf-8")
        world.restart()
    world.replay(name)
    first, second = world.events()
    assert first.raw == second.raw
    assert world.letters() == (1 if added else 2)
    assert [item.reason for item in world.open()] == ([] if added else ["unknown_item"])


def test_an_event_can_be_mended_too(make: Make) -> None:
    """The id stays, what it says is new; the letter of the first saying is mended."""
    world = make("1,C1,A,2026-03-02,EN-002")
    name = world.the_only().id
    letter = world.desk.letters([name])[name]
    said = said_by(letter, world.wiring.codec)
    world.desk.replay([name], ME, {name: corrected(said, ["item=EN-001"], "ROUTER")})
    world.route()
    wrong, right = world.events()
    assert (right.id, right.header["item"]) == (wrong.id, "EN-001")
    assert right.header["body_hash"] != wrong.header["body_hash"]
    assert world.state(name) == "mended"


def test_what_the_router_does_not_count_is_not_mended_by_its_silence(make: Make) -> None:
    """A case without an application: sent again it changes nothing, and that is said; its application mends it by itself."""
    world = make("2,C1,B,2026-03-03,EN-001")
    world.end_input().route()
    name = world.the_only().id
    world.replay(name)
    item = world.the_only()
    assert (item.state, item.reason) == (State.REFUSED_AGAIN, "no_application")
    assert item.text.startswith("The router has read it again, and it still does not count: ")
    world.write("2,C1,B,2026-03-03,EN-001", APPLIED)
    world.publish().route()
    assert (world.state(name), world.open()) == ("mended", [])


def test_while_the_router_is_not_heard_the_letter_waits(make: Make) -> None:
    """It is listed as replayed; the next look after the router's work finds it mended, without anybody's doing."""
    world = make(APPLIED, "2,C1,B,2026-02-30,")
    name = world.the_only().id
    world.desk.replay([name], ME, {name: {"serial": "2", "number": "C1", "state": "B", "at": "2026-02-28"}})
    world.desk.settle([name], ME, 0)
    assert world.state(name) == "replayed"
    assert world.route().state(name) == "mended"


def test_two_who_replay_at_once_publish_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second takes the producer over; what the first wrote does not stand."""
    world = make(APPLIED, "2,C1,X,2026-03-03,")
    name = world.the_only().id
    world.map({"type": "Received", "on": "X"})
    world.again()
    read = ledger.read

    def and_somebody_else(client: object) -> ledger.Ledger:
        monkeypatch.setattr(ledger, "read", read)
        world.desk.replay([name], ME)
        return read(world.cluster)

    monkeypatch.setattr(ledger, "read", and_somebody_else)
    with pytest.raises(FencedError):
        world.desk.replay([name], ME)
    assert len(world.events()) == 2


def test_a_dismissed_letter_is_listed_no_more_and_says_why(make: Make) -> None:
    """Even when the same row is read once more: only other bytes are news."""
    world = make(APPLIED, "2,C1,X,2026-03-03,")
    world.desk.dismiss([world.the_only().id], ME)
    assert world.open() == []
    (item,) = world.desk.items()
    assert (item.state, item.acts[0].why) == (State.DISMISSED, ME.why)


def test_a_delivery_is_due_again_and_its_next_refusal_is_the_answer(make: Make) -> None:
    """Whether it was taken only its receiver says; a new letter says that it was not."""
    world = make(APPLIED)
    delivery = {"delivery_id": "d1", "case": "case:C1", "sequence": 1, "rule": "up", "to": "x@1", "hand_over": None}
    raw = world.wiring.codec.encode_record("Delivery", {**delivery, "kind": "up", "decided_at": 1, "summary": {}})
    record = came(world, raw)
    letter = deadletters.of_delivery(record, delivery, "no_receiver", "No system here takes it.")
    world.cluster.publish([deadletters.message(letter, world.wiring.codec, 2, 1)])
    name = world.route().the_only().id
    world.replay(name)
    *_, due = sorted(world.cluster.records(RETRIES.name), key=lambda one: one.timestamp)
    assert (due.value, due.key, world.state(name)) == (raw, b"x@1", "replayed")
    world.cluster.publish([deadletters.message({**letter, "text": "Still nobody."}, world.wiring.codec, 2, 2)])
    assert world.route().the_only().text == "Still nobody."


def came(world: World, raw: bytes) -> Record:
    """The delivery as it came to whoever delivers."""
    world.cluster.publish([Message(RETRIES.name, 0, b"x@1", raw, 1, (("type", b"Delivery"),))])
    return world.cluster.records(RETRIES.name)[0]


def test_a_slip_of_the_pen_is_no_new_column() -> None:
    """The columns that there are stand in the sentence."""
    with pytest.raises(ConfigurationError, match=r"no column tme\. There are: time, who\."):
        corrected({"time": "", "who": ""}, ["tme=1"], "CONNECTOR")
    with pytest.raises(ConfigurationError, match="has no value"):
        corrected({"time": ""}, ["time"], "CONNECTOR")


def test_a_nested_column_is_named_by_its_path() -> None:
    """What stands around the row stays."""
    row = {"step": {"at": "1"}, "..": {"number": "C1"}}
    assert corrected(row, ["step.at=2"], "CONNECTOR") == {"step": {"at": "2"}, "..": {"number": "C1"}}
    assert row["step"] == {"at": "1"}


def test_the_editor_gives_the_row_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What whoever edits leaves as it was is nothing to mend; what is no JSON is said."""
    row = {"at": "2026-02-30", "..": {"number": "C1"}}
    monkeypatch.delenv("VISUAL", raising=False)
    for editor, told in (("true", "Nothing was changed"), ("sed -i s/}/]/", "no JSON object"), ("false", "failed")):
        monkeypatch.setenv("EDITOR", editor)
        with pytest.raises(ConfigurationError, match=told):
            edited(row, "wrong")
    monkeypatch.setenv("EDITOR", "sed -i s/-30/-28/")
    assert edited(row, "it is the 30th") == {**row, "at": "2026-02-28"}
    monkeypatch.delenv("EDITOR")
    with pytest.raises(ConfigurationError, match="No editor is named"):
        edited(row, "wrong")
