"""Signing by a fleet: workers share departments whose events must be signed; one is killed, keys change while all runs."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from live_city import COLUMNS, HEADING, Workers, begun, line

from bus.errors import RetryError
from bus.ports import Client, Record
from bus.topics import EVENTS
from router.signatures import Signatures
from schemas.codec import default
from schemas.keyfile import public_keys
from schemas.signing import KEY, Keys

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]
NAMES = [f"office{number}" for number in range(4)]


class City(Workers):
    """Departments that sign, and the workers started for them."""

    def __init__(self, folder: Path, client: Client) -> None:
        super().__init__(folder)
        self.client = client
        self._head = (folder / "casebus.yaml").read_text("utf-8")
        (folder / "drop").mkdir()
        for name in NAMES:
            (folder / f"drop/{name}.csv").write_text(HEADING, "utf-8")
            source = f"kind: files\nsource: {{path: drop/{name}.csv, format: csv}}\n"
            (folder / f"connectors/{name}.yaml").write_text(f"{source}{COLUMNS}events: [{{type: Accepted}}]\n", "utf-8")

    def key(self, name: str) -> None:
        """A new pair: what an office does before its old key ends, while its connector runs."""
        private = Ed25519PrivateKey.generate()
        (self.folder / f"{name}.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        validity = "valid_from: 2020-01-01T00:00+08:00\nvalid_until: 2099-01-01T00:00+08:00\n"
        text = f'authorities: ["permits@*"]\n{validity}public: |\n  ' + public.replace("\n", "\n  ")
        (self.folder / "keys").mkdir(exist_ok=True)
        (self.folder / f"keys/{name}.yaml").write_text(text, "utf-8")

    def sign_with(self, key: str) -> None:
        """What a worker that starts from now on signs with."""
        who = ", ".join(f"{name}: {{key: {key}, file: {key}.pem}}" for name in NAMES)
        (self.folder / "casebus.yaml").write_text(f"{self._head}\nsignatures: {{check: require, sign: {{{who}}}}}\n", "utf-8")

    def rows(self, number: int) -> None:
        for name in NAMES:
            with (self.folder / f"drop/{name}.csv").open("a", encoding="utf-8") as file:
                file.write(line(number))

    def records(self) -> list[Record]:
        starts = dict.fromkeys(self.client.ends([EVENTS.name]), 0)
        return [one for batch in self.client.read(starts) for one in batch]

    def seen(self) -> Counter[tuple[str, str]]:
        """How often each row of each office is on the bus."""
        sources = (default().decode(one.value or b"").header["source"] for one in self.records())
        return Counter((one["system"], one["key"]) for one in sources)

    def refused(self) -> list[str]:
        """What the router would say of them, by the public keys of the folder."""
        gate = Signatures(Keys(public_keys(self.folder / "keys")), required=True)
        letters = (gate.letter(one, default().decode(one.value or b"")) for one in self.records())
        return [letter.reason for letter in letters if letter is not None]

    def keys(self) -> Counter[str]:
        """How many events each key signed."""
        return Counter(dict(one.headers)[KEY].decode() for one in self.records())


@pytest.fixture
def city(tmp_path: Path, casebus: Any) -> Iterator[City]:
    with begun(tmp_path / "city", casebus) as place:
        made = City(place.folder, place.client)
        yield made
        made.end()


def until(city: City, true: Callable[[], bool]) -> None:
    start = time.monotonic()
    while time.monotonic() - start < 90:
        with suppress(RetryError):  # while the leaders of new topics are told round
            if true():
                return
        time.sleep(0.2)
    pytest.fail(f"not within 90 s\n{city.logs()}")


def once(numbers: range) -> Counter[tuple[str, str]]:
    """Each of these rows of each office, once."""
    return Counter((name, str(number)) for name in NAMES for number in numbers)


def test_every_event_is_signed_though_workers_die_and_keys_change(city: City) -> None:
    """Two workers; one is killed, the other signs on; a third begins with the new key before the last with the old one ends."""
    city.key("permits-2026")
    city.sign_with("permits-2026")
    city.rows(1)
    first, second = city.worker(), city.worker()
    until(city, lambda: city.seen() == once(range(1, 2)))
    os.kill(second.pid, signal.SIGKILL)
    second.wait()
    city.rows(2)
    until(city, lambda: city.seen() == once(range(1, 3)))
    assert city.keys() == {"permits-2026": 2 * len(NAMES)}

    city.key("permits-2027")
    city.sign_with("permits-2027")
    third = city.worker()
    city.rows(3)  # by whoever has the office at the moment, with the key that it knows
    until(city, lambda: city.seen() == once(range(1, 4)))
    first.terminate()
    assert first.wait(60) == 0
    city.rows(4)
    until(city, lambda: city.seen() == once(range(1, 5)))
    assert third.poll() is None
    assert city.refused() == []
    assert city.keys()["permits-2027"] >= len(NAMES)

    (city.folder / "keys/permits-2027.yaml").unlink()  # and the check of all this can fail
    assert set(city.refused()) == {"signature_unknown"}
