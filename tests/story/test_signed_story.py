"""A deployment whose events are signed: from the connector's key to a file of evidence, and everything that breaks it."""

from __future__ import annotations

import json
import shutil
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from router_story import Story, event

import casebus as package
from bus.partition import partition_of
from bus.ports import Message
from bus.topics import EVENTS
from casebus import evidence
from casebus.commands import evidence as command
from casebus.signatures import SignatureSettings, Signing, SigningClient, Wanted
from router.signatures import Signatures
from schemas.problem import ProblemsError
from schemas.signing import Key, Keys, Signer

PRIVATE, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
FAR = 1 << 60
KEYS = {"quality": Key("quality", ("quality@*",), PRIVATE.public_key(), 0, FAR)}


def publish(story: Story, one: Any, signer: Signer | None) -> None:
    key = one.case.encode()
    headers = signer.headers(one.raw) if signer else ()
    number = partition_of(key, story.settings.partitions)
    story.cluster.publish([Message(EVENTS.name, number, key, one.raw, 5, headers)])
    story.play([])


SIGNERS = [
    (None, "signature_missing"),
    (Signer("nobody", PRIVATE), "signature_unknown"),
    (Signer("quality", STRANGER), "signature_wrong"),
    (Signer("quality", PRIVATE), None),
]


@pytest.mark.parametrize("required", [True, False], ids=["require", "warn"])
@pytest.mark.parametrize(("signer", "reason"), SIGNERS)
def test_what_does_not_hold_is_refused_where_it_is_required_and_told_where_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], signer: Signer | None, reason: str | None, required: bool
) -> None:
    """Refused, it leaves no trace in the case and lies in the dead letters; told, it counts and the log has it."""
    story = Story(tmp_path, signatures=Signatures(Keys(KEYS), required=required))
    publish(story, event("Applied", case="city:1"), signer)
    refused = [reason] if reason and required else []
    assert [letter["reason"] for letter in story.letters()] == refused
    assert ("city:1" in story.states()) is not bool(refused)
    assert ("signature does not hold" in capsys.readouterr().out) is bool(reason and not required)


def test_a_connector_signs_its_events_and_nothing_else(tmp_path: Path) -> None:
    """By its transactional id: another's producer signs nothing, nor do dead letters and positions bear a signature."""
    file = tmp_path / "water.pem"
    file.write_bytes(PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    story = Story(tmp_path)
    client = SigningClient(story.cluster, Wanted(tmp_path, {"connector-water": Signing(key="water", file=Path("water.pem"))}))
    for name in ("connector-water", "connector-fire"):
        with closing(client.producer(name)) as producer:
            producer.begin()
            producer.send([Message(EVENTS.name, 0, b"k", b"v", 5), Message("approval.deadletters", 0, b"k", b"v", 5)])
            producer.commit()
    found = [
        [dict(record.headers).get("signature-key") for batch in client.read({place: 0}) for record in batch]
        for topic in (EVENTS.name, "approval.deadletters")
        for place in client.ends([topic])
        if place.number == 0
    ]
    assert found == [[b"water", None], [None, None]]


def test_a_key_that_was_exchanged_under_its_old_id_is_told_before_anything_is_signed(tmp_path: Path) -> None:
    """Every event would go to the dead letters. Where the folder of public keys is not at hand, the router tells."""
    for name, private in (("water", PRIVATE), ("new", STRANGER)):
        secret = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / f"{name}.pem").write_bytes(secret)
    _public(tmp_path / "keys", "water", PRIVATE)
    for file, folder, good in (("water.pem", "keys", True), ("new.pem", "keys", False), ("new.pem", "elsewhere", True)):
        settings = SignatureSettings(keys=Path(folder), sign={"water": Signing(key="water", file=Path(file))})
        wanted = Wanted.of("city", tmp_path, settings)
        with nullcontext() if good else pytest.raises(ProblemsError, match="is not the one of"):
            assert wanted.signer("connector-water")


def _public(folder: Path, name: str, private: Ed25519PrivateKey) -> None:
    folder.mkdir(exist_ok=True)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    validity = "valid_from: 2026-01-01T00:00+08:00\nvalid_until: 2099-01-01T00:00+08:00\n"
    text = f'authorities: ["environment@*"]\n{validity}public: |\n  ' + public.replace("\n", "\n  ")
    (folder / f"{name}.yaml").write_text(text, "utf-8")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `casebus init` writes, with signatures required and the connector's key beside it."""
    folder = tmp_path_factory.mktemp("signed") / "city"
    shutil.copytree(Path(package.__file__).parent / "templates" / "init", folder)
    _public(folder / "keys", "permits-2026", PRIVATE)
    secret = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "permits.pem").write_bytes(secret)
    with (folder / "casebus.yaml").open("a", encoding="utf-8") as file:
        file.write("signatures: {check: require, sign: {permits: {key: permits-2026, file: permits.pem}}}\n")
    return folder


@pytest.mark.broker
@pytest.mark.timeout(180)
def test_the_evidence_of_a_case_holds_and_every_change_to_it_is_found(city: Path, casebus: Any, tmp_path: Path) -> None:
    """From rows to a file, by the commands; then each part of the file changed once."""
    casebus("up", str(city), "--exit").good()
    number, file = "50000120260302000001", tmp_path / "evidence.json"
    casebus("evidence", number, str(city), "--to", str(file)).good()
    found = casebus("evidence", "verify", str(file), "--json").good().json
    assert found["good"]
    rows = [row for row in (city / "exports/permits.csv").read_text("utf-8").splitlines() if number in row]
    assert [one["standing"] for one in found["events"]] == ["holds"] * len(rows)
    assert command.verify(file, city / "keys", as_json=True) == 0
    written = json.loads(file.read_text("utf-8"))
    for change in (_another_time, _another_event, _a_missing_entry, _a_missing_end, _another_signature, _another_key):
        changed = json.loads(json.dumps(written))
        change(changed)
        assert not evidence.checked(changed).good, change.__name__
    forged = json.loads(json.dumps(written))
    _all_by_a_stranger(forged)
    assert evidence.checked(forged).good  # a file vouches for its own keys only
    assert not evidence.checked(forged, KEYS_OF_THE_READER).good
    with pytest.raises(ProblemsError, match="no evidence of ours"):
        evidence.checked({**written, "entries": [{}]})


KEYS_OF_THE_READER = {"permits-2026": Key("permits-2026", ("environment@*",), PRIVATE.public_key(), 0, FAR)}


def _another_time(file: Any) -> None:
    file["entries"][0]["recorded_at"] += 1


def _another_event(file: Any) -> None:
    file["entries"][1]["event"] = file["entries"][0]["event"]


def _a_missing_entry(file: Any) -> None:
    del file["entries"][1]


def _a_missing_end(file: Any) -> None:
    del file["entries"][-1]


def _another_signature(file: Any) -> None:
    first, second = list(file["signatures"].values())[:2]
    first["signature"] = second["signature"]


def _another_key(file: Any) -> None:
    public = STRANGER.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    file["keys"]["permits-2026"]["public"] = public


def _all_by_a_stranger(file: Any) -> None:
    """Whoever has the file can sign it all anew, with a key of his own under the same name."""
    import base64

    _another_key(file)
    signer = Signer("permits-2026", STRANGER)
    for entry in file["entries"]:
        if said := file["signatures"].get(str(entry["sequence"])):
            said["signature"] = base64.b64encode(signer.headers(base64.b64decode(entry["event"]))[1][1]).decode()
