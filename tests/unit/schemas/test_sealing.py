"""Personal fields sealed: what opens, what does not, and what an event with sealed fields says as a hash."""

from __future__ import annotations

import json
from typing import Any

import audit_world as world
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import contract
from schemas.codec import default
from schemas.envelope import Event, body_hash, same_fact, without_seals
from schemas.sealing import DataKey, Known, Lock, Place, SealError, has_clear, keys_of, personal, seal, unsealed

SECRET = bytes(range(64))
KEY = DataKey(SECRET)
HERE = Place("water/case:1", "ab" * 16, "applicant.name")


class Ring:
    """One key under one name."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def known(self, name: str) -> Known:
        return self._known if name == HERE.key else Known()


def applied(**people: Any) -> Event:
    found = world.event("Applied", 1, "case:1", applicant={name: {"value": text} for name, text in people.items()})
    return Event(found.type, found.header | {"actor": {"value": "李科长"}}, found.body)


def sealed(event: Event, key: DataKey | None = KEY) -> Event:
    return seal(event, Lock(HERE.key, key), bool)


@settings(max_examples=20)
@given(st.text(st.characters(codec="utf-8"), max_size=70))
def test_whatever_was_sealed_opens_again_and_always_looks_the_same(text: str) -> None:
    """Also what ends with zeros, or with the byte that ends a value; its length tells only how many blocks it fills."""
    cipher = KEY.seal(text.encode(), HERE)
    assert KEY.open(cipher, HERE) == text.encode()
    assert cipher == DataKey(SECRET).seal(text.encode(), HERE)
    assert (len(cipher) - 5 - 16) % 32 == 0


@pytest.mark.parametrize("field", Place._fields)
def test_a_seal_opens_in_its_own_place_alone(field: str) -> None:
    """Moved to another event, another field or under another key's name it is worth nothing."""
    cipher = KEY.seal("王小明".encode(), HERE)
    with pytest.raises(SealError):
        KEY.open(cipher, HERE._replace(**{field: "other"}))


@settings(max_examples=20)
@given(st.integers(0, 52), st.integers(1, 255))
def test_no_byte_can_be_changed(index: int, change: int) -> None:
    """Version, the key's mark and each byte of the seal: all are held, and the fault tells nothing of the value."""
    cipher = bytearray(KEY.seal("王小明".encode(), HERE))
    cipher[index] ^= change
    with pytest.raises(SealError) as caught:
        KEY.open(bytes(cipher), HERE)
    assert "王" not in str(caught.value)


def test_a_key_says_nothing_of_itself() -> None:
    """Not in a repr, not as a part of what holds it."""
    shown = repr([KEY, Lock("name", KEY), Known(KEY)]) + str(vars(DataKey))
    assert repr(SECRET)[2:10] not in shown
    assert SECRET.hex() not in shown


def test_every_personal_field_of_every_event_is_known() -> None:
    """As often as a contract names Sealed as a branch, there is a way to the field."""
    for name, form in contract.events().items():
        assert len(personal(name)) == json.dumps(form.schema).count('"Sealed"'), name
        assert len({field.name for field in personal(name)}) == len(personal(name))


def test_an_event_keeps_nothing_personal_and_fits_its_schema() -> None:
    """Header and body alike; the event that came is not changed, and what is sealed already stays."""
    event = applied(name="王小明", phone="13800138000")
    before = repr(event)
    found = sealed(event)
    assert "王小明" not in repr(found)
    assert "李科长" not in repr(found)
    assert repr(event) == before
    assert keys_of(found) == {HERE.key}
    assert default().decode(default().encode(found.type, found.header, found.body)).body == found.body
    assert sealed(found) is found
    assert not has_clear(found, bool)


def test_only_the_fields_that_are_wanted() -> None:
    """Officials may stay in the clear where the supervision counts by person."""
    found = seal(applied(name="王小明"), Lock(HERE.key, KEY), lambda name: name.startswith("applicant."))
    assert found.header["actor"] == {"value": "李科长"}
    assert list(found.body["applicant"]["name"]) == ["key", "cipher"]


def test_for_whom_it_opens() -> None:
    """With the key in the clear; without it sealed; destroyed it is empty, for everybody."""
    found = sealed(applied(name="王小明"))
    assert unsealed(found, Ring(Known(KEY))).body["applicant"]["name"] == {"value": "王小明"}
    assert unsealed(found, Ring(Known())) is found
    assert unsealed(found, Ring(Known(DataKey(bytes(64))))) is found
    assert unsealed(found, Ring(Known(destroyed=True))).body["applicant"]["name"] == {"key": HERE.key, "cipher": b""}


def test_the_hash_of_sealed_words() -> None:
    """Other words have another hash, the same words the same one; without the key all but the words still compares."""
    one, again, other = (sealed(applied(name=name)) for name in ("王小明", "王小明", "王大明"))
    gone = sealed(applied(name="王小明"), None)
    said = {name: event.header["body_hash"] for name, event in locals().items() if isinstance(event, Event)}
    assert said["one"] == said["again"] != said["other"]
    assert [same_fact(said["one"], said[name]) for name in ("again", "other", "gone")] == [True, False, True]
    assert without_seals(said["one"]) == said["gone"] == without_seals(said["gone"])
    assert body_hash(one.type, one.header, one.body) == said["one"]


def test_what_is_in_the_clear_counts_all_the_same() -> None:
    """A destroyed key excuses another name, and nothing else."""
    gone = sealed(applied(name="王小明"), None)
    moved = sealed(Event("Applied", applied().header | {"item": "B"}, applied(name="王小明").body))
    assert not same_fact(gone.header["body_hash"], moved.header["body_hash"])


def test_the_hash_of_other_events_is_what_it_was() -> None:
    """The word that marks a seal may stand in a text: the hash is a contract, and only sealed fields have another one."""
    event = world.event("Applied", 1, "case:1", project="妦cipher")
    assert event.header["body_hash"] == "f44193958d70ed1efab4a49530c8ffd2"
