"""Whatever is done to a journal is seen: one bit, one entry less, one twice, two swapped, the end cut off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.journal import chained, verify


def chain(length: int = 5) -> list[dict]:
    entries, previous = [], b""
    for sequence in range(1, length + 1):
        fields = {"case": "city:1", "sequence": sequence, "kind": "EVENT", "recorded_at": sequence, "event_id": f"e{sequence}"}
        entry = {**fields, "event": b"bytes%d" % sequence, "rule": None, "target": None, "facts": {"b": "2", "a": "1"}}
        entries.append(chained(entry, previous))
        previous = entry["hash"]
    return entries


def test_an_untouched_journal_has_no_problem():
    """With the head and the length known elsewhere, and without."""
    entries = chain()
    assert verify(entries) == []
    assert verify(entries, entries[-1]["hash"], 5) == []
    assert verify([], b"", 0) == []


@given(
    st.integers(0, 4), st.sampled_from(["case", "kind", "recorded_at", "event_id", "event", "rule", "target", "facts", "hash"])
)
def test_a_changed_field_is_found_at_its_entry(index, field):
    """Each field is under the hash."""
    entries = chain()
    entries[index][field] = {"facts": {"a": "9"}, "recorded_at": 99, "event": b"forged", "hash": b"forged"}.get(field, "forged")
    assert any(problem.where.endswith(f"entry {index + 1}") for problem in verify(entries))


def test_an_event_taken_out_of_its_entry_is_found():
    """No bytes and empty bytes are different things."""
    entries = chain()
    entries[2]["event"] = None
    assert verify(entries)
    empty = chained({**entries[2], "event": b""}, b"")["hash"]
    assert empty != chained({**entries[2], "event": None}, b"")["hash"]


@pytest.mark.parametrize("index", range(4))
def test_a_missing_entry_is_found(index):
    """The one after it neither has the next number nor continues the hash."""
    entries = chain()
    del entries[index]
    assert len(verify(entries)) >= 2


def test_a_doubled_and_a_swapped_entry_are_found():
    """Order is part of what was recorded."""
    entries = chain()
    assert verify([*entries[:2], entries[1], *entries[2:]])
    assert verify([entries[1], entries[0], *entries[2:]])


def test_a_shortened_end_is_found_only_by_who_knows_the_head():
    """A chain cut at an entry is whole in itself."""
    entries = chain()
    assert verify(entries[:3]) == []
    assert verify(entries[:3], length=5)
    assert verify(entries[:3], entries[-1]["hash"])


def test_a_rewritten_tail_is_found_by_the_head():
    """Who forges an entry and chains everything after it anew cannot give the head that is kept elsewhere."""
    entries, forged = chain(), chain()
    forged[1]["event"] = b"forged"
    previous = forged[0]["hash"]
    for entry in forged[1:]:
        previous = chained(entry, previous)["hash"]
    assert verify(forged) == []
    assert verify(forged, entries[-1]["hash"], 5)
