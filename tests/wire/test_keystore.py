"""Keys of cases in a file: made once, kept before they are used, destroyed for ever, and never told."""

from __future__ import annotations

import base64
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import audit_world as world
import pytest
from pydantic import ValidationError

from bus.errors import ConfigurationError, RetryError
from casebus.keystore import Act, Keyring, Store, Vault
from casebus.sealing import Master, Sealed, SealingSettings, from_file
from schemas.envelope import Event
from schemas.problem import ProblemsError

SECRET = os.urandom(32)
ACT = Act("", 5, "li", "asked for")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(f"sqlite:///{tmp_path}/secrets/keys.db")
    made.prepare()
    return made


@pytest.fixture
def vault(tmp_path: Path, store: Store) -> Callable[..., Vault]:
    """A process of the connector `dep`, by its master key."""

    def made(secret: bytes = SECRET) -> Vault:
        (tmp_path / "dep.key").write_bytes(base64.b64encode(secret))
        return Vault("dep", Sealed(master="dep-2026", file=Path("dep.key")), tmp_path, store)

    return made


def applied(case: str = "case:1", name: str = "王小明") -> Event:
    return world.event("Applied", 1, case, applicant={"name": {"value": name}})


def seal_of(event: Event) -> Any:
    return event.body["applicant"]["name"]


def test_two_processes_seal_alike(vault: Callable[..., Vault]) -> None:
    """The key that one has kept is the other's too; each case has its own."""
    one, other = vault(), vault()
    first = one.sealed(applied())
    one.keep()
    assert other.sealed(applied()) == first
    assert seal_of(other.sealed(applied("case:2")))["key"] == "dep/case:2"


def test_of_two_keys_for_one_case_the_first_stays(vault: Callable[..., Vault]) -> None:
    """Who comes second publishes nothing, is told to try again, and then seals with the first one's key."""
    one, other = vault(), vault()
    first = one.sealed(applied())
    other.sealed(applied())
    one.keep()
    with pytest.raises(RetryError):
        other.keep()
    assert other.sealed(applied()) == first
    other.keep()


def test_nothing_is_kept_that_was_not_asked_to_be(vault: Callable[..., Vault], store: Store) -> None:
    """A batch that is dropped leaves no keys, and an audit none at all."""
    vault().sealed(applied())
    assert store.counts() == {}


def test_destroyed_is_destroyed(tmp_path: Path, vault: Callable[..., Vault], store: Store) -> None:
    """The row is empty, its bytes are overwritten, and a second destruction does not change who did the first."""
    vault_one = vault()
    vault_one.sealed(applied())
    vault_one.keep()
    _, wrapped, _ = store.row("dep/case:1") or ("", b"", None)
    assert wrapped
    file = tmp_path / "secrets" / "keys.db"
    assert wrapped in file.read_bytes()
    store.destroy(["dep/case:1", "dep/case:9"], ACT)
    store.destroy(["dep/case:1"], ACT._replace(by="wang"))
    assert wrapped not in file.read_bytes()
    assert [(act.name, act.by) for act in store.acts()] == [("dep/case:1", "li"), ("dep/case:9", "li")]
    assert seal_of(vault().sealed(applied("case:9"))) == {"key": "dep/case:9", "cipher": b""}


def test_a_key_destroyed_while_masters_change_stays_so(
    tmp_path: Path, vault: Callable[..., Vault], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unwrapping all keys takes its time, and who destroys one waits for nobody."""
    one = vault()
    one.sealed(applied())
    one.keep()
    old, new, other = Master("dep-2026", SECRET), Master("new", os.urandom(32)), Store(f"sqlite:///{tmp_path}/secrets/keys.db")
    unwrap = Master.unwrap

    def meanwhile(self: Master, name: str, wrapped: bytes) -> bytes | None:
        other.destroy([name], ACT)
        return unwrap(self, name, wrapped)

    monkeypatch.setattr(Master, "unwrap", meanwhile)
    store.rewrap("dep", old, new)
    assert store.row("dep/case:1") == ("dep-2026", None, ACT.at)
    other.close()


def test_who_has_no_master_opens_nothing(vault: Callable[..., Vault], store: Store) -> None:
    """Another master is a fault to a connector, which would make unreadable events; to a reader it is no key."""
    one = vault()
    one.sealed(applied())
    one.keep()
    with pytest.raises(ConfigurationError, match="dep-2026 does not open it"):
        vault(os.urandom(32)).sealed(applied())
    assert Keyring(store, {}).known("dep/case:1").key is None
    assert Keyring(store, {"dep": Master("x", os.urandom(32))}).known("dep/case:1").key is None
    assert Keyring(store, {"dep": Master("x", SECRET)}).known("dep/case:1").key is not None
    assert Keyring(None, {}).known("dep/case:1").key is None


def test_a_wrapped_key_is_bound_to_its_case(vault: Callable[..., Vault], store: Store, tmp_path: Path) -> None:
    """Whoever writes into the file cannot give one case another's key."""
    one = vault()
    one.sealed(applied())
    one.sealed(applied("case:2"))
    one.keep()
    with sqlite3.connect(tmp_path / "secrets" / "keys.db") as connection:
        said = "update data_keys set wrapped = (select wrapped from data_keys where name = 'dep/case:2')"
        connection.execute(said)
    assert Keyring(store, {"dep": Master("x", SECRET)}).known("dep/case:1").key is None


def test_the_file_is_for_nobody_else(tmp_path: Path, store: Store) -> None:
    """Neither the file nor a folder that was made for it."""
    assert (tmp_path / "secrets" / "keys.db").stat().st_mode & 0o077 == 0
    assert (tmp_path / "secrets").stat().st_mode & 0o077 == 0
    assert store.counts() == {}


def test_a_place_that_nobody_may_write_is_told(tmp_path: Path) -> None:
    """A folder of a container or a unit is read only: waiting would not mend it."""
    (tmp_path / "secrets").write_text("no folder")
    with pytest.raises(ConfigurationError, match="Name one that this process may write"):
        Store(f"sqlite:///{tmp_path}/secrets/keys.db").prepare()
    Store(f"sqlite:///{tmp_path}/keys.db").prepare()
    read_only = Store(f"sqlite:///file:{tmp_path}/keys.db?mode=ro&uri=true")
    with pytest.raises(ConfigurationError, match="cannot be written to"):
        read_only.destroy(["dep/case:1"], ACT)


@pytest.mark.parametrize("text", ["", "c2hvcnQ=", "not base64!", base64.b64encode(bytes(33)).decode()])
def test_a_master_that_is_none(tmp_path: Path, text: str) -> None:
    """Told with the file and how to make one, and nothing of what is in it."""
    (tmp_path / "x.key").write_text(text)
    with pytest.raises(ProblemsError) as caught:
        from_file(tmp_path / "x.key", "sealing")
    assert "openssl rand" in str(caught.value)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    "said",
    [{"master": "m"}, {"master": "m", "file": "f", "key": "k"}, {"master": "m", "file": "f", "fields": ["applicant.nam"]}],
    ids=["no key", "two keys", "no such field"],
)
def test_settings_that_say_nothing_sensible(said: dict[str, Any]) -> None:
    """One key, and fields that there are."""
    with pytest.raises(ValidationError):
        SealingSettings.model_validate({"seal": {"dep": said}})


def test_nothing_of_a_key_is_ever_shown(tmp_path: Path, vault: Callable[..., Vault]) -> None:
    """Reprs of settings and keys, and what a database says whose address holds a password."""
    text = base64.b64encode(SECRET).decode()
    settings = SealingSettings.model_validate(
        {"keys": "postgresql+psycopg://u:hunter2@localhost:1/x", "seal": {"dep": {"master": "m", "key": text}}}
    )
    one = vault()
    one.sealed(applied())
    with pytest.raises(RetryError) as caught:
        Store(settings.url(tmp_path)).counts()
    shown = repr(settings) + repr(Master("m", SECRET)) + repr(vars(one).keys()) + str(caught.value) + repr(caught.value.__cause__)
    assert "hunter2" not in shown
    assert text not in shown
    assert repr(SECRET)[2:12] not in shown
