"""The end of input: how the routers find out together that nothing more can come.

`up --exit` writes a marker to every partition of the events. A partition that meets it tells all partitions of
case.forward (round 1). Whoever has heard a round from everybody begins the next one, and says in it whether anything was
sent on since its last word. A round in which nobody had sent anything is the last: no event is under way. What was sent
before a word is read before that word, so its consequences are confessed in the next.
"""

from __future__ import annotations

import msgspec


class Marks(msgspec.Struct):
    """What one partition has heard of one run: by round, who said it, and whether they had sent something on."""

    run: str
    heard: dict[int, dict[int, bool]] = {}
    #: The last round of our own.
    said: int = 0

    def hear(self, round_number: int, sender: int, *, moved: bool) -> Marks:
        told = {**self.heard.get(round_number, {}), sender: moved}
        return Marks(self.run, {**self.heard, round_number: told}, self.said)

    def say(self) -> Marks:
        """We have begun the next round."""
        return Marks(self.run, self.heard, self.said + 1)

    def complete(self, partitions: int) -> bool:
        """True when everybody has been heard in the round that we began last."""
        return self.said > 0 and len(self.heard.get(self.said, {})) == partitions

    def quiet(self) -> bool:
        """True when nobody had sent anything on in that round."""
        return not any(self.heard.get(self.said, {}).values())


def encode(marks: Marks) -> bytes:
    return msgspec.msgpack.encode(marks)


def decode(data: bytes) -> Marks:
    return msgspec.msgpack.decode(data, type=Marks)
