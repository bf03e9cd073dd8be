"""What a fuzzer sends: bytes and trees that are nearly right, and bytes and trees that are anything."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

#: For examples that take a tenth of a second each: a quarter of them.
dear = settings(
    max_examples=max(10, settings.default.max_examples // 4),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)

#: Avro's lengths and counts at the edges: variable length, zigzag, and one that never ends.
NUMBERS = [
    b"\x00", b"\x01", b"\x02", b"\x7f", b"\xff\x01",
    b"\xfe\xff\xff\xff\x0f", b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x10",
    b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
    b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x80" * 12 + b"\x01", b"\xff" * 40,
]  # fmt: skip


@st.composite
def broken(draw: st.DrawFn, raw: bytes, start: int = 0) -> bytes:
    """These bytes with one to three faults behind `start`: cut, flipped, overwritten, put in twice, with anything put in."""
    found = raw
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(start, max(start, len(found))))
        end = min(len(found), at + draw(st.integers(0, 12)))
        found = draw(st.sampled_from(_FAULTS))(draw, found, at, end)
    return found


def _cut(_: st.DrawFn, raw: bytes, at: int, end: int) -> bytes:
    return raw[:at]


def _flipped(draw: st.DrawFn, raw: bytes, at: int, end: int) -> bytes:
    bit = 1 << draw(st.integers(0, 7))
    return raw[:at] + bytes(byte ^ bit for byte in raw[at : at + 1]) + raw[at + 1 :]


def _numbered(draw: st.DrawFn, raw: bytes, at: int, end: int) -> bytes:
    return raw[:at] + draw(st.sampled_from(NUMBERS)) + raw[end:]


def _doubled(_: st.DrawFn, raw: bytes, at: int, end: int) -> bytes:
    return raw[:end] + raw[at:]


def _anything(draw: st.DrawFn, raw: bytes, at: int, end: int) -> bytes:
    return raw[:at] + draw(st.binary(max_size=12)) + raw[end:]


_FAULTS = (_cut, _flipped, _numbered, _doubled, _anything)

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "*", "a.b", "${HOME}", "../..", "=1+1", "'", "0x1", "-0", "1e999", "\x00", "2026-02-30", "a" * 300]),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**400]),
    st.floats(),
    TEXTS,
)
#: Any value that JSON can hold, and YAML.
TREES = st.recursive(
    SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)), max_leaves=6
)


@st.composite
def changed(draw: st.DrawFn, tree: Any, values: st.SearchStrategy[Any] = TREES) -> Any:
    """This tree with one to three faults: a value replaced by anything or by another of its own, a key gone, renamed or new."""
    found = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        places = list(_places(found))
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        _one_fault(draw, found, holder, key, values)
    return found


def _one_fault(draw: st.DrawFn, tree: Any, holder: Any, key: Any, values: st.SearchStrategy[Any]) -> None:
    fault = draw(st.sampled_from(["anything", "another", "gone", "new", "wrapped"]))
    if fault == "anything":
        holder[key] = draw(values)
    elif fault == "another":
        other, its = draw(st.sampled_from(list(_places(tree))))
        holder[key] = copy.deepcopy(other[its])
    elif fault == "gone":
        del holder[key]
    elif fault == "wrapped":
        holder[key] = [holder[key]]
    elif isinstance(holder, dict):
        holder[draw(TEXTS)] = draw(values)
    else:
        holder.append(draw(values))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every holder with every key or index of it."""
    keys: Sequence[Any] = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else []
    for key in keys:
        yield tree, key
        yield from _places(tree[key])
