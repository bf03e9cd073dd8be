"""A file of evidence that a stranger changed: found or refused with a sentence, and never held for whole when it is not."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hostile import broken, changed
from hypothesis import given
from hypothesis import strategies as st
from router_story import Story, event

from bus.partition import partition_of
from bus.ports import Message
from bus.topics import EVENTS
from casebus import evidence
from casebus.commands import evidence as command
from schemas.codec import default
from schemas.problem import ProblemsError
from schemas.signing import Key, Signer

PRIVATE = Ed25519PrivateKey.generate()
KEYS = {"quality": Key("quality", ("quality@*",), PRIVATE.public_key(), 0, 1 << 52)}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The evidence of a case with two signed events, as its file holds it."""
    story = Story(tmp_path_factory.mktemp("story"))
    for one in (event("Applied", case="city:1"), event("Accepted", 2, case="city:1")):
        key = one.case.encode()
        headers = Signer("quality", PRIVATE).headers(one.raw)
        story.cluster.publish([Message(EVENTS.name, partition_of(key, story.settings.partitions), key, one.raw, 5, headers)])
    story.play([])
    made: dict[str, Any] = json.loads(json.dumps(evidence.made(story.cluster, default(), "city:1", KEYS)))
    assert evidence.checked(made, KEYS).good
    return made


def said(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What the entries say, without what nobody reads."""
    return [{name: entry.get(name) for name in FIELDS} for entry in found["entries"]]


FIELDS = ("case", "sequence", "kind", "recorded_at", "event_id", "rule", "target", "facts", "event", "previous", "hash")


@given(data=st.data())
def test_a_changed_tree_is_found_or_says_the_same(written: dict[str, Any], data: st.DataObject) -> None:
    """With the reader's own keys. What is held for whole says what it said, or less from the end, whose head differs."""
    tree = data.draw(changed(written))
    try:
        found = evidence.checked(tree, KEYS)
    except ProblemsError:
        return
    if found.good and found.head == written["head"]:
        assert said(tree) == said(written)


@given(data=st.data())
def test_a_file_of_anything_ends_with_a_verdict_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, written: dict[str, Any], data: st.DataObject
) -> None:
    """By the command, as text too: bytes with faults, trees with faults."""
    text = json.dumps(data.draw(st.one_of(st.just(written), changed(written)))).encode()
    _verdict(tmp_path_factory, data.draw(st.one_of(st.just(text), broken(text))))


def test_a_signature_that_was_taken_away_is_missed_by_who_knows_the_key(written: dict[str, Any]) -> None:
    """One, then all with the keys: a file can be rid of both, a reader's folder of keys cannot."""
    for kept in (list(written["signatures"])[1:], []):
        bare = {**written, "signatures": {n: one for n, one in written["signatures"].items() if n in kept}, "keys": {}}
        found = evidence.checked(bare, KEYS)
        assert not found.good
        assert {line.standing for line in found.lines} == {"missing"} | ({"holds"} if kept else set())
    assert evidence.checked({**bare, "keys": written["keys"]}).good  # without a folder nothing says that there was any


def test_an_authority_of_which_the_reader_has_no_key_may_be_unsigned(written: dict[str, Any]) -> None:
    """Departments begin to sign one after another."""
    other = {"water": KEYS["quality"]._replace(id="water", authorities=("water@*",))}
    later = {"quality": KEYS["quality"]._replace(since=1 << 51)}
    for keys in (other, later):
        found = evidence.checked({**written, "signatures": {}}, keys)
        assert found.good
        assert {line.standing for line in found.lines} == {"unsigned"}


#: A chain of no entries has no fault.
NOTHING = b'{"format": "casebus evidence 1", "case": "city:1", "head": "", "entries": [], "signatures": {}, "keys": {}}'


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"[" * 100_000, b'{"format": "casebus evidence 1"}', b"1" * 10_000, NOTHING])
def test_files_that_stop_readers_of_json(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    """Another encoding, a tower of brackets, a number that never ends, and a case of which nothing is said."""
    with pytest.raises(ProblemsError):
        _verdict(tmp_path_factory, text, tell=True)


def _verdict(places: pytest.TempPathFactory, text: bytes, *, tell: bool = False) -> None:
    file: Path = places.mktemp("file") / "evidence.json"
    file.write_bytes(text)
    for as_json in (False, True):
        terminal = io.TextIOWrapper(io.BytesIO(), "utf-8")  # as strict as a real one
        with contextlib.suppress(*(() if tell else (ProblemsError,))), contextlib.redirect_stdout(terminal):
            assert command.verify(file, None, as_json=as_json) in {0, 1}
    file.unlink()
    file.parent.rmdir()
