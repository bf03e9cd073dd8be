"""One moment in one file: what is taken from a writer that goes on, what a damaged or foreign file is told, what is left out."""

from __future__ import annotations

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Self

import pytest

from bus import snapshot
from bus.errors import ConfigurationError, CorruptionError, RetryError
from casebus import archive
from casebus.commands import backup, init

ROOT = Path(__file__).parents[2]
#: Appends a byte to one partition, then to another, as fast as it can.
WRITER = """
import sys
a, b = (open(name, "ab", buffering=0) for name in sys.argv[1:3])
print("writes", flush=True)
while True:
    a.write(b".")
    b.write(b".")
"""


def kafka(directory: Path, nodes: int = 1) -> list[Path]:
    """A broker's folder with two partitions, each with a segment that is full and one that is being written."""
    directory.mkdir(parents=True)
    (directory / "cluster.json").write_text('{"id": "x", "nodes": 1}', "ascii")
    written = []
    for node in range(1, nodes + 1):
        for partition in ("case.journal-0", "case.state-0"):
            folder = directory / f"node-{node}" / "data" / partition
            folder.mkdir(parents=True)
            for base in (0, 500):
                for suffix in (".log", ".index", ".timeindex"):
                    (folder / f"{base:020}{suffix}").write_bytes(b"x" * (snapshot.LARGE + base))
            (folder / "00000000000000000000.log.deleted").write_bytes(b"gone")
            written.append(folder / f"{500:020}.log")
        (directory / f"node-{node}" / "data" / ".lock").touch()
        (directory / f"node-{node}" / "server.log").write_text("said", "ascii")
    return written[:2]


class Running:
    """A process that writes into two partitions, taken for Kafka; this process owns the broker."""

    def __init__(self, directory: Path, files: list[Path]) -> None:
        command = [sys.executable, "-c", WRITER, *map(str, files), "kafka.Kafka"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        self.process.stdout.readline()
        said = {"owner": os.getpid(), "bootstrap": "127.0.0.1:1", "nodes": [self.process.pid]}
        holder = f"import fcntl,sys,time; f=open({str(directory / 'owner.lock')!r}, 'w'); fcntl.flock(f, fcntl.LOCK_EX); "
        holder += f"f.write({json.dumps(said)!r}); f.flush(); print('holds', flush=True); time.sleep(60)"
        self.owner = subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE, text=True)
        assert self.owner.stdout
        self.owner.stdout.readline()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (self.process, self.owner):
            process.kill()
            process.wait()
            process.stdout.close()

    @property
    def stopped(self) -> bool:
        return Path(f"/proc/{self.process.pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] == "T"


@pytest.mark.parametrize("nodes", [1, 3])
def test_all_partitions_are_taken_as_of_one_moment(tmp_path, nodes):
    """Whoever writes to one and then to the other is at most one ahead; what it writes afterwards does not belong to it."""
    files = kafka(tmp_path / "kafka", nodes)
    with Running(tmp_path / "kafka", files) as running:
        before = [file.stat().st_size for file in files]
        with snapshot.taken(tmp_path / "kafka") as taken:
            assert not running.stopped
            sizes = {piece.name: piece.size for piece in taken.pieces}
            time.sleep(0.05)
            assert [piece for piece in taken.pieces if piece.place.stat().st_size < piece.size] == []
        now = [file.stat().st_size for file in files]
    first, second = (sizes[file.relative_to(tmp_path / "kafka").as_posix()] for file in files)
    assert first - second in {0, 1}
    assert before[0] <= first < now[0]
    assert 0 < taken.held < snapshot.LONGEST
    assert [path.name for path in (tmp_path / "kafka").iterdir() if path.name.startswith(".copy")] == []


def test_what_kafka_makes_anew_is_left_out(tmp_path):
    """Locks, logs of the programs, what is about to be deleted; while it runs, the index that it is writing."""
    files = kafka(tmp_path / "kafka")
    with snapshot.taken(tmp_path / "kafka") as taken:
        still = {piece.name for piece in taken.pieces}
        assert taken.held == 0
    with Running(tmp_path / "kafka", files), snapshot.taken(tmp_path / "kafka") as taken:
        running = {piece.name for piece in taken.pieces}
    home = "node-1/data/case.journal-0"
    ends = (f"-0/{500:020}.index", f"-0/{500:020}.timeindex")
    assert still - running == {f"node-1/data/{one}{end}" for one in ("case.journal", "case.state") for end in ends}
    assert {f"{home}/{0:020}.index", f"{home}/{500:020}.log", "cluster.json"} <= running
    assert [name for name in still if "lock" in name or "server" in name or "deleted" in name] == []


def test_whoever_holds_kafka_and_is_killed_lets_it_go(tmp_path):
    """A backup that ends at the worst moment must not leave the bus standing still."""
    files = kafka(tmp_path / "kafka")
    with Running(tmp_path / "kafka", files) as running:
        work = "from bus import snapshot; from pathlib import Path; import time; snapshot._take = lambda *a, **b: time.sleep(9); "
        work += f"snapshot.taken(Path({str(tmp_path / 'kafka')!r})).__enter__()"
        holder = subprocess.Popen([sys.executable, "-c", work], cwd=ROOT)
        deadline = time.monotonic() + 10
        while not running.stopped:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        while running.stopped:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_what_a_killed_copy_left_is_removed_by_the_next(tmp_path):
    """Second names would keep what Kafka deletes; a copy that is being made elsewhere is left alone."""
    kafka(tmp_path / "kafka")
    for name in ("4194305", str(os.getppid())):  # above the largest process id there can be, and one that lives
        (tmp_path / "kafka" / f".copy-{name}").mkdir()
    with snapshot.taken(tmp_path / "kafka"):
        pass
    assert [path.name for path in (tmp_path / "kafka").glob(".copy-*")] == [f".copy-{os.getppid()}"]


def test_a_process_that_is_no_kafka_is_not_touched(tmp_path):
    """A process id may have been given to somebody else since it was written down."""
    files = kafka(tmp_path / "kafka")
    with Running(tmp_path / "kafka", files):
        said = json.loads((tmp_path / "kafka" / "owner.lock").read_text("ascii"))
        (tmp_path / "kafka" / "owner.lock").write_text(json.dumps(said | {"nodes": [os.getpid()]}), "ascii")
        with pytest.raises(RetryError, match="no Kafka with process id"), snapshot.taken(tmp_path / "kafka"):
            pass


def test_where_there_is_no_kafka_yet_it_is_said(tmp_path):
    """Nothing has been recorded."""
    with pytest.raises(ConfigurationError, match="Run casebus up first"), snapshot.taken(tmp_path):
        pass


# -- the file


@pytest.fixture
def city(tmp_path) -> Path:
    init.run(tmp_path / "city")
    kafka(tmp_path / "city" / ".casebus" / "kafka")
    with closing(sqlite3.connect(tmp_path / "city" / ".casebus" / "page.db")) as page:
        page.execute("PRAGMA journal_mode=WAL")
        page.execute("CREATE TABLE users (name TEXT)")
    secrets = tmp_path / "city" / "secrets"
    secrets.mkdir()
    (secrets / "permits.key").write_text("secret", "ascii")
    (secrets / "permits.key").chmod(0o600)
    return tmp_path / "city"


def content(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_is_saved_comes_back_as_it_was(city, tmp_path, capsys):
    """The folder with its modes, the databases with what stands in their logs, Kafka; not what is made anew."""
    with closing(sqlite3.connect(city / ".casebus" / "page.db")) as page:
        page.execute("INSERT INTO users VALUES ('lin')")
        page.commit()
        (city / ".casebus" / "state").mkdir()
        (city / ".casebus" / "state" / "store").write_text("derived", "ascii")
        assert backup.save(city, tmp_path, as_json=False) == 0
    (file,) = tmp_path.glob("city-*.tar.gz")
    assert file.stat().st_mode & 0o777 == 0o600
    assert capsys.readouterr().out.endswith(" MB.\n")
    assert backup.restore(file, tmp_path / "elsewhere" / "city") == 0
    assert "casebus up" in capsys.readouterr().out
    back = tmp_path / "elsewhere" / "city"
    without = {name: data for name, data in content(city).items() if not name.startswith(".casebus")}
    assert {name: data for name, data in content(back).items() if not name.startswith(".casebus")} == without
    assert (back / "secrets" / "permits.key").stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(back / ".casebus" / "page.db")) as page:
        assert page.execute("SELECT name FROM users").fetchall() == [("lin",)]
    assert (back / ".casebus" / "kafka" / "cluster.json").exists()
    assert not (back / ".casebus" / "state").exists()
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["city"]


def test_a_backup_into_its_own_folder_does_not_eat_itself(city):
    """Nor the one before it... which is an ordinary file of that folder."""
    backup.save(city, city / "backup.tar.gz", as_json=True)
    with tarfile.open(city / "backup.tar.gz") as tar:
        assert [name for name in tar.getnames() if "backup.tar" in name] == []


def test_keys_of_sealed_fields_are_saved_apart(city, tmp_path, capsys):
    """A key that is destroyed must not come back with the next restore: their copies are few and short-lived."""
    with pytest.raises(ConfigurationError, match="no file of keys"):
        backup.save(city, tmp_path / "b.tar.gz", tmp_path / "keys-copy.db", as_json=False)
    with closing(sqlite3.connect(city / "secrets" / "keys.db")) as keys:
        keys.execute("CREATE TABLE data_keys (name TEXT)")
    backup.save(city, tmp_path / "b.tar.gz", as_json=False)
    assert "keys.db is not in it: it holds keys; --keys-to" in capsys.readouterr().err
    backup.save(city, tmp_path / "b.tar.gz", tmp_path / "keys-copy.db", as_json=False)
    assert capsys.readouterr().err == ""
    with closing(sqlite3.connect(tmp_path / "keys-copy.db")) as keys:
        assert keys.execute("SELECT * FROM data_keys").fetchall() == []
    backup.restore(tmp_path / "b.tar.gz", tmp_path / "back")
    assert [path.name for path in (tmp_path / "back" / "secrets").iterdir()] == ["permits.key"]


def test_the_copy_of_keys_takes_the_place_of_nothing(city, tmp_path):
    """Least of all of the keys themselves, without which every sealed field is lost for ever."""
    live = city / "secrets" / "keys.db"
    with closing(sqlite3.connect(live)) as keys:
        keys.execute("CREATE TABLE data_keys (name TEXT)")
    before = live.read_bytes()
    (tmp_path / "alias.db").symlink_to(live)
    for named in (live, tmp_path / "alias.db", tmp_path, tmp_path / "none" / "keys.db", tmp_path / "b.tar.gz"):
        with pytest.raises(ConfigurationError, match=r"Name a(nother)? file"):
            backup.save(city, tmp_path / "b.tar.gz", named, as_json=False)
    assert live.read_bytes() == before
    assert not (tmp_path / "b.tar.gz").exists()


def test_an_older_copy_stays_until_the_new_one_is_whole(tmp_path):
    (tmp_path / "broken.db").write_bytes(b"SQLite format 3\x00 and then nothing")
    (tmp_path / "copy.db").write_text("yesterday's", "ascii")
    with pytest.raises(RetryError):
        archive.copied(tmp_path / "broken.db", tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text("ascii") == "yesterday's"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.db", "copy.db"]


def test_a_file_whose_name_is_no_utf_8_comes_back_under_it(city, tmp_path):
    """Departments name their exports in GBK."""
    name = os.fsencode(city / "exports") + b"/" + "环保.csv".encode("gbk")
    Path(os.fsdecode(name)).write_text("id\n1\n", "ascii")
    backup.save(city, tmp_path / "b.tar.gz", as_json=False)
    backup.restore(tmp_path / "b.tar.gz", tmp_path / "back")
    assert "环保.csv".encode("gbk") in [os.fsencode(path.name) for path in (tmp_path / "back" / "exports").iterdir()]


def test_backups_in_the_deployments_folder_do_not_hold_each_other(city):
    """Each would be twice as large as the one before."""
    (city / "backups").mkdir()
    (city / "backups" / "city-20260101T020304.tar.gz").write_text("an earlier one", "ascii")
    (city / "backups" / "notes.txt").write_text("kept", "ascii")
    backup.save(city, city / "backups", as_json=True)
    file = max((city / "backups").glob("city-*.tar.gz"))
    with tarfile.open(file) as tar:
        assert [name for name in tar.getnames() if "backups" in name] == ["deployment/backups/notes.txt"]


def test_links_to_folders_are_told(city, tmp_path, capsys):
    """What they lead to is somebody else's to save."""
    (city / "exports" / "far").symlink_to(tmp_path)
    backup.save(city, tmp_path / "b.tar.gz", as_json=False)
    assert "far is not in it" in capsys.readouterr().err


def saved(city: Path, tmp_path: Path) -> Path:
    backup.save(city, tmp_path / "b.tar.gz", as_json=True)
    return tmp_path / "b.tar.gz"


def changed(file: Path, change: str) -> None:
    """The archive again, with one thing about it not as it was."""
    with tarfile.open(file) as tar:
        members = [(info, (tar.extractfile(info) or io.BytesIO()).read()) for info in tar]
    with tarfile.open(file, "w:gz") as tar:
        for info, data in members:
            if change == "missing" and info.name.endswith("EN-001.yaml"):
                continue
            info.name, new = _changed(info.name, data, change)
            info.size = len(new)
            tar.addfile(info, io.BytesIO(new))


def _changed(name: str, data: bytes, change: str) -> tuple[str, bytes]:
    if change == "other bytes" and name.endswith("EN-001.yaml"):
        return name, data[:-1] + b"!"
    if change == "newer" and name == archive.HEAD:
        return name, json.dumps(json.loads(data) | {"format": 99, "casebus": "9.0"}).encode()
    if change == "outside" and name.endswith("EN-001.yaml"):
        return "../outside.yaml", data
    return name, data


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ("missing", CorruptionError, "EN-001.yaml is not what was saved"),
        ("other bytes", CorruptionError, "EN-001.yaml is not what was saved"),
        ("newer", ConfigurationError, "written by casebus 9.0"),
        ("outside", CorruptionError, "no plain file"),
    ],
)
def test_a_changed_file_is_refused_and_leaves_nothing(city, tmp_path, change, kind, said):
    """Until everything is verified nothing has its name."""
    file = saved(city, tmp_path)
    changed(file, change)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(kind, match=said):
        backup.restore(file, tmp_path / "back")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("left", [0, 10, 5000])
def test_a_part_of_a_file_is_refused(city, tmp_path, left):
    """The copy to another machine broke off."""
    file = saved(city, tmp_path)
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises((CorruptionError, ConfigurationError)):
        backup.restore(file, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_nothing_is_written_over(city, tmp_path):
    """Neither a folder nor data that lie where the settings say."""
    file = saved(city, tmp_path)
    with pytest.raises(ConfigurationError, match="is there already"):
        backup.restore(file, city)


def test_a_backup_that_fails_leaves_no_file(city, tmp_path):
    """Half a backup looks like one on the day it is needed."""
    (city / ".casebus" / "page.db").write_bytes(b"SQLite format 3\x00" + b"no database" * 400)
    with pytest.raises(RetryError, match=r"page\.db cannot be read"):
        backup.save(city, tmp_path / "b.tar.gz", as_json=True)
    assert [path.name for path in tmp_path.iterdir() if "b.tar" in path.name] == []


def test_a_place_that_is_not_there_is_told(city, tmp_path):
    """Before anything is held still."""
    with pytest.raises(ConfigurationError, match="There is no folder"):
        backup.save(city, tmp_path / "none" / "b.tar.gz", as_json=True)
    with pytest.raises(ConfigurationError, match="There is no file"), suppress(FileNotFoundError):
        backup.restore(tmp_path / "none.tar.gz", tmp_path / "back")
