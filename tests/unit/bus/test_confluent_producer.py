"""librdkafka does not keep the time-outs it is given: each call that waits for a coordinator comes back all the same."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bus import confluent_producer
from bus.confluent_producer import ConfluentTransactions
from bus.errors import RetryError
from bus.ports import Membership, Partition

MEMBER = Membership(group="g", generation=1, member="m", native=None)


class Library:
    """Answers everything at once, but for the call named `hangs`."""

    def __init__(self, hangs: str, until: threading.Event) -> None:
        self._hangs, self._until = hangs, until

    def __getattr__(self, name: str) -> Any:
        return self._until.wait if name == self._hangs else lambda *_: 0


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    monkeypatch.setattr(confluent_producer, "GRACE_SECONDS", 0.02)
    monkeypatch.setattr(confluent_producer, "ABORT_SECONDS", 0.02)
    event = threading.Event()
    library = SimpleNamespace(wait=lambda *_: event.wait(30), set=event.set)
    yield library  # type: ignore[misc]  # an event whose wait minds no time-out
    event.set()


@pytest.mark.parametrize("call", ["send_offsets_to_transaction", "commit_transaction", "abort_transaction"])
def test_a_call_that_never_comes_back_is_worth_another_try_with_a_new_producer(released, call):
    producer = ConfluentTransactions(Library(call, released), 0.02)
    producer.begin()
    steps = {
        "send_offsets_to_transaction": lambda: producer.offsets({Partition("t", 0): 1}, MEMBER),
        "commit_transaction": producer.commit,
        "abort_transaction": producer.abort,
    }
    with pytest.raises(RetryError, match=r"librdkafka did not come back within 0\.0 s"):
        steps[call]()
    with pytest.raises(RetryError, match="Make a new one"):
        producer.begin()
    producer.close()


def test_a_transactional_id_that_is_never_given_leaves_no_thread(released):
    before = threading.active_count()
    with pytest.raises(RetryError, match="While taking the transactional id: librdkafka"):
        ConfluentTransactions(Library("init_transactions", released), 0.02)
    released.set()
    for thread in threading.enumerate():
        if thread.name == "casebus-bounded":
            thread.join(5)
    assert threading.active_count() <= before
