"""What the client of librdkafka is told while leaders move, and what it makes of it."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from bus import confluent
from bus.confluent import ConfluentClient
from bus.errors import BusError
from bus.ports import Partition
from bus.settings import KafkaSettings


class Moving:
    """An admin client whose broker answers with these errors first, and then knows the ends."""

    def __init__(self, *errors: int) -> None:
        self._errors = list(errors)

    def list_topics(self, **_: Any) -> Any:
        return SimpleNamespace(topics={"t": SimpleNamespace(topic="t", partitions={0: None})})

    def list_offsets(self, places: dict[Any, Any], **_: Any) -> dict[Any, Future[Any]]:
        answer: Future[Any] = Future()
        if self._errors:
            answer.set_exception(KafkaException(KafkaError(self._errors.pop(0))))
        else:
            answer.set_result(SimpleNamespace(offset=7))
        return dict.fromkeys(places, answer)


def client(monkeypatch: pytest.MonkeyPatch, *errors: int) -> ConfluentClient:
    made = ConfluentClient(KafkaSettings(brokers="127.0.0.1:1", client="confluent"))
    admin = Moving(*errors)
    monkeypatch.setattr(made, "_admin", lambda: admin)
    monkeypatch.setattr("time.sleep", lambda _: None)
    return made


@pytest.mark.parametrize("code", sorted(confluent._MOVING))
def test_while_a_leader_moves_the_ends_are_asked_for_again(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """After a restart the broker may know less than the client: nobody has to hear of that."""
    assert client(monkeypatch, code, code).ends(["t"]) == {Partition("t", 0): 7}


def test_what_waiting_does_not_mend_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing right is no moving leader."""
    with pytest.raises(BusError, match="asking where partitions end"):
        client(monkeypatch, KafkaError.TOPIC_AUTHORIZATION_FAILED).ends(["t"])
