"""Whatever a released version has left behind, this one reads, upgrades and goes on with: `tests/released` holds it."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tomllib
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest
import released
from router_lives import event
from router_story import CODEC, PARTITIONS
from sqlalchemy import select

from bus.memory import Cluster
from bus.partition import partition_of
from bus.ports import Message
from bus.topics import DEADLETTERS, EVENTS, FORWARD, JOURNAL
from bus.transaction import Loop
from casebus.deployment import Deployment
from casebus.letters import ledger
from casebus.wiring import Wiring
from connectors import fleet_orders, positions
from connectors.fleet_status import Board
from connectors.positions import Progress
from monitor import tables
from monitor.rebuild import outdated, rebuild
from monitor.service import Service
from monitor.view import View
from router.journal import hash_of
from router.service import TOPICS, Router, Settings
from schemas import contract
from schemas.case import decode_state

ROOT = Path(__file__).parents[2]
RELEASES = sorted(folder.name for folder in released.FOLDER.iterdir() if folder.is_dir())


@pytest.fixture(params=RELEASES)
def folder(request) -> Path:
    return released.FOLDER / request.param


@pytest.fixture
def cluster(folder) -> Cluster:
    return released.thaw(folder)


def entries(cluster):
    """The journal, case by case, in the order of its sequence."""
    found = defaultdict(list)
    for record in cluster.records(JOURNAL.name):
        name, entry = CODEC.decode_record(record.value)
        if name == "JournalEntry":
            found[entry["case"]].append(entry)
    return found


def test_every_release_has_left_its_traces_here():
    """The version that is being made, too: who releases it freezes it (CONTRIBUTING.md, "Release")."""
    named = re.findall(r"^## \[(\d[^\]]*)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    current = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert {*named, current} <= set(RELEASES)


def test_the_first_release_holds_every_event_type_in_every_version_up_to_then():
    """AlertRaised had two by then; whatever is frozen later belongs to a later release."""
    written = {record.value[2:10] for record in released.raws(released.thaw(released.FOLDER / "0.1.0"))}
    first = {path: contract.contract(path.read_text("utf-8")) for path in contract.ROOT.glob("history/*/1.avsc")}
    assert {form.fingerprint for form in first.values() if form.is_event} < written


def test_its_events_and_its_journal_are_read_and_the_chains_hold(cluster):
    """Every entry follows on the one before, by today's way to count its hash; the events in it are those of the bus."""
    told = {record.value for record in released.raws(cluster)} | {record.value for record in cluster.records(FORWARD.name)}
    for case, chain in entries(cluster).items():
        previous = b""
        for sequence, entry in enumerate(chain, 1):
            assert (entry["sequence"], entry["previous"], entry["hash"]) == (sequence, previous, hash_of(entry)), case
            previous = entry["hash"]
            if entry["event"]:
                assert entry["event"] in told
                assert CODEC.decode(entry["event"]).id == entry["event_id"]


def test_its_states_are_read_and_end_their_chains(cluster):
    """A state is what the router goes on from."""
    chains = entries(cluster)
    states = {key.decode(): decode_state(value) for key, value in released.states(cluster).items()}
    assert states.keys() == chains.keys()
    for key, state in states.items():
        assert (state.sequence, state.head) == (len(chains[key]), chains[key][-1]["hash"])


def content(view):
    return {table.name: sorted(view.all(select(table)), key=repr) for table in tables.metadata.sorted_tables}


@pytest.mark.parametrize("version", ["its own", "0"])
def test_its_view_is_used_where_it_is_of_this_version_and_built_anew_where_not(folder, cluster, tmp_path, version):
    """Either way it says what a view says that this version builds from the topics; else the tables need a new version."""
    url = released.view_of(folder, tmp_path)
    if version == "0":
        with sqlite3.connect(tmp_path / "view.db") as database:
            database.execute("UPDATE meta SET value = '0' WHERE name = 'version'")
            database.execute("DROP TABLE events")
        database.close()
    if outdated(url):
        rebuild(url, cluster, CODEC, lambda _: None)
    with closing(View.at(tmp_path / "fresh.db")) as fresh, closing(View.open(url)) as old:
        Service(fresh, cluster, CODEC).load()
        assert Service(old, cluster, CODEC).load() == 0
        assert content(old) == content(fresh)
        assert len(content(old)["events"]) > len(released.LIFE)


@pytest.mark.parametrize("kept", ["its stores", "no store"])
def test_a_router_goes_on_where_it_stopped(folder, cluster, tmp_path, kept):
    """From its stores, and from the topics alone: one more event gives one more entry, and what was done is not done again."""
    place = tmp_path / "state"
    stores = released.stores_of(folder, place) if kept == "its stores" else released.opener(place)
    before = entries(cluster)
    router = Router(cluster, CODEC, stores, Settings(PARTITIONS))
    loop = Loop(cluster, released.GROUP, TOPICS, router, "router-0")
    while not loop.partitions:
        loop.step()
    more = event("Rated", 60, case="city:life")
    number = partition_of(b"city:life", PARTITIONS)
    cluster.publish([Message(EVENTS.name, number, b"city:life", more.raw, 1)])
    assert sum(loop.step() for _ in range(5)) == 1
    router.close()
    after = entries(cluster)
    assert [entry["event_id"] for entry in after["city:life"][len(before["city:life"]) :] if entry["kind"] == "EVENT"] == [
        more.id
    ]
    assert after["city:life"][len(before["city:life"])]["previous"] == before["city:life"][-1]["hash"]
    assert {key: len(chain) for key, chain in after.items() if key != "city:life"} == {
        key: len(chain) for key, chain in before.items() if key != "city:life"
    }


def test_where_its_connectors_stood_and_what_people_ordered_is_read(cluster):
    """Positions, orders, standings, acts on dead letters, dead letters."""
    assert positions.read(cluster) == {"permits": Progress("7", 7, 6, 1)}
    assert fleet_orders.everything(cluster).of("permits").paused
    assert [(one.name, one.rows) for one in Board(cluster).look(5)] == [("permits", 7)]
    assert [(act.by, act.why) for act in ledger.read(cluster)["0-1"]] == [("somebody", "twice")]
    reasons = {CODEC.decode_record(record.value)[1]["reason"] for record in cluster.records(DEADLETTERS.name)}
    assert "missing_time" in reasons


def test_its_deployment_is_taken_as_it_is(folder, tmp_path):
    """Settings, directory, catalogue, connectors and calendars of that version are without a fault in this one."""
    shutil.copytree(folder / "deployment", tmp_path / "city")
    assert Wiring(Deployment.load(tmp_path / "city")).problems() == []


def test_a_newer_version_s_positions_are_read(cluster):
    """They may say more than this version knows."""
    assert Progress.of({"position": "7", "records": 7, "shards": 3}) == Progress("7", 7)
