"""The jars: fetched once, held against the lock, and a sentence for everything that can go wrong on the way."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bus import jars
from bus.errors import ConfigurationError, CorruptionError

PLACES = [f"org/example/tool-{name}/1.0/tool-{name}-1.0.jar" for name in "abc"]


class Quiet(SimpleHTTPRequestHandler):
    served: list[str]
    breaking: set[str]

    def log_message(self, *_: Any) -> None:
        """Say nothing on the terminal."""

    def do_GET(self) -> None:
        self.served.append(self.path)
        if self.path not in self.breaking:
            super().do_GET()
            return
        self.breaking.discard(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "9999")
        self.end_headers()
        self.wfile.write(b"half of it")


class Repository:
    """A Maven repository of three small jars on this machine, with its lock."""

    def __init__(self, folder: Path, served: list[str], breaking: set[str]) -> None:
        self.folder, self._served, self.breaking = folder, served, breaking
        self.lock = folder / "jars.lock"
        for place in PLACES:
            (folder / place).parent.mkdir(parents=True)
            (folder / place).write_bytes(place.encode() * 1000)
        lines = (f"{hashlib.sha256(data).hexdigest()} {len(data)} {place}" for place in PLACES for data in [self.read(place)])
        self.lock.write_text("# a comment\n" + "\n".join(lines) + "\n", "ascii")

    def read(self, place: str) -> bytes:
        return (self.folder / place).read_bytes()

    @property
    def served(self) -> list[str]:
        return [path.lstrip("/") for path in self._served if path.endswith(".jar")]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    served: list[str] = []
    breaking: set[str] = set()
    folder = tmp_path / "repository"
    folder.mkdir()
    handler = type("Handler", (Quiet,), {"served": served, "breaking": breaking})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        settings = tmp_path / "jgo.conf"
        settings.write_text(f"[repositories]\ncentral = {address}\n", "ascii")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        yield Repository(folder, served, breaking)
        server.shutdown()
        thread.join()


def test_what_is_fetched_once_is_not_fetched_again(repository: Repository) -> None:
    """A warm cache asks nobody, and the order is the lock's: it is the class path."""
    seen: list[tuple[int, int]] = []
    paths = jars.fetch(lambda *step: seen.append(step), repository.lock)
    assert [path.read_bytes() for path in paths] == [repository.read(place) for place in PLACES]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert sorted(repository.served) == PLACES
    assert jars.fetch(None, repository.lock) == paths
    assert len(repository.served) == 3


def test_a_whole_program_is_fetched_as_jars_are(repository: Repository) -> None:
    """Its file has a classifier and another ending."""
    place = "org/example/program/2.0/program-2.0-all.tar.gz"
    (repository.folder / place).parent.mkdir(parents=True)
    (repository.folder / place).write_bytes(b"packed")
    repository.lock.write_text(f"{hashlib.sha256(b'packed').hexdigest()} 6 {place}\n", "ascii")
    assert [path.read_bytes() for path in jars.fetch(None, repository.lock)] == [b"packed"]


def test_a_jar_that_is_not_the_locked_one_is_refused_and_not_kept(repository: Repository, tmp_path: Path) -> None:
    """A wrong checksum ends it with a sentence; nothing of that jar lies where a class path would find it."""
    (repository.folder / PLACES[1]).write_bytes(b"something else")
    with pytest.raises(CorruptionError, match=r"tool-b-1\.0\.jar as fetched is not the one casebus was made with"):
        jars.fetch(None, repository.lock)
    assert not list((tmp_path / "cache").rglob("tool-b-1.0.jar"))


@pytest.mark.parametrize("damage", [b"", b"short", None], ids=["empty", "other size", "same size"])
def test_a_damaged_file_in_the_cache_is_fetched_anew(repository: Repository, damage: bytes | None) -> None:
    """A disk that lost bytes, or a copy that broke off, mends itself; a flip of one byte is seen too."""
    paths = jars.fetch(None, repository.lock)
    content = bytearray(paths[0].read_bytes())
    content[5] ^= 1
    paths[0].write_bytes(bytes(content) if damage is None else damage)
    seen: list[tuple[int, int]] = []
    jars.fetch(lambda *step: seen.append(step), repository.lock)
    assert paths[0].read_bytes() == repository.read(PLACES[0])
    assert seen == [(2, 3), (3, 3)]


def test_a_cold_cache_without_a_network_gets_one_sentence(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the folder to copy, the address that did not answer, and the ways out."""
    (Path(os.environ["JGO_CONFIG_FILE"])).write_text("[repositories]\ncentral = http://127.0.0.1:1\n", "ascii")
    with pytest.raises(ConfigurationError) as caught:
        jars.fetch(None, repository.lock)
    said = str(caught.value)
    assert "\n" not in said
    assert "cannot be fetched from http://127.0.0.1:1" in said
    assert str(jars.cache_folder() / "jars") in said
    assert "copy that folder" in said


def test_a_jar_that_the_mirror_lacks_is_named(repository: Repository) -> None:
    """A mirror that is not complete is not a network that is down."""
    (repository.folder / PLACES[2]).unlink()
    with pytest.raises(ConfigurationError, match=r"tool-c-1\.0\.jar cannot be fetched from .* \(it is not there\)"):
        jars.fetch(None, repository.lock)


def test_a_connection_that_breaks_off_is_tried_once_more(repository: Repository) -> None:
    """The half file is not taken for the whole."""
    repository.breaking.add("/" + PLACES[0])
    paths = jars.fetch(None, repository.lock)
    assert paths[0].read_bytes() == repository.read(PLACES[0])
    assert repository.served.count(PLACES[0]) == 2


def test_two_that_start_together_fetch_each_jar_once(repository: Repository) -> None:
    """The second waits for the first, then finds everything."""
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: jars.fetch(None, repository.lock), range(2)))
    assert results[0] == results[1]
    assert sorted(repository.served) == PLACES


def test_what_a_killed_fetch_left_behind_goes(repository: Repository) -> None:
    """A half file of a process that was killed is never taken for a jar, and does not stay."""
    leftover = jars.cache_folder() / "jars" / ".fetch-killed" / PLACES[0]
    leftover.parent.mkdir(parents=True)
    leftover.write_bytes(b"half")
    jars.fetch(None, repository.lock)
    assert sorted(path.name for path in (jars.cache_folder() / "jars").iterdir()) == [".lock", "org"]


def test_without_a_home_the_account_s_own_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Services run without HOME, cron with an empty one: neither may put a cache into the current folder."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(jars, "_account_home", lambda: str(tmp_path))
    for home in (None, ""):
        monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
        assert jars.cache_folder() == tmp_path / ".cache" / "casebus"


def test_a_home_that_cannot_be_written_leaves_the_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`/nonexistent` is the home of Debian's nobody. The folder is private: another user's is refused."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = jars.cache_folder()
    assert folder == tmp_path / f"casebus-{os.getuid()}"
    assert folder.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    (tmp_path / "casebus-12345").mkdir()
    with pytest.raises(ConfigurationError, match="is not this user's own"):
        jars.cache_folder()


def test_a_relative_cache_folder_is_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The XDG specification says so; it would be another folder for every current one."""
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert jars.cache_folder() == tmp_path / ".cache" / "casebus"


def test_the_lock_names_one_version_of_each_jar_and_the_logging_that_logs() -> None:
    """Kafka 4.3.1 throughout: resolving the roots together would have bent kafka-clients to 3.9.1 (seen)."""
    locked = jars.locked()
    artifacts = [jar.coordinates[1] for jar in locked]
    assert len(artifacts) == len(set(artifacts))
    assert {jar.coordinates[2] for jar in locked if jar.coordinates[0] == "org.apache.kafka"} == {"4.3.1"}
    assert "log4j-slf4j-impl" in artifacts
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in locked)
