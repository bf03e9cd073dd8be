"""Whatever a row holds, it gives events or a refusal, never another exception; and the same row gives the same."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from typing import Any

import pytest
from connector_world import CSV, NOW, connector, deployment
from hypothesis import given
from hypothesis import strategies as st

from connectors.config import Connector, read
from connectors.documents import PROFILES, profiles
from connectors.mapping import Rejection
from connectors.source import SourceRecord
from connectors.values import Damaged
from schemas.codec import CodecError, default
from schemas.envelope import Event
from schemas.yamlfile import load

#: Every type of column, with everything that may stand around one.
MAPPING = """
zone: Asia/Shanghai
missing: [NULL, 0]
lookups:
  codes: {table: {A: Applied, B: {event: Accepted}}, fold: true}
columns:
  id: {clean: key}
  number: {clean: [width, upper], pattern: '.+'}
  at: {type: time, formats: [common, epoch_ms, excel], not_before: 1980-01-01}
  then: {type: time, formats: "%d.%m.%Y", not_before: at}
  count: {type: whole}
  share: {type: number, decimal: ","}
  fee: {type: money}
  truth: {type: bool}
  papers: {type: list}
  any: {type: any}
  nested: {from: [any, 0, name]}
  kind: {lookup: codes}
  inner: {from: kind, lookup: codes.event}
  owner: {clean: identity}
  company: {clean: credit_code}
  phone: {clean: phone}
  sum: {value: "count == null ? 1 : count + 1"}
  part: {value: "part(text(any), 0, 3)"}
key: [id, number]
version: sum
case: number
header: {occurred_at: "at == null ? then : at", reported_at: then, actor: any, step: count, links: papers, activity: inner}
events:
  - type: Applied
    when: truth != false
    body: {project: any, materials: [{name: part}], planned_end: then, applicant: {name: owner}}
  - {type: FeeCharged, name: fee, when: fee != null, body: {amount: fee, currency: "'CNY'"}}
"""
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=30),
    st.binary(max_size=10),
    st.dates(),
    st.datetimes(),
    st.datetimes(timezones=st.just(UTC)),
    st.times(),
    st.just(Damaged("error_in_cell", "found #REF!", "Correct it")),
)
#: What a mapping of ours takes, so that some rows get far.
LIKELY = st.sampled_from(
    ["A", "b", "C1", "2025-06-01", "2025年6月1日", 1748740839123, "12", "1,5", "是", "11010519491231002X", "x、y", 45809, ""]
)
VALUES = st.one_of(LIKELY, SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(max_size=5), SCALARS, max_size=3))


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Connector:
    made: Connector = connector(tmp_path_factory.mktemp("any"), CSV, MAPPING)
    return made


def translated(found: Connector, row: dict[str, Any], table: str = "") -> list[Event] | Rejection:
    """What the row gives, twice the same; and what it gives can be published or is refused as what does not fit."""
    record = SourceRecord("any:1", 1, row, b"raw", None, table)
    given, again = (found.mapping.translate(record, NOW) for _ in range(2))
    assert given == again
    for event in given if isinstance(given, list) else []:
        with suppress(CodecError):  # which the runner makes a dead letter of
            default().encode(event.type, event.header, event.body)
    return given


NAMES = ["id", "number", "at", "then", "count", "share", "fee", "truth", "papers", "any", "kind", "owner", "company", "phone"]


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, VALUES)))
def test_any_row_gives_events_or_a_refusal(found: Connector, row: dict[str, Any]) -> None:
    """Of every type of column, with keys and without."""
    given = translated(found, row)
    if isinstance(given, Rejection):
        assert given.text.endswith(".")
        assert given.reason


@given(st.data())
def test_one_wrong_value_in_a_good_row(found: Connector, data: st.DataObject) -> None:
    """A row that is nearly right comes further."""
    row = {"id": "1", "number": "C1", "at": "2025-06-01 09:00:00", "count": "1", "any": "x"}
    assert isinstance(translated(found, row), list)
    translated(found, row | {data.draw(st.sampled_from(NAMES)): data.draw(VALUES)})


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Connector]:
    """The ready-made mappings, by name."""
    folder = tmp_path_factory.mktemp("profiles")
    source = 'source: {url: "sqlite:///front.db", watermark: CD_TIME}\n'
    return {name: read(deployment(folder, f"profile: {name}\n{source}", name)) for name in profiles()}


SAMPLES = [
    (name, table, sample["row"])
    for name in profiles()
    for table, part in load(PROFILES / f"{name}.yaml")["tables"].items()
    for sample in part["samples"]
]


@given(data=st.data())
def test_any_row_of_a_profile(tables: dict[str, Connector], data: st.DataObject) -> None:
    """The samples of the ready-made mappings with one value changed to anything."""
    name, table, sample = data.draw(st.sampled_from(SAMPLES))
    translated(tables[name], sample | {data.draw(st.sampled_from(sorted(sample))): data.draw(VALUES)}, table)
