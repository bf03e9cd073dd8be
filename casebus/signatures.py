"""`signatures:` in casebus.yaml, and the client that signs: whoever publishes events here does so through it.

signatures:
  check: require
  sign:
    water: {key: water-2026, file: secrets/water-2026.pem}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from bus.ports import Client, Consumer, Membership, Message, Partition, Producer, Record, Written
from bus.topics import EVENTS, Topic
from schemas import keyfile
from schemas.signing import Keys, Signer
from schemas.yamlfile import Settings


class Check(StrEnum):
    """What the router does about signatures."""

    OFF = "off"
    WARN = "warn"
    REQUIRE = "require"


class Signing(Settings):
    """With which private key somebody signs: the id of its public part, and the file, in PEM, for this process's eyes alone."""

    key: str = Field(min_length=1)
    file: Path


class SignatureSettings(Settings):
    """`keys` is the folder of public keys; `sign` says who signs: a connector's system, or `page`, `deliver`, `deadletters`."""

    check: Check = Check.OFF
    keys: Path = Path("keys")
    sign: dict[str, Signing] = Field(default_factory=dict)

    def trusted(self, folder: Path) -> Keys | None:
        """The public keys, where signatures are looked at. Raises ProblemsError."""
        return None if self.check is Check.OFF else Keys(keyfile.public_keys(folder / self.keys))


#: Parts of the bus that publish events themselves, and what their transactional id ends with after the deployment's name.
PARTS = {"page": ("page",), "deliver": ("deliveries-1", "deliveries-2"), "deadletters": ("deadletters",)}


class Wanted(NamedTuple):
    """Who signs with what, by transactional id. A private key is read when its owner begins to publish.

    `keys` is the folder of public keys, where this process has it.
    """

    folder: Path
    signing: Mapping[str, Signing]
    keys: Path | None = None

    @classmethod
    def of(cls, name: str, folder: Path, settings: SignatureSettings) -> Wanted:
        """`name` is the deployment's. A connector's name goes before a part's."""
        ids = {f"connector-{who}": one for who, one in settings.sign.items()}
        lasts = ((last, settings.sign[part]) for part, ends in PARTS.items() if part in settings.sign for last in ends)
        parts = {f"{name}-{last}": one for last, one in lasts}
        return cls(folder, ids | parts, folder / settings.keys)

    def signer(self, transactional_id: str) -> Signer | None:
        """Raises ProblemsError where the key cannot be read, or is another one than the public one of that id."""
        one = self.signing.get(transactional_id)
        if one is None:
            return None
        where = f"signatures.sign ({transactional_id})"
        found = keyfile.signer(one.key, self.folder / one.file, where)
        if self.keys is not None:
            keyfile.check_pair(found, self.keys, where)
        return found


class SigningProducer:
    """`bus.ports.Producer` that signs what goes to the events; everything else goes as it is."""

    def __init__(self, inner: Producer, signer: Signer) -> None:
        self._inner, self._signer = inner, signer

    def begin(self) -> None:
        self._inner.begin()

    def offsets(self, positions: Mapping[Partition, int], membership: Membership) -> None:
        self._inner.offsets(positions, membership)

    def commit(self) -> list[Written]:
        return self._inner.commit()

    def abort(self) -> None:
        self._inner.abort()

    def close(self) -> None:
        self._inner.close()

    def send(self, messages: Iterable[Message]) -> None:
        self._inner.send([self._signed(one) for one in messages])

    def _signed(self, one: Message) -> Message:
        if one.topic != EVENTS.name or one.key is None or one.value is None:
            return one
        return one._replace(headers=(*one.headers, *self._signer.headers(one.value)))


class SigningClient:
    """`bus.ports.Client` whose producers sign, where their transactional id is one that signs."""

    def __init__(self, inner: Client, wanted: Wanted) -> None:
        self._inner, self._wanted = inner, wanted

    def producer(self, transactional_id: str) -> Producer:
        """The key first: without it nothing would be published, so nobody is fenced for it."""
        signer = self._wanted.signer(transactional_id)
        producer = self._inner.producer(transactional_id)
        return SigningProducer(producer, signer) if signer else producer

    def consumer(self, group: str, topics: Sequence[str]) -> Consumer:
        return self._inner.consumer(group, topics)

    def read(self, positions: Mapping[Partition, int], *, until_end: bool = True, timeout: float = 1.0) -> Iterator[list[Record]]:
        return self._inner.read(positions, until_end=until_end, timeout=timeout)

    def ends(self, topics: Sequence[str]) -> dict[Partition, int]:
        return self._inner.ends(topics)

    def begins(self, topics: Sequence[str]) -> dict[Partition, int]:
        return self._inner.begins(topics)

    def create(self, topics: Sequence[Topic]) -> None:
        self._inner.create(topics)

    def committed(self, group: str, topics: Sequence[str]) -> dict[Partition, int]:
        return self._inner.committed(group, topics)

    def close(self) -> None:
        self._inner.close()
