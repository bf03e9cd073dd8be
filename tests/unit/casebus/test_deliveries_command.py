"""`casebus deliveries`: what waits for its receiver, and having it tried now."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus import topics
from bus.errors import ConfigurationError
from bus.memory import Cluster
from bus.ports import Message
from casebus.commands import deliveries
from casebus.wiring import Wiring
from connectors import waiting
from schemas.codec import default


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A deployment with two deliveries that wait, the second one for longer."""
    (tmp_path / "casebus.yaml").write_text("name: city\nzone: Asia/Shanghai\n", "utf-8")
    made = Cluster()
    made.create(topics.standard(2))
    made.publish(_waits(number) for number in (2, 1))

    @contextmanager
    def client(_: Wiring) -> Iterator[Cluster]:
        yield made

    monkeypatch.setattr(Wiring, "client", client)
    return made


def _waits(number: int) -> Message:
    value = {"delivery_id": f"d{number}", "case": f"case:{number}", "sequence": 1, "rule": "r", "to": "water@1"}
    whole = default().encode_record("Delivery", {**value, "hand_over": "H1", "kind": "k", "decided_at": 0, "summary": {}})
    headers = (("attempts", b"3"), ("due", b"%d000" % (1_767_225_600 + number)), ("reason", "线路断了".encode()))
    return Message(topics.RETRIES.name, 0, f"d{number}".encode(), whole, 0, headers)


def test_what_waits_is_shown_with_its_next_time_and_its_reason(
    cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the order in which it is tried, in the deployment's own time."""
    assert deliveries.show_all(tmp_path, as_json=True) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["delivery"], first["attempts"], first["reason"]) == ("d1", 3, "线路断了")
    assert (first["next"], second["next"]) == ("2026-01-01 08:00:01+08:00", "2026-01-01 08:00:02+08:00")
    deliveries.show_all(tmp_path, as_json=False)
    assert "2 deliveries wait" in capsys.readouterr().out


def test_one_is_tried_now_or_all(cluster: Cluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever its time was."""
    deliveries.retry(tmp_path, ["d1"])
    assert "1 delivery is tried now." in capsys.readouterr().out
    assert [one.asked for one in waiting.read(cluster, default()).values()] == [False, True]
    deliveries.retry(tmp_path, [])
    assert {(one.asked, one.at) for one in waiting.read(cluster, default()).values()} == {(True, 0)}


def test_one_that_does_not_wait_is_told(cluster: Cluster, tmp_path: Path) -> None:
    """Nothing is asked for then."""
    before = cluster.records(topics.RETRIES.name)
    with pytest.raises(ConfigurationError, match="d9 does not wait"):
        deliveries.retry(tmp_path, ["d1", "d9"])
    assert cluster.records(topics.RETRIES.name) == before
