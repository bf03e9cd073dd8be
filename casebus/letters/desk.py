"""Where people work on dead letters: what stands, with its acts, and each act in one transaction with what it publishes."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bus.errors import ConfigurationError
from bus.ports import Client, Message, Partition, Producer
from bus.topics import DEADLETTERS, EVENTS, JOURNAL, standard
from casebus.commands.open_view import opened
from casebus.letters import judge, ledger, mended, shown
from casebus.letters.again import Again, Setting, again
from casebus.letters.shown import Row
from casebus.wiring import Wiring
from connectors import deadletters, rowtext
from connectors.deadletters import Letter
from monitor import tables
from monitor.view import View
from schemas.handled import Act, State, row_of, state_of

#: Letters of one transaction: their events may be large.
_AT_ONCE = 100
_LOOK = 0.2  # seconds between two looks whether the router has spoken


class Item(NamedTuple):
    """A letter as it stands: the view's row, what was done about it, and what was said of it last."""

    row: Row
    acts: Sequence[Act]
    state: State
    reason: str
    text: str

    @property
    def id(self) -> str:
        return str(self.row["id"])


class Who(NamedTuple):
    """Who acts, and why."""

    by: str
    why: str


class Desk:
    """The letters of one deployment."""

    def __init__(self, wiring: Wiring, client: Client, view: View) -> None:
        self._wiring = wiring
        self._client = client
        self._view = view

    def items(self) -> list[Item]:
        """Every letter, in the order of receipt."""
        return items(self._view, self._wiring, mended.shown(ledger.read(self._client), self._wiring.ring))

    def item(self, name: str) -> Item:
        """Raises ConfigurationError where there is none."""
        found = next((item for item in self.items() if item.id == name), None)
        if found is None:
            raise ConfigurationError(f"There is no dead letter {name}. Take an id such as 3-17 from `casebus deadletters list`.")
        return found

    def letter(self, name: str) -> Letter:
        return self.letters([name])[name]

    def letters(self, ids: Collection[str]) -> dict[str, Letter]:
        """The letters as they stand on the bus, whole."""
        read = deadletters.read(self._client, self._wiring.codec)
        return {letter.id: deadletters.opened(letter, self._wiring.ring) for letter in read if letter.id in ids}

    def setting(self) -> Setting:
        """Today's mappings and lookups; receipt now, for it is now that the bus learns of it."""
        wiring, now = self._wiring, time.time_ns() // 1_000_000
        partitions = wiring.settings.kafka.partitions
        return Setting(wiring.connectors, wiring.codec, partitions, wiring.receipts.now(), now, wiring.replays)

    def replay(self, ids: Collection[str], who: Who, rows: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """Publish them again, in the order of receipt, exactly once; `rows` are those that were corrected, by letter.

        Whoever replays at the same time is fenced: his letters stand, and are read after that. Raises BusError.
        """
        with closing(self._producer()) as producer:
            known, how, beyond = ledger.read(self._client), self.setting(), self._ends()
            found = sorted(self.letters(ids).values(), key=_order)
            for start in range(0, len(found), _AT_ONCE):
                messages: list[Message] = []
                for letter in found[start : start + _AT_ONCE]:
                    acts = known.get(letter.id, [])
                    row = (rows or {}).get(letter.id)
                    given = again(letter, row if row is not None else self._corrected(acts), how)
                    done = _act(given, mended.written(letter, row, how.connectors), who, beyond)
                    messages += [*given.messages, ledger.message(letter.id, [*acts, done])]
                for connector in how.connectors:
                    connector.keep()
                _commit(producer, messages)

    def _corrected(self, acts: Sequence[Act]) -> dict[str, Any] | None:
        """The row as it was corrected last. Raises ConfigurationError where it is sealed and does not open here."""
        row = mended.read(row_of(acts), self._wiring.ring)
        if row is not None and mended.WHOLE in row:
            raise ConfigurationError(
                f"The corrected row is {row[mended.WHOLE].strip('()')} with a key that is not held here. Replay it where the "
                "master key can be read, or dismiss the letter."
            )
        return None if row is None else rowtext.decoded(json.dumps(row))

    def tried(self, letter: Letter, row: Mapping[str, Any] | None) -> Again:
        """What it would give; nothing is published."""
        return again(letter, row, self.setting())

    def dismiss(self, ids: Collection[str], who: Who) -> None:
        """Nothing will be done about them, for a reason."""
        self._add({name: Act(State.DISMISSED, _now(), who.by, who.why) for name in ids})

    def settle(self, ids: Collection[str], who: Who, seconds: float) -> None:
        """Wait until the router has spoken on these, at most so long, and write down what it said."""
        deadline = time.monotonic() + seconds
        while True:
            passed = self._passed()
            found = {item.id: item for item in self.items() if item.id in ids}
            waiting = [item for item in found.values() if _unheard(item)]
            if not waiting or passed or time.monotonic() >= deadline:
                break
            time.sleep(_LOOK)
        self._add(dict(_spoken(found.values(), who, passed)))

    def _passed(self) -> bool:
        """The router has read all that was published, and the view all that came of it: silence is an answer then."""
        group = self._wiring.router_group
        if self._unread([EVENTS.name], self._client.committed(group, [EVENTS.name])):
            return False
        with self._view.snapshot() as snapshot:
            rows = snapshot.all(tables.offsets.select())
        return not self._unread(
            [JOURNAL.name, DEADLETTERS.name], {Partition(one.topic, one.partition): one.next_offset for one in rows}
        )

    def _unread(self, topics: Sequence[str], done: Mapping[Partition, int]) -> bool:
        """Records stand behind these offsets. (The ends themselves tell nothing: the last offset is a transaction's mark.)"""
        behind = {place: done.get(place, 0) for place, end in self._client.ends(topics).items() if done.get(place, 0) < end}
        return bool(behind) and any(self._client.read(behind))

    def _add(self, acts: Mapping[str, Act]) -> None:
        if not acts:
            return
        with closing(self._producer()) as producer:
            known = ledger.read(self._client)
            _commit(producer, [ledger.message(name, [*known.get(name, []), act]) for name, act in acts.items()])

    def _producer(self) -> Producer:
        return self._client.producer(f"{self._wiring.settings.name}-deadletters")

    def _ends(self) -> dict[str, int]:
        return {str(place.number): end for place, end in self._client.ends([DEADLETTERS.name]).items()}


@contextmanager
def opened_desk(folder: Path) -> Iterator[tuple[Wiring, Desk]]:
    """Raises ConfigurationError where nothing has been recorded yet."""
    with opened(folder) as (wiring, view), wiring.client() as client:
        client.create(standard(wiring.settings.kafka.partitions))
        yield wiring, Desk(wiring, client, view)


def items(view: View, wiring: Wiring, acts: ledger.Ledger) -> list[Item]:
    """The view's letters with the acts on them, each in the state that follows from both."""
    rows = shown.rows(view)
    good = shown.counting_after_all(view)
    replayed = {name: done[-1] for name, done in acts.items() if state_of(done) is State.REPLAYED}
    heard = judge.verdicts(view, wiring.codec, rows, replayed)
    answers = judge.answers(rows, acts)
    return [_item(row, acts.get(row["id"], []), heard, shown.is_of(row, good)) for row in rows if row["id"] not in answers]


def _item(row: Row, acts: Sequence[Act], heard: Mapping[str, judge.Verdict], counts: bool) -> Item:
    verdict = heard.get(row["id"])
    if verdict is not None:
        return Item(row, acts, verdict.state, verdict.reason or row["reason"], verdict.text or row["text"])
    state = state_of(acts)
    if counts and state is not State.DISMISSED:
        return Item(row, acts, State.MENDED, row["reason"], row["text"])
    last = acts[-1] if acts and acts[-1].reason else None
    return Item(row, acts, state, last.reason if last else row["reason"], last.text if last else row["text"])


def _order(letter: Letter) -> tuple[int, ...]:
    """As they came, and among those that came together as their source has them."""
    return letter.value["received_at"], letter.sequence, letter.partition, letter.offset


def _act(given: Again, row: dict[str, Any] | None, who: Who, beyond: dict[str, int]) -> Act:
    state = State.REFUSED_AGAIN if given.reason else State.REPLAYED if given.messages else State.MENDED
    return Act(state, _now(), who.by, who.why, row, list(given.events), beyond, given.reason, given.text)


def _unheard(item: Item) -> bool:
    """Of a delivery nothing is heard when it was taken."""
    return item.state is State.REPLAYED and item.row["stage"] != "DELIVERY"


def _spoken(found: Collection[Item], who: Who, passed: bool) -> Iterator[tuple[str, Act]]:
    """The acts that say what was heard."""
    for item in found:
        last = item.acts[-1] if item.acts else None
        if last is None or last.state is not State.REPLAYED:
            continue
        if item.state is not State.REPLAYED:
            refused = item.state is State.REFUSED_AGAIN
            yield item.id, Act(item.state, _now(), who.by, reason=item.reason * refused, text=item.text * refused)
        elif passed and _unheard(item):
            text = judge.SILENT.format(item.row["text"])
            yield item.id, Act(State.REFUSED_AGAIN, _now(), who.by, reason=item.row["reason"], text=text)


def _commit(producer: Producer, messages: Sequence[Message]) -> None:
    producer.begin()
    producer.send(messages)
    producer.commit()


def _now() -> int:
    return time.time_ns() // 1000
