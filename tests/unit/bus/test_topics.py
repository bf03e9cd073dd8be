"""Topics as values."""

from __future__ import annotations

from bus import topics


def test_names_are_unique_and_fit_for_kafka():
    """Kafka makes `.` and `_` equal in metric names: we use only one of them."""
    names = [topic.name for topic in topics.ALL]
    assert len(set(names)) == len(names)
    assert all(name.replace(".", "").isalpha() and name.islower() for name in names)


def test_topics_of_cases_have_the_deployments_count_and_the_others_their_own():
    """What is keyed by case is co-partitioned."""
    counts = {topic.name: topic.partitions for topic in topics.standard(8)}
    assert {
        counts.pop(name)
        for name in ("connector.positions", "connector.status", "approval.deadletters.handling", "approval.schemas")
    } == {1}
    assert counts.pop("connector.control") == 24
    assert set(counts.values()) == {8}


def test_what_was_recorded_is_kept_for_ever():
    """No retention deletes an event; state and positions keep the last of each key."""
    for topic in topics.ALL:
        assert topic.config()["retention.ms"] == "-1"
        assert topic.config()["cleanup.policy"] == ("compact" if topic.compacted else "delete")
    lists = {"connector.positions", "connector.control", "connector.status", "approval.deadletters.handling"}
    compacted = {"case.state", "case.deliveries.retry", "approval.schemas"} | lists
    assert {topic.name for topic in topics.ALL if topic.compacted} == compacted
