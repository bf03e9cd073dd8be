"""What Kafka Streams runs on in `bench.compare` is locked, and is the version of our own broker."""

from __future__ import annotations

from bench.compare_streams import LOCK, ROOTS
from bus.jars import locked


def test_the_lock_holds_what_is_asked_for():
    """Another version in the list of roots without a new lock would measure the old one."""
    there = {":".join(jar.coordinates) for jar in locked(LOCK)}
    assert set(ROOTS) <= there


def test_no_jar_is_locked_in_two_versions():
    """Both locks lie on one class path: the first would win, silently."""
    ours = {jar.coordinates[:2] for jar in locked()}
    assert not ours & {jar.coordinates[:2] for jar in locked(LOCK)}


def test_the_library_is_of_the_broker_s_version():
    """Kafka Streams beside a broker of another age would be another comparison."""
    versions = {jar.coordinates[1]: jar.coordinates[2] for jar in (*locked(), *locked(LOCK))}
    assert versions["kafka-streams"] == versions["kafka_2.13"] == versions["kafka-clients"]
