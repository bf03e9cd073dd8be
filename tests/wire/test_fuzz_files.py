"""Files that people and strangers write, with faults anywhere in them: always a problem with its place, no other exception."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hostile import TREES, broken, changed, dear
from hypothesis import given
from hypothesis import strategies as st

import casebus
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from connectors.config import Connector, read
from connectors.mapping import Rejection
from connectors.source import SourceRecord
from schemas.keyfile import public_keys, signer
from schemas.problem import Problem, ProblemsError

ROOT = Path(__file__).parents[2]
PLACES = [ROOT / "examples/receipt", *(Path(casebus.__file__).parent / "templates" / name for name in ("init", "demo"))]
NOW = 1_767_225_600_000_000


def told(read: Callable[[], Any]) -> Any:
    """What is read, or None where problems are told: each with its place, what was found, what to write."""
    problems: list[Problem] = []
    try:
        return read()
    except ProblemsError as error:
        problems += error.problems
    assert problems
    assert not [problem for problem in problems if not all(part.strip() for part in problem)]
    return None


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Copies of the deployments that are shipped."""
    made = {place.name: tmp_path_factory.mktemp("cities") / place.name for place in PLACES}
    for place in PLACES:
        shutil.copytree(place, made[place.name])
    return made


CONNECTORS = [(place.name, path.name) for place in PLACES for path in sorted((place / "connectors").glob("*.yaml"))]
FILES = [
    (place.name, str(path.relative_to(place)))
    for place in PLACES
    for path in sorted(place.rglob("*"))
    if path.suffix in {".yaml", ".csv"} and path.parent.name not in {"connectors", "exports", "sent"} and path.is_file()
]


@dear
@given(data=st.data())
def test_a_mapping_with_faults(cities: dict[str, Path], data: st.DataObject) -> None:
    """Of every connector that is shipped: values, keys and lists that are anything, moved, gone or new."""
    city, name = data.draw(st.sampled_from(CONNECTORS))
    tree = yaml.safe_load((ROOT / _original(city) / "connectors" / name).read_text("utf-8"))
    path = cities[city] / "connectors" / "fuzzed.yaml"
    path.write_text(yaml.safe_dump(data.draw(changed(tree)), allow_unicode=True), "utf-8")
    found = told(lambda: read(path, "Asia/Shanghai"))
    path.unlink()
    if isinstance(found, Connector):
        _any_rows(found, tree, data)


def _original(city: str) -> Path:
    return next(place for place in PLACES if place.name == city)


def _any_rows(found: Connector, tree: Any, data: st.DataObject) -> None:
    """What a mapping that was taken makes of its samples' rows with faults: events or a refusal."""
    samples = [one["row"] for one in tree.get("samples") or [] if isinstance(one, dict) and isinstance(one.get("row"), dict)]
    row = data.draw(changed(data.draw(st.sampled_from(samples))) if samples else st.dictionaries(st.text(), TREES))
    given_ = found.mapping.translate(SourceRecord("fuzz:1", 1, row, b"raw"), NOW)
    assert isinstance(given_, (list, Rejection))


@dear
@given(data=st.data())
def test_any_row_through_every_mapping_that_is_shipped(connectors: list[tuple[Connector, Any]], data: st.DataObject) -> None:
    """Rows of their samples with faults, and rows that are anything."""
    _any_rows(*data.draw(st.sampled_from(connectors)), data)


@pytest.fixture(scope="module")
def connectors(cities: dict[str, Path]) -> list[tuple[Connector, Any]]:
    found = ((cities[city] / "connectors" / name) for city, name in CONNECTORS)
    return [(read(path, "Asia/Shanghai"), yaml.safe_load(path.read_text("utf-8"))) for path in found]


@dear
@given(data=st.data())
def test_a_file_of_a_deployment_with_faults(cities: dict[str, Path], data: st.DataObject) -> None:
    """Settings, directory, catalogue, calendars: as a tree and as bytes."""
    city, name = data.draw(st.sampled_from(FILES))
    path, original = cities[city] / name, (_original(city) / name).read_bytes()
    if path.suffix == ".yaml" and data.draw(st.booleans()):
        tree = data.draw(changed(yaml.safe_load(original)))
        path.write_text(yaml.safe_dump(tree, allow_unicode=True), "utf-8")
    else:
        path.write_bytes(data.draw(broken(original)))
    try:
        told(lambda: _whole(cities[city]))
    finally:
        path.write_bytes(original)


def _whole(folder: Path) -> None:
    """As `casebus check` looks at it."""
    if problems := Wiring(Deployment.load(folder)).problems():
        raise ProblemsError(*problems)


@dear
@given(data=st.data())
def test_a_folder_of_keys_with_faults(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Trees and bytes; private keys too."""
    folder = tmp_path_factory.mktemp("keys")
    tree = {
        "authorities": ["water@*"],
        "public": PUBLIC,
        "valid_from": "2026-01-01T00:00+08:00",
        "valid_until": "2027-01-01T00:00+08:00",
    }
    text = yaml.safe_dump(data.draw(changed(tree)), allow_unicode=True).encode()
    (folder / "water.yaml").write_bytes(data.draw(st.one_of(st.just(text), broken(text))))
    told(lambda: public_keys(folder))
    (folder / "water.pem").write_bytes(data.draw(broken(SECRET)))
    told(lambda: signer("water", folder / "water.pem", "casebus.yaml:1"))
    shutil.rmtree(folder)


PRIVATE = Ed25519PrivateKey.generate()
SECRET = PRIVATE.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
