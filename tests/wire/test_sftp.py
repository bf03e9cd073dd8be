"""Files on an SFTP server: read as those of a folder are, delivered whole; the server must prove who it is."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncssh
import pytest
from connector_world import connector, drop, good, records, rows

from bus.errors import ConfigurationError, RetryError
from connectors.formats import folder, sftp
from connectors.formats.outgoing import TargetSettings
from connectors.kinds import files
from connectors.source import Context
from schemas.problem import ProblemsError


class Server(NamedTuple):
    """A server in a thread of this process, over the folder of a test."""

    root: Path
    port: int
    key: asyncssh.SSHKey

    def yaml(self, more: str = "", path: str = "out/**/*.csv") -> str:
        login = f'url: "sftp://dep@127.0.0.1:{self.port}/", known_hosts: hosts, key: id{more}'
        return f'kind: files\nsource: {{path: "{path}", format: csv, sftp: {{{login}}}}}\n'

    def trusted(self, folder: Path, key: asyncssh.SSHKey | None = None) -> None:
        """Write its key where the connector looks for it."""
        public = (key or self.key).export_public_key().decode()
        (folder / "hosts").write_text(f"[127.0.0.1]:{self.port} {public}")


class Login(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("dep", "right")


@pytest.fixture(scope="module")
def keys() -> tuple[asyncssh.SSHKey, asyncssh.SSHKey]:
    return asyncssh.generate_private_key("ssh-ed25519"), asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def server(tmp_path: Path, keys: tuple[asyncssh.SSHKey, asyncssh.SSHKey], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Its files lie in tmp_path/drop; the login's key is tmp_path/id."""
    monkeypatch.setattr(folder, "SETTLE", 0.0)
    monkeypatch.setattr(sftp, "_sessions", {})
    host, own = keys
    own.write_private_key(tmp_path / "id")
    own.write_public_key(tmp_path / "allowed")
    (tmp_path / "drop").mkdir()
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=Login,
            server_host_keys=[host],
            authorized_client_keys=str(tmp_path / "allowed"),
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(tmp_path / "drop").encode()),
        )

    acceptor = asyncio.run_coroutine_threadsafe(listen(), loop).result(10)
    started = Server(tmp_path / "drop", acceptor.get_port(), host)
    started.trusted(tmp_path)
    yield started
    for session in sftp._sessions.values():
        session._drop()
    loop.call_soon_threadsafe(acceptor.close)
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


def test_files_of_a_server_are_read_as_those_of_a_folder(server: Server, tmp_path: Path) -> None:
    """In their order, each once; those in the making and links are left aside."""
    drop(tmp_path, rows(good(2)), "out/b.csv")
    drop(tmp_path, rows(good(1)), "out/2026/a.csv")
    drop(tmp_path, rows(good(9)), "out/c.csv.part")
    drop(tmp_path, rows(good(9)), "out/d.csv.tmp")
    (server.root / "out" / "e.csv").symlink_to(server.root / "out" / "c.csv.part")
    found = connector(tmp_path, server.yaml())
    assert [(one.row["id"], one.position) for one in records(found)] == [("1", "2026/a.csv:2"), ("2", "b.csv:2")]
    *_, last = found.open().fetch(None, 10)
    assert records(found, last.position) == []
    drop(tmp_path, rows(good(2), good(3)), "out/b.csv")
    assert [one.row["id"] for one in records(found, last.position)] == ["3"]


def test_a_file_that_goes_before_it_is_fetched_is_no_fault(server: Server, tmp_path: Path) -> None:
    """Departments tidy up; the files behind it are read."""
    for number, name in enumerate("abc", 1):
        drop(tmp_path, rows(good(number), good(10 + number)), f"out/{name}.csv")
    found = connector(tmp_path, server.yaml())
    read = []
    for batch in found.open().fetch(None, 1):
        read += [record.row["id"] for record in batch.records]
        (server.root / "out" / "b.csv").unlink(missing_ok=True)
    assert read == ["1", "11", "3", "13"]


def test_a_name_in_gbk_is_read_as_people_wrote_it(server: Server, tmp_path: Path) -> None:
    """As a server on Chinese Windows lists it; it keeps no other file back."""
    drop(tmp_path, rows(good(1)), "out/z.csv")
    drop(tmp_path, rows(good(2)), f"out/{os.fsdecode('办件.csv'.encode('gb18030'))}")
    found = connector(tmp_path, server.yaml())
    assert {one.position for one in records(found)} == {"z.csv:2", "办件.csv:2"}


def test_a_password_will_do(server: Server, tmp_path: Path) -> None:
    """From the environment; a wrong one is told as what it is."""
    drop(tmp_path, rows(good(1)), "out/a.csv")
    right = server.yaml(", password: right").replace(", key: id", "")
    assert len(records(connector(tmp_path, right))) == 1
    with pytest.raises(ConfigurationError, match=r"refuses the login. Correct the user, key: or password:"):
        records(connector(tmp_path, right.replace("password: right", "password: wrong")))


def test_a_server_that_shows_another_key_is_not_talked_to(
    server: Server, tmp_path: Path, keys: tuple[asyncssh.SSHKey, asyncssh.SSHKey]
) -> None:
    """Somebody else may sit behind the address: neither the password nor a file goes there."""
    server.trusted(tmp_path, keys[1])
    with pytest.raises(ConfigurationError, match="shows another key than known_hosts:"):
        records(connector(tmp_path, server.yaml()))


def test_a_login_without_a_known_key_is_refused_by_check(tmp_path: Path) -> None:
    """No "yes" to whoever answers; and no password in an address that stands in logs."""
    source = 'kind: files\nsource: {path: "*.csv", format: csv, sftp: {url: "%s"%s}}\n'
    with pytest.raises(ProblemsError, match=r"dep.yaml:2: `sftp.known_hosts` is missing"):
        connector(tmp_path, source % ("sftp://a@b/", ""))
    with pytest.raises(ProblemsError, match=r"dep.yaml:2: .*a password does not belong into an address"):
        connector(tmp_path, source % ("sftp://a:b@c/", ", known_hosts: x"))


def test_the_example_in_the_document_is_one(tmp_path: Path) -> None:
    """As printed: a login, an archive's members, a marker, deliveries."""
    text = (Path(__file__).parents[2] / "docs/connect-a-department.md").read_text("utf-8")
    (block,) = re.findall(r"```yml\n(.*?)```", text, re.DOTALL)
    found = connector(tmp_path, block)
    assert found.target() is not None
    assert found.parts[""].source_settings.sftp.folder == "/out"


def test_what_is_missing_is_told(server: Server, tmp_path: Path) -> None:
    """A folder on the server, a key here, the server itself."""
    with pytest.raises(ConfigurationError, match=r"No such file.*Correct the path"):
        records(connector(tmp_path, server.yaml(path="none/*.csv")))
    (server.root / "out").mkdir()
    with pytest.raises(ConfigurationError, match=r"the file out/a\.csv is not there"):
        records(connector(tmp_path, server.yaml(path="out/a.csv")))
    with pytest.raises(ConfigurationError, match=r"Correct key:"):
        records(connector(tmp_path, server.yaml().replace("key: id", "key: other")))
    with pytest.raises(RetryError, match="It will be tried again"):
        records(connector(tmp_path, server.yaml().replace(f":{server.port}/", ":1/")))


def test_a_cut_connection_is_made_anew(server: Server, tmp_path: Path) -> None:
    """The look fails, the next one connects again."""
    drop(tmp_path, rows(good(1)), "out/a.csv")
    found = connector(tmp_path, server.yaml())
    assert len(records(found)) == 1
    for session in sftp._sessions.values():
        assert session._connection is not None
        sftp._loop().call_soon_threadsafe(session._connection.abort)
    with pytest.raises(RetryError, match="cannot be reached"):
        records(found)
    assert len(records(found)) == 1


def test_a_file_that_grows_while_it_is_fetched_is_fetched_again(server: Server, tmp_path: Path) -> None:
    """What was listed is not what came."""
    path = drop(tmp_path, rows(good(1)), "out/a.csv")
    place = files.KIND.open(connector(tmp_path, server.yaml()).parts[""].source_settings, Context(tmp_path, [], "dep.yaml"))
    listing = place._place.listing()
    path.write_text(rows(good(1), good(2)))
    place._place.listing = lambda: listing
    with pytest.raises(RetryError, match=r"a\.csv changed while it was fetched"):
        list(place.fetch(None, 10))


def test_a_file_that_is_still_written_to_waits(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two listings must agree."""
    path = drop(tmp_path, rows(good(1)), "out/a.csv")
    os.utime(path)
    monkeypatch.setattr(folder, "SETTLE", 1.0)
    monkeypatch.setattr("time.sleep", lambda _: path.write_text(rows(good(1), good(2))))
    assert records(connector(tmp_path, server.yaml())) == []
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert len(records(connector(tmp_path, server.yaml()))) == 2


def test_a_marker_says_that_a_file_is_whole(server: Server, tmp_path: Path) -> None:
    """Where the department sends one."""
    drop(tmp_path, rows(good(1)), "out/a.csv")
    drop(tmp_path, rows(good(2)), "out/b.csv")
    drop(tmp_path, "", "out/b.csv.ok")
    found = connector(tmp_path, server.yaml().replace("format: csv", "format: csv, done: .ok"))
    assert [one.row["id"] for one in records(found)] == ["2"]


def test_deliveries_lie_there_whole_and_once(server: Server, tmp_path: Path) -> None:
    """Written aside, renamed; a repetition changes nothing, a name that climbs out stays inside."""
    login = {"url": f"sftp://dep@127.0.0.1:{server.port}/", "known_hosts": "hosts", "key": "id"}
    settings = TargetSettings.model_validate({"folder": "in/new", "sftp": login})
    assert files.KIND.target is not None
    target = files.KIND.target(settings, Context(tmp_path, [], "dep.yaml"))
    assert target.deliver({"delivery_id": "../../d1", "case": "张"}) == ("in/new/.._.._d1.json", False, None, ())
    assert target.deliver({"delivery_id": "../../d1", "case": "other"}).repeated
    (lying,) = (server.root / "in" / "new").iterdir()
    assert json.loads(lying.read_text("utf-8"))["case"] == "张"
