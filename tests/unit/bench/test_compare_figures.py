"""The figures of `bench.compare`: what counts as a recovery, a latency, a loss, and how they are told."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from bench import compare_picture, compare_report
from bench.compare_field import FIELD
from bench.compare_watch import Latency, compared, event_of, latency, resumed
from bench.router_events import Load, messages

FIGURES = {"cpu_us": 50.0, "events_a_second": 10_000.0, "mb": 90.0, "p50_ms": 8.0, "p99_ms": 30.0, "recovery_s": 7.5}
RIGHT = {"results": 100, "lost": 0, "twice": 0}


def result(**changes: dict) -> dict:
    """Of a run with all contestants; `changes` by name, `_` for `-`."""
    found = {one.name: FIGURES | RIGHT | changes.get(one.name.replace("-", "_"), {}) for one in FIELD}
    plan = {"rounds": 3, "events": 30_000, "warm_up": 30_000, "rate": 1_000}
    where = {"at": "2026-01-01 10:00 UTC", "load_before": 0.5, "cores": 2}
    return {"contestants": found, "left_out": {}, "plan": plan, **where}


def test_what_was_committed_before_a_kill_does_not_end_the_outage():
    """Two records come just after the kill, then nothing for seven seconds: that silence's end counts."""
    assert resumed([9.9, 10.05, 10.1, 17.2, 17.21, 17.9], killed=10.0) == pytest.approx(7.2)
    assert resumed([9.0, 16.0, 16.5], killed=10.0) == pytest.approx(6.0)


def test_an_output_that_never_grows_again_is_no_recovery():
    """Else a dead contestant would be the fastest."""
    with pytest.raises(ValueError, match="nothing came out"):
        resumed([8.0, 9.0], killed=10.0)


def test_latency_is_from_published_to_read():
    """Of a hundred events the last but one waited long: that is p99, and p50 does not see it."""
    published = {str(number): float(number) for number in range(101)}
    came = {name: at + (0.5 if name in {"99", "100"} else 0.01) for name, at in published.items()}
    assert latency(published, came) == pytest.approx(Latency(10.0, 500.0))
    with pytest.raises(KeyError):
        latency(published, {})


def test_lost_and_doubled_events_are_counted():
    """One of three never came, one came twice."""
    assert compared({"a": 1, "b": 2}, ["a", "b", "c"]) == (3, 1, 1)


def test_an_output_record_names_its_event():
    """Every contestant but the router writes the event itself."""
    made = messages(Load(22))
    ids = {event_of(one.value or b"") for one in made}
    assert len(ids) == 22
    assert None not in ids


def test_batches_share_no_case():
    """Two batches of one run: a case's life is in one of them, else its second half would come before the first."""
    first, second = messages(Load(33)), messages(Load(33, first=1_000))
    assert not {one.key for one in first} & {one.key for one in second}


def test_a_router_is_held_against_its_own_client():
    """Half the rate of the plain loop of the same client is said as such; the other client's is not compared."""
    said = compare_report.written(result(router_confluent={"events_a_second": 5_000.0, "cpu_us": 75.0}))
    assert "router, confluent: 0.50 of the rate of plain loop, confluent, 1.50 of its processor time." in said
    assert "router, confluent: 0.50 of the rate of Kafka Streams, 1.50 of its processor time." in said
    assert "router, confluent: 0.50 of the rate of plain loop, kafka-python" not in said


def test_who_was_left_out_is_said_with_the_reason():
    """Never silently: the row is missing and the sentence is there."""
    found = result()
    del found["contestants"]["streams"]
    found["left_out"]["streams"] = "its jars cannot be fetched"
    said = compare_report.written(found)
    assert "| Kafka Streams |" not in said
    assert "Left out: Kafka Streams: its jars cannot be fetched." in said


def test_only_a_router_that_loses_or_doubles_fails_the_run():
    """What others do is reported, and is theirs to mend."""
    assert compare_report.right(result(quix={"lost": 3}))
    assert not compare_report.right(result(router_confluent={"lost": 1}))
    assert not compare_report.right(result(router_kafka_python={"twice": 1}))


def test_the_picture_has_every_contestant_and_stays_within_its_frame():
    """Each row is named, bars begin in their column and end before the next, and no script stands in it."""
    drawn = compare_picture.drawn(result(router_confluent={"mb": 400.0, "p99_ms": 900.0}))
    root = etree.fromstring(drawn)
    texts = [one.text for one in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {one.words for one in FIELD} <= set(texts)
    assert "8, 900" in texts
    bars = [(float(x), float(width)) for x, width in re.findall(r'<rect x="([\d.]+)" y="\d+" width="([\d.]+)"', drawn)]
    assert len(bars) == len(FIELD) * 6
    assert all(x >= compare_picture.LEFT and x + width < compare_picture.WIDTH for x, width in bars)


def test_a_run_without_kills_draws_no_recovery():
    """The short form has no such figure."""
    found = result()
    for figures in found["contestants"].values():
        del figures["recovery_s"]
    assert "kill -9" not in compare_picture.drawn(found)
    assert "| - |" in compare_report.written(found)
