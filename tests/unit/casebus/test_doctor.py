"""The doctor's looks, one by one: what is well is told, what is ill has its cure."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import monitor_world
import pytest

from bus.acl import Plan, Resource, Right
from bus.memory import Cluster
from bus.partition import partition_of
from bus.ports import Partition, Record
from bus.settings import KafkaSettings
from bus.survey import Layout
from bus.topics import EVENTS, STATE, standard
from casebus.deployment import Deployment
from casebus.doctor import brokers, database, files, machine, records, rights
from casebus.wiring import Wiring
from schemas.calendar import Calendar, CalendarSettings
from schemas.codec import default


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def deployment(folder: Path, text: str = "") -> Wiring:
    (folder / "casebus.yaml").write_text(f"name: town\nkafka: {{partitions: 3}}\n{text}", encoding="utf-8")
    return Wiring(Deployment.load(folder))


def test_topics_with_the_deployments_count_are_well() -> None:
    """Before the first start there are none, and that is no illness either."""
    cluster = Cluster()
    assert "made by casebus up" in brokers.counts(cluster, standard(3)).found
    cluster.create(standard(3))
    assert brokers.counts(cluster, standard(3)).cure == ""


def test_one_odd_topic_is_found_and_named() -> None:
    """It would break co-partitioning for itself alone, and nobody would see why."""
    cluster = Cluster()
    cluster.create([EVENTS.sized(5)])
    ill = brokers.counts(cluster, standard(3))
    assert "approval.events has 5 partitions instead of 3" in ill.found
    assert "kafka.partitions" in ill.cure


def test_a_second_owner_of_our_names_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain names need guards."""
    monkeypatch.setattr(machine, "packages_distributions", lambda: {"router": ["casebus", "traffic"], "bus": ["casebus"]})
    ill = machine.names()
    assert ill.found == "router also belongs to traffic"
    assert "environment of its own" in ill.cure


@pytest.mark.parametrize(
    ("total", "free", "well"),
    [(100 << 30, 50 << 30, True), (100 << 30, 1 << 30, False), (300 << 30, 10 << 30, False), (4000 << 30, 30 << 30, True)],
    ids=["ample", "less than 2 GB", "a twentieth of the disk", "little of much"],
)
def test_a_full_disk_is_found_before_kafka_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, free: int, well: bool
) -> None:
    """The data folder need not be there yet: the disk it will lie on counts."""
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: Usage(total, total - free, free))
    assert (machine.space(tmp_path / "not" / "yet").cure == "") is well


def test_an_old_python_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The version that pyproject.toml asks for."""
    assert machine.python().cure == ""
    monkeypatch.setattr(machine, "OLDEST", (9, 0))
    assert "3.11" in machine.python().cure


MOUNTS = """\
/dev/sda1 / ext4 rw 0 0
filer:/x /srv/shared nfs4 rw 0 0
none /run/fast tmpfs rw 0 0
/dev/sdb1 /srv/shared/own ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("/var/casebus", ""),
        ("/srv/shared/city", "local disk"),
        ("/srv/shared/own/city", ""),
        ("/run/fast/city", "memory forgets"),
    ],
)
def test_data_on_a_network_or_in_memory_is_found(monkeypatch: pytest.MonkeyPatch, place: str, says: str) -> None:
    """The deepest mount above the folder counts."""
    monkeypatch.setattr(machine, "_there", lambda path: path)
    cure = machine.filesystem(Path(place), MOUNTS).cure
    assert says in cure if says else cure == ""


def test_files_of_two_users_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started once by root, and ever after by the service's user."""
    (tmp_path / "view.db").touch()
    assert machine.owners(tmp_path).cure == ""
    (tmp_path / "up.lock").touch()
    whole = Path.lstat

    def lstat(path: Path) -> Any:
        found = whole(path)
        return os.stat_result((*found[:4], 65_533, *found[5:])) if path.name == "up.lock" else found

    monkeypatch.setattr(Path, "lstat", lstat)
    ill = machine.owners(tmp_path)
    assert "up.lock belongs to user 65533" in ill.found
    assert "chown -R" in ill.cure


def test_a_file_that_cannot_be_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One owner, and it is not the one that runs this."""
    (tmp_path / "view.db").touch()
    monkeypatch.setattr(machine.os, "access", lambda path, _: path.name != "view.db")
    assert "view.db cannot be read and written" in machine.owners(tmp_path).found


def test_a_folder_of_somebody_else_is_found_though_nothing_lies_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an empty volume that root has made."""
    monkeypatch.setattr(machine.os, "access", lambda *_: False)
    assert f"{tmp_path} cannot be read and written" in machine.owners(tmp_path).found


def test_a_monitor_of_its_own_settings_and_one_that_rebuilds_are_no_rivals(tmp_path: Path) -> None:
    """docs/operate.md and docs/runbook.md say to run them."""
    words = (("monitor", "city"), ("monitor", "city/second.yaml"), ("monitor", "city", "--rebuild"))
    running = [process(10 + place, "/usr/bin/python3", "-P", "-m", "casebus", *said) for place, said in enumerate(words)]
    assert machine.rivals(Path("/srv/city"), running).cure == ""


def test_too_few_open_files_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """RocksDB keeps up to 64 of each partition open."""
    monkeypatch.setattr(machine.resource, "getrlimit", lambda _: (1024, 4096))
    assert machine.open_files(8).cure == ""
    assert "LimitNOFILE=1680" in machine.open_files(20).cure


def process(pid: int, *words: str, cwd: str = "/srv") -> machine.Process:
    return machine.Process(pid, words, Path(cwd))


def test_two_of_one_service_are_found() -> None:
    """`up` runs a router, and so does a unit of systemd: each fences the other."""
    running = [
        process(10, "/usr/bin/python3", "/opt/casebus/bin/casebus", "up", "city"),
        process(11, "/usr/bin/python3", "-P", "-m", "casebus", "route", "/srv/city"),
        process(12, "/usr/bin/python3", "-P", "-m", "casebus", "route", "--member", "0", "city/"),
    ]
    ill = machine.rivals(Path("/srv/city"), running)
    assert ill.found == "casebus route runs as 11 and 12"
    assert "--member 1" in ill.cure


def test_members_workers_and_other_deployments_are_no_rivals() -> None:
    """Routers with numbers share the partitions; connectors share by themselves; another folder is another city."""
    running = [
        process(1, "python3.11", "/opt/bin/casebus", "route", "city"),
        process(2, "python3.11", "/opt/bin/casebus", "route", "city", "--member", "1"),
        process(3, "python", "-m", "casebus", "connect", "city"),
        process(4, "python", "-m", "casebus", "connect", "city"),
        process(5, "python", "-m", "casebus", "monitor", "town"),
        process(6, "python", "-m", "casebus", "monitor", cwd="/srv/city"),
        process(7, "uv", "run", "casebus", "monitor", "city"),
        process(8, "vi", "casebus", "up"),
        process(9, "python", "-c", "pass"),
        process(10, ""),
    ]
    well = machine.rivals(Path("/srv/city"), running)
    assert well.cure == ""
    assert well.found.startswith("3 of this deployment")


def test_a_year_without_a_notice_is_found() -> None:
    """Limits in working days would run over holidays."""
    china = Calendar(CalendarSettings())
    assert files.calendar(china, date(2026, 6, 1)).cure == ""
    ill = files.calendar(china, date(china.known_until.year + 1, 1, 4))
    assert f"calendars/{china.known_until.year + 1}.yaml" in ill.cure


def test_the_deployments_clock_says_which_year_it_is(tmp_path: Path) -> None:
    """A frozen or replayed deployment lives in its own year."""
    wiring = deployment(tmp_path, "clock: {mode: frozen, at: 2019-05-06T08:00}\n")
    assert files.today(wiring) == date(2019, 5, 6)


def test_secrets_for_everybody_are_found(tmp_path: Path) -> None:
    """A password's file, a private key; and casebus.yaml itself where a password stands in it."""
    security = "security: {protocol: SASL_SSL, mechanism: PLAIN, username: bus, password_file: secrets/password}"
    text = f"signatures: {{sign: {{water: {{key: w, file: secrets/w.pem}}}}}}\nkafka: {{brokers: 'k:9092', {security}}}\n"
    (tmp_path / "casebus.yaml").write_text(f"name: town\n{text}", encoding="utf-8")
    (tmp_path / "casebus.yaml").chmod(0o644)
    (tmp_path / "secrets").mkdir()
    for name, mode in (("password", 0o644), ("w.pem", 0o600)):
        (tmp_path / "secrets" / name).touch()
        (tmp_path / "secrets" / name).chmod(mode)
    wiring = Wiring(Deployment.load(tmp_path))
    ill = files.secrets(wiring)
    assert ill.found == f"others may read {tmp_path}/secrets/password (-rw-r--r--)"
    assert ill.cure == f"chmod 600 {tmp_path}/secrets/password"
    (tmp_path / "secrets/password").chmod(0o600)
    assert files.secrets(wiring).cure == ""
    (tmp_path / "secrets/keys.db").touch(0o640)
    assert "keys.db" in files.secrets(wiring).found


@pytest.mark.parametrize(
    ("line", "written"),
    [
        ("view: postgresql+psycopg://bus:geheim@db/city", True),
        ("view: postgresql+psycopg://bus@db/city", False),
        ("view: postgresql+psycopg://bus:${PASSWORD}@db/city", False),
        ("security: {password: geheim}", True),
        ('security: {password: "${KAFKA_PASSWORD}"}', False),
        ("# password: geheim", False),
        ("password_file: secrets/password", False),
    ],
)
def test_a_password_written_out_is_told_from_one_that_is_named(line: str, written: bool) -> None:
    """Only the first kind makes the file itself a secret."""
    assert bool(files._WRITTEN.search(f"name: town\n{line}\n")) is written


def layout(copies: int = 3, in_sync: int = 3, topic: str = EVENTS.name, **changed: str) -> dict[str, Layout]:
    right = next(one.config() for one in standard(3) if one.name == topic) | {"min.insync.replicas": "2"}
    return {topic: Layout(copies, in_sync, right | {name.replace("_", "."): value for name, value in changed.items()})}


def test_a_topic_that_forgets_is_found() -> None:
    """Made by hand with Kafka's week of retention, or compacted: the record would be gone."""
    assert brokers.keeping(layout(), standard(3)).cure == ""
    ill = brokers.keeping(layout(retention_ms="604800000"), standard(3))
    assert ill.found == "approval.events: retention.ms is 604800000 instead of -1"
    assert "--entity-name approval.events --add-config retention.ms=-1" in ill.cure
    assert "cleanup.policy is compact" in brokers.keeping(layout(cleanup_policy="compact"), standard(3)).found
    assert brokers.keeping(layout(topic=STATE.name, cleanup_policy="delete"), standard(3)).cure
    assert brokers.keeping(layout(max_message_bytes="1048588"), standard(3)).cure
    assert brokers.keeping(layout(max_message_bytes="16777216"), standard(3)).cure == ""


def test_copies_that_do_not_suffice_are_found() -> None:
    """One copy of three brokers; fewer copies than must be in sync; brokers that are away; one that counts as written."""
    assert brokers.copies(layout(), 3).cure == ""
    assert brokers.copies(layout(1, 1, min_insync_replicas="1"), 1).cure == ""
    assert "lost with its broker" in brokers.copies(layout(1, 1, min_insync_replicas="1"), 3).found
    assert "nothing can be written" in brokers.copies(layout(1, 1), 1).found
    assert "1 of 3 copies are in sync" in brokers.copies(layout(3, 1), 3).found
    assert "min.insync.replicas=2" in brokers.copies(layout(3, 3, min_insync_replicas="1"), 3).cure


@pytest.mark.parametrize(
    ("name", "value", "cure"),
    [
        ("transaction.max.timeout.ms", "5000", "Raise transaction.max.timeout.ms of the brokers to 8000"),
        ("group.max.session.timeout.ms", "5000", "Raise group.max.session.timeout.ms"),
        ("group.min.session.timeout.ms", "30000", "Lower group.min.session.timeout.ms of the brokers to 6000"),
    ],
)
def test_time_outs_that_brokers_refuse_are_found(name: str, value: str, cure: str) -> None:
    """Every service would be refused at its start."""
    usual = {"transaction.max.timeout.ms": "900000", "group.min.session.timeout.ms": "6000"}
    kafka = KafkaSettings()
    assert brokers.limits(usual, kafka).cure == ""
    assert "not asked" in brokers.limits({}, kafka).found
    assert cure in brokers.limits(usual | {name: value}, kafka).cure


def test_clocks_apart_are_found() -> None:
    """The broker's stamp beside the time in which it was asked for: a slow broker is not one whose clock is wrong."""
    assert brokers.skew(1_040_000, 1_000.0, 1_050.0).cure == ""
    assert brokers.skew(1_051_500, 1_000.0, 1_050.0).cure == ""
    ill = brokers.skew(1_000_000, 1_090.0, 1_091.0)
    assert ill.found == "the brokers' differs by 90.0 s at least"
    assert "NTP" in ill.cure
    assert brokers.skew(1_100_000, 1_090.0, 1_091.0).cure


def event(system: str = "water", lies: int = 1, ahead: float = -60.0) -> records.Seen:
    return records.Seen(system, lies, 1, ahead)


def test_another_programs_partitioner_is_found() -> None:
    """Its cases would be in two partitions."""
    assert records.partitioner([event()]).cure == ""
    ill = records.partitioner([event(), event("parks", 0), event("parks", 2)])
    assert "2 of parks" in ill.found
    assert "murmur2_random" in ill.cure


def test_events_from_the_future_are_found() -> None:
    """Beijing's clock read as UTC: eight hours ahead."""
    assert records.zones([event(ahead=60.0)]).cure == ""
    ill = records.zones([event(), event("parks", ahead=7.9 * 3600), event("parks", ahead=3600)])
    assert ill.found == "events lie ahead of their receipt: those of parks by up to 7.9 h"
    assert "zone:" in ill.cure


def test_events_are_looked_at_as_they_lie() -> None:
    """Markers without a key and what cannot be read are passed over."""
    value = monitor_world.event("Applied", 1).raw
    place = partition_of(b"case:1", 3)
    found = [
        Record(EVENTS.name, place, 0, b"case:1", value, 0),
        Record(EVENTS.name, (place + 1) % 3, 0, b"case:1", value, 0),
        Record(EVENTS.name, 0, 1, None, value, 0),
        Record(EVENTS.name, 0, 2, b"case:1", b"\x00garbage", 0),
    ]
    assert [(one.lies == one.belongs) for one in records.seen(found, default(), 3)] == [True, False]


def test_a_view_of_another_deployment_is_found() -> None:
    """It has read further than there is."""
    cluster = Cluster()
    cluster.create(standard(3))
    assert database.whose(cluster, {Partition("case.journal", 0): 0}).cure == ""
    ill = database.whose(cluster, {Partition("case.journal", 0): 7, Partition("case.state", 9): 1})
    assert "case.journal, partition 0: read to 7 of 0" in ill.found
    assert "--rebuild" in ill.cure
    assert database.whose(Cluster(), {Partition("case.journal", 0): 7}).cure


def test_a_right_that_is_missing_is_found() -> None:
    """Named as `casebus acl plan` names it; denials, which only their author can take back, beside it."""
    right = Right("User:router", Resource("TOPIC", EVENTS.name), "READ")
    denial = right._replace(allowed=False)
    assert rights.missing(Plan([], [], [right], [], []), "city").cure == ""
    ill = rights.missing(Plan([right], [], [], [], [denial]), "city")
    assert "User:router may not READ the topic approval.events" in ill.found
    assert "User:router is denied the topic approval.events" in ill.found
    assert ill.cure == "Run casebus acl apply city. Take the denials back (kafka-acls.sh)."
