"""Sealed bytes from strangers: opened by the right key at the right place, or told as what they are; nothing else comes out."""

from __future__ import annotations

from typing import Any

import pytest
from hostile import broken
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from router_story import event

from schemas.sealing import (
    DESTROYED,
    NOTHING,
    SEALED,
    DataKey,
    Known,
    Lock,
    Place,
    SealError,
    concealed,
    concealed_by,
    new_secret,
    revealed,
    unsealed,
)

KEY, OTHER = DataKey(new_secret()), DataKey(new_secret())
LOCK = Lock("water/1", KEY)
VALUE = "王小明 13800000000".encode()
PLACE = Place("water/1", "e1", "actor")
PREFIX = concealed(b"", LOCK, "raw").partition(b"water/1")[0]


class Ring:
    """Somebody who has one key, or knows that it was destroyed."""

    def __init__(self, known: Known) -> None:
        self._known = known

    def known(self, name: str) -> Known:
        return self._known if name == LOCK.name else Known()


RINGS = [Ring(Known(KEY)), Ring(Known(OTHER)), Ring(Known()), Ring(Known(None, destroyed=True))]


@given(cipher=st.one_of(broken(KEY.seal(VALUE, PLACE)), st.binary(max_size=120)), data=st.binary(max_size=100))
def test_a_seal_with_faults_opens_to_nothing(cipher: bytes, data: bytes) -> None:
    """What was sealed comes back at its place alone; what was changed never does."""
    sealed = KEY.seal(data, PLACE)
    assert KEY.open(sealed, PLACE) == data
    for key, seal, place in ((KEY, cipher, PLACE), (OTHER, sealed, PLACE), (KEY, sealed, PLACE._replace(field="applicant.name"))):
        if seal == KEY.seal(VALUE, PLACE):
            continue
        with pytest.raises(SealError):
            key.open(seal, place)


APPLIED = event("Applied", case="water:1")
ITS = Place(LOCK.name, APPLIED.id, "actor")


@given(cipher=st.one_of(broken(KEY.seal(VALUE, ITS)), st.binary(max_size=120).map(lambda data: KEY.seal(data, ITS))))
def test_an_event_that_says_anything_in_a_sealed_field_can_be_shown(cipher: bytes) -> None:
    """Who has a department's key may seal bytes that are no text."""
    one = replace(APPLIED, header=APPLIED.header | {"actor": {"key": LOCK.name, "cipher": cipher}})
    for ring in RINGS:
        shown: Any = unsealed(one, ring).header["actor"]
        assert set(shown) in ({"value"}, {"key", "cipher"})
        assert isinstance(shown.get("value", ""), str)


@given(data=st.one_of(broken(concealed(VALUE, LOCK, "raw")), st.binary(max_size=60).map(lambda tail: PREFIX + tail)))
def test_a_row_that_only_begins_like_a_sealed_one_can_be_shown(data: bytes) -> None:
    """A department that sends such bytes stops nobody's list of dead letters."""
    for ring in RINGS:
        assert revealed(data, ring) in {data, SEALED, DESTROYED, VALUE}
    assert concealed_by(data) is None or data.startswith(PREFIX)


def test_what_was_destroyed_is_shown_as_that() -> None:
    """And what was sealed with a key that was gone by then."""
    assert revealed(concealed(VALUE, LOCK, "raw"), RINGS[3]) == DESTROYED
    assert revealed(concealed(VALUE, Lock("water/1", None), "raw"), RINGS[0]) == DESTROYED
    assert NOTHING == b""
