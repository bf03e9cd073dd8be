"""A deployment whose personal fields are sealed: from the row to the page, and what is left when a case's key is destroyed."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from letter_world import MAPPING, ME, World
from typer.testing import CliRunner

from bus import topics
from bus.topics import EVENTS
from casebus.__main__ import app
from casebus.acts import message
from casebus.audit import Inputs, Reading, audit
from casebus.audit.sealed import Seals
from casebus.commands import look
from connectors import config
from connectors.runner import Runner
from connectors.source import SourceRecord
from connectors.worker import Pauses, Worker
from monitor.opened import opened
from monitor.service import Service
from monitor.statistics.source import Window, case_at
from monitor.view import View
from monitor.web.access import Role, User
from monitor.web.models.case import applicant
from monitor.web.models.says import who
from monitor.web.queries import recorded
from monitor.web.site import Act
from router.journal import verify
from schemas.sealing import keys_of

HEAD = "serial,number,state,at,item,name,phone,clerk"
ONE, TWO = "50000120260105000011", "50000120260105000012"
PERSONAL = ("王小明", "13800138000", "李科长", "赵六", "13911112222")
ROWS = (
    f"1,{ONE},A,2026-01-05,EN-001,王小明,13800138000,李科长",
    f"2,{ONE},B,2026-01-06,EN-001,,,李科长",
    f"3,{TWO},A,2026-01-05,EN-001,赵六,13911112222,李科长",
)


class Sealed(World):
    """The world of the dead letters, with people in its rows."""

    seals = True

    def write(self, *rows: str) -> None:
        (self.folder / "exports" / "rows.csv").write_text("\n".join([HEAD, *rows]) + "\n", "utf-8")

    def map(self, *more: dict[str, Any]) -> None:
        del more
        body = {"applicant": {"name": "name", "phone": "phone", "kind": "'NATURAL_PERSON'"}}
        found: dict[str, Any] = {
            **MAPPING,
            "columns": MAPPING["columns"] | {"name": {}, "phone": {}, "clerk": {}},
            "header": MAPPING["header"] | {"actor": "clerk"},
            "events": [{"type": "Applied", "on": "A", "body": body}, {"type": "Accepted", "on": "B"}],
        }
        (self.folder / "connectors" / "dep.yaml").write_text(yaml.safe_dump(found, allow_unicode=True), "utf-8")
        self.seal() if self.seals else None

    def seal(self) -> None:
        """Somebody asks for it: a master key, and a section in casebus.yaml."""
        place = self.folder / "secrets"
        place.mkdir(exist_ok=True)
        (place / "dep.key").write_bytes(base64.b64encode(os.urandom(32)) + b"\n")
        head = self.folder / "casebus.yaml"
        section = {"sealing": {"seal": {"dep": {"master": "dep-2026", "file": "secrets/dep.key"}}}}
        head.write_text(head.read_text("utf-8") + yaml.safe_dump(section), "utf-8")

    def publish_anew(self) -> None:
        """As after `casebus connector rewind`: every row once more."""
        for connector in self.wiring.connectors:
            runner = Runner(connector, self.cluster, self.wiring.codec, self.wiring.receipts)
            assert runner.rewind(secrets.token_hex(4), None)
            runner.run_once()
            runner.close()

    def audited(self) -> list[str]:
        how = Reading(self.wiring.receipts.now(), False, self.wiring.deployment.zone, Seals(self.wiring.ring).fact)
        found = audit(Inputs(self.cluster, self.wiring.codec, self.view, self.wiring.compared, how))
        return [str(one) for one in found.differences]

    def written(self) -> Iterator[bytes]:
        """Every byte that left the connector: all topics, states on disk, the view."""
        for topic in topics.ALL:
            for record in self.cluster.records(topic.name):
                yield from (record.key or b"", record.value or b"", *(value for _, value in record.headers))
        for place in (self.folder.parent / "stores", self.folder / ".casebus"):
            yield from (path.read_bytes() for path in place.rglob("*") if path.is_file())

    def shown(self, key: str, *, clear: bool, view: View | None = None) -> tuple[str, set[str]]:
        """Applicant and clerks as the page shows them."""
        inputs = look.inputs(self.wiring)
        with (view or self.view).snapshot() as snapshot:
            case = case_at(snapshot, inputs.reader, inputs.folding, key, Window())
            told = recorded(snapshot, inputs, key, Window())
        assert case is not None
        case, events = opened(case, [one.event for one in told], self.wiring.ring, clear=clear)
        return applicant(case, clear=clear), {who(event, clear=clear) for event in events}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Sealed]:
    made = Sealed(tmp_path, *ROWS)
    yield made.publish().route()
    made.close()


def destroy(world: World, number: str, *more: str) -> Any:
    asked = ["keys", "destroy", number, str(world.folder), "--by", "li", "--why", "erasure was asked for", *more]
    return CliRunner().invoke(app, asked)


def test_nothing_personal_leaves_the_connector_and_who_may_sees_it_all_the_same(world: Sealed) -> None:
    """No topic, state or table holds the words; the page opens them for an auditor, for others they are sealed."""
    written = list(world.written())
    assert len(written) > 20
    assert not [word for word in PERSONAL if any(word.encode() in data for data in written)]
    assert world.shown(f"case:{ONE}", clear=True) == ("王小明", {"李科长"})
    assert world.shown(f"case:{ONE}", clear=False) == ("(sealed)", {"(sealed)"})
    (world.folder / "secrets" / "dep.key").unlink()
    world.again()
    assert world.shown(f"case:{ONE}", clear=True) == ("(sealed)", {"(sealed)"})


def test_the_same_rows_give_the_same_events(world: Sealed) -> None:
    """Read once more, by another process, they are copies: no letter, no difference, the same body hashes."""
    before = [(event.id, event.header["body_hash"], event.header["actor"], event.body) for event in world.events()]
    world.again()
    world.publish_anew()
    world.route()
    after = [(event.id, event.header["body_hash"], event.header["actor"], event.body) for event in world.events()]
    assert after == before * 2
    assert world.letters() == 0
    assert world.audited() == []


def test_a_changed_name_is_another_body(world: Sealed) -> None:
    """What is sealed still counts as said: the same id with another name goes to the dead letters, and the audit names it."""
    world.write(ROWS[0].replace("王小明", "王大明"), *ROWS[1:])
    assert "different things under one event id" in "\n".join(world.audited())
    world.publish_anew()
    assert world.route().letters() == 1


def test_a_destroyed_key_takes_the_words_and_nothing_else(world: Sealed) -> None:
    """Case, chain, audit and the other case hold; the words are gone for everybody, also from a view that is built anew."""
    stood = [world.cluster.records(name.name) for name in (topics.JOURNAL, topics.STATE)]
    done = destroy(world, ONE, "--confirm", ONE)
    assert (done.exit_code, "2 events" in done.stdout) == (0, True), done.output
    assert world.audited() == []
    with closing(View.at(world.folder / "anew.db")) as fresh:
        Service(fresh, world.cluster, world.wiring.codec).load()
        assert world.shown(f"case:{ONE}", clear=True, view=fresh) == ("(destroyed)", {"(destroyed)"})
        assert world.shown(f"case:{TWO}", clear=True, view=fresh) == ("赵六", {"李科长"})
    assert stood == [world.cluster.records(name.name) for name in (topics.JOURNAL, topics.STATE)]
    entries = [world.wiring.codec.decode_record(one.value or b"")[1] for one in stood[0]]
    assert not verify([one for one in entries if one["case"] == f"case:{ONE}"])


def test_after_it_the_case_goes_on_without_words(world: Sealed) -> None:
    """Rows read again are copies, a new row counts, nobody makes another key; the audit is equal with the master and without."""
    destroy(world, ONE, "--confirm", ONE)
    world.publish_anew()
    assert (world.route().letters(), world.audited()) == (0, [])
    world.write(*ROWS, f"4,{ONE},B,2026-01-07,EN-001,,,孙七")
    world.again()
    world.publish_anew()
    assert (world.route().letters(), world.audited()) == (0, [])
    last = world.events()[-1]
    assert last.header["actor"] == {"key": f"dep/case:{ONE}", "cipher": b""}
    assert not any("孙七".encode() in data for data in world.written())
    (world.folder / "secrets" / "dep.key").unlink()
    world.again()
    assert world.audited() == []


def test_a_connector_at_work_forgets_a_key_that_others_destroy(world: Sealed) -> None:
    """It learns of it with its next batch, though it had the key in its memory."""
    (connector,) = config.load(world.folder / "connectors", "Asia/Shanghai", world.wiring.sealings)
    destroy(world, ONE, "--confirm", ONE)
    connector.keep()
    (event, *_) = connector.mapping.translate(_row(), 1_800_000_000_000_000)  # type: ignore[misc]  # it is no rejection
    assert keys_of(event) == {f"dep/case:{ONE}"}
    assert event.header["actor"]["cipher"] == b""


def _row() -> SourceRecord:
    values = dict(zip(HEAD.split(","), ROWS[0].split(","), strict=True))
    return SourceRecord("1", 1, values, b"")


@pytest.mark.parametrize("more", [(), ("--confirm", TWO)], ids=["unasked", "another number"])
def test_nothing_is_destroyed_without_the_number_said_twice(world: Sealed, more: tuple[str, ...]) -> None:
    """And not without a reason, and not for a case that nobody knows."""
    assert destroy(world, ONE, *more).exit_code == 2
    assert CliRunner().invoke(app, ["keys", "destroy", ONE, str(world.folder), "--confirm", ONE]).exit_code == 1
    assert destroy(world, "1", "--confirm", "1").exit_code == 1
    assert world.shown(f"case:{ONE}", clear=True) == ("王小明", {"李科长"})


def test_the_act_is_kept_with_name_and_reason(world: Sealed) -> None:
    """`keys list` tells it, and the case as the terminal shows it."""
    destroy(world, ONE, "--confirm", ONE)
    told = json.loads(CliRunner().invoke(app, ["keys", "list", str(world.folder), "--json"]).stdout)
    assert [(one["name"], one["by"], one["why"]) for one in told["destroyed"]] == [
        (f"dep/case:{ONE}", "li", "erasure was asked for")
    ]
    assert told["masters"] == {"dep-2026": 1}
    shown = CliRunner().invoke(app, ["case", "show", ONE, str(world.folder)]).stdout
    assert [word in shown for word in (f"destroyed: dep/case:{ONE}", "(destroyed)", "(sealed)")] == [True, True, False]


def test_a_new_master_makes_old_copies_worthless(world: Sealed) -> None:
    """Keys are wrapped anew; the old master opens nothing any more, the events stay as they are and are read as before."""
    old = world.folder / "secrets" / "old.key"
    (world.folder / "secrets" / "dep.key").rename(old)
    (world.folder / "secrets" / "dep.key").write_bytes(base64.b64encode(os.urandom(32)))
    world.again()
    assert world.shown(f"case:{ONE}", clear=True) == ("(sealed)", {"(sealed)"})
    done = CliRunner().invoke(app, ["keys", "rewrap", "dep", str(world.folder), "--from", str(old)])
    assert (done.exit_code, "2 keys of dep" in done.stdout) == (0, True), done.output
    world.publish_anew()
    assert world.shown(f"case:{ONE}", clear=True) == ("王小明", {"李科长"})
    assert (world.route().letters(), world.audited()) == (0, [])
    (world.folder / "secrets" / "dep.key").write_bytes(old.read_bytes())
    world.again()
    assert world.shown(f"case:{ONE}", clear=True) == ("(sealed)", {"(sealed)"})


def test_what_was_published_before_stays_as_it_is(tmp_path: Path) -> None:
    """Sealing begins with the next row: the audit knows both, and a destruction says what it does not reach."""

    class Clear(Sealed):
        seals = False

    world = Clear(tmp_path, *ROWS[:2])
    world.publish().route()
    world.seal()
    world.write(*ROWS[:2], f"4,{ONE},B,2026-01-07,EN-001,,,孙七")
    world.again()
    world.publish().route()
    assert world.audited() == []
    assert [sorted(event.header["actor"]) for event in world.events()] == [["value"], ["value"], ["cipher", "key"]]
    done = destroy(world, ONE, "--confirm", ONE)
    assert "2 events of it hold personal fields in the clear" in done.stderr
    assert len(world.cluster.records(EVENTS.name)) == 3
    world.close()


BAD = f"9,{ONE},?,2026-01-08,EN-001,王小明,13800138000,李科长"


def letters(world: Sealed, *said: str) -> Any:
    return CliRunner().invoke(app, ["deadletters", *said], catch_exceptions=False)


def test_a_refused_row_is_sealed_whole_and_can_be_mended_all_the_same(world: Sealed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows what is personal in it. Who has the key sees it and corrects it; the correction is sealed as well."""
    world.write(*ROWS, BAD)
    world.publish().route()
    assert world.letters() == 1
    item = world.the_only()
    assert "王小明" in str(world.desk.letter(item.id).row, "utf-8")
    row = dict(zip(HEAD.split(","), BAD.replace("?", "B").replace("王小明", "欧阳明").split(","), strict=True))
    world.desk.replay([item.id], ME, {item.id: row})
    world.route()
    assert world.state(item.id) == "mended"
    assert world.desk.items()[-1].acts[0].row == row
    assert not [word for word in (*PERSONAL, "欧阳明") if any(word.encode() in data for data in world.written())]
    assert world.shown(f"case:{ONE}", clear=True) == ("王小明", {"李科长"})


def test_the_same_refused_row_is_one_letter(world: Sealed) -> None:
    """Read again, it looks as it did; without the key nobody sees it, and it is told why nothing can be done."""
    world.write(*ROWS, BAD)
    for _ in range(2):
        world.again()
        world.publish_anew()
    world.route()
    assert world.letters() == 2
    item = world.the_only()
    (world.folder / "secrets" / "dep.key").unlink()
    world.again()
    assert world.desk.letter(item.id).value["raw"] == b"(sealed)"


def test_destroying_a_case_takes_its_refused_rows_along(world: Sealed) -> None:
    """By the number in them; rows of other cases stay, and what cannot be looked into is told."""
    world.write(*ROWS, BAD, BAD.replace(ONE, TWO))
    world.publish().route()
    hidden = (world.folder / "secrets" / "dep.key").rename(world.folder / "secrets" / "away")
    assert "2 dead letters cannot be looked into" in destroy(world, ONE).stderr
    hidden.rename(world.folder / "secrets" / "dep.key")
    assert destroy(world, ONE, "--confirm", ONE).exit_code == 0
    raws = {world.desk.letter(item.id).value["raw"] for item in world.open()}
    assert b"(destroyed)" in raws
    assert any(b"13800138000" in raw for raw in raws)
    assert len(raws) == 2


def test_without_the_master_nothing_is_published(tmp_path: Path) -> None:
    """Not in the clear either: the connector stops and says which file it lacks; other services need none."""
    world = Sealed(tmp_path, *ROWS)
    (world.folder / "secrets" / "dep.key").unlink()
    runners = [Runner(one, world.cluster, world.wiring.codec, world.wiring.receipts) for one in world.wiring.connectors]
    (outcome,) = Worker(runners, pauses=Pauses(first=0.01, attempts=2)).run_to_end()
    assert outcome.lasting
    assert "secrets/dep.key cannot be read" in outcome.fault
    assert world.events() == []
    assert world.wiring.problems() == []
    world.close()


def test_a_connector_that_nobody_has_is_told(world: Sealed) -> None:
    """A name misspelt in `sealing:` would leave its connector's names in the clear."""
    head = world.folder / "casebus.yaml"
    head.write_text(head.read_text("utf-8").replace("    dep:", "    dpe:"), "utf-8")
    world.again()
    (problem,) = world.wiring.problems()
    assert "there is no connector `dpe`" in str(problem)


def test_who_supervises_is_sealed_where_the_page_seals(world: Sealed) -> None:
    """By a master key of its own; and goes with the case's other names."""
    head = world.folder / "casebus.yaml"
    page = "    page: {master: page-2026, file: secrets/dep.key}\n    dep:"
    head.write_text(head.read_text("utf-8").replace("    dep:", page), "utf-8")
    world.again()
    vault = world.wiring.sealings("page")
    by = User("陈主任", Role.SUPERVISOR)
    sent = message(Act(f"case:{ONE}", "take", "SV-1", by, "too slow", 1, 1), world.wiring.codec, 2, vault)
    assert vault is not None
    vault.keep()
    world.cluster.publish([sent])
    world.route()
    assert world.wiring.problems() == []
    assert "陈主任".encode() not in b"".join(world.written())
    assert "陈主任" in world.shown(f"case:{ONE}", clear=True)[1]
    assert world.audited() == []
    destroy(world, ONE, "--confirm", ONE)
    assert world.shown(f"case:{ONE}", clear=True) == ("(destroyed)", {"(destroyed)"})
