"""What became of replayed letters, by what the router has said since: its journal and its own letters, as the view shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from casebus.letters.shown import Row, counting
from monitor.view import View
from schemas.codec import Codec
from schemas.handled import Act, State

#: SQLite takes only so many values in one question.
_AT_ONCE = 500
SILENT = "The router has read it again, and it still does not count: {}"


class Verdict(NamedTuple):
    """`reason` and `text` are those of the new refusal."""

    state: State
    reason: str = ""
    text: str = ""


def verdicts(view: View, codec: Codec, letters: Sequence[Row], replayed: Mapping[str, Act]) -> dict[str, Verdict]:
    """By letter; those of which nothing has been heard are left out."""
    stand = _standing(view, codec, replayed.values())
    rows = {row["id"]: row for row in letters}
    found: dict[str, Verdict] = {}
    for name, act in replayed.items():
        answer = next((row for row in letters if name in rows and _answers(row, rows[name], act)), None)
        if answer is not None:
            found[name] = Verdict(State.REFUSED_AGAIN, answer["reason"], answer["text"])
        elif act.events and all((told.id, told.body_hash) in stand for told in act.events):
            found[name] = Verdict(State.MENDED)
    return found


def answers(letters: Sequence[Row], acts: Mapping[str, Sequence[Act]]) -> set[str]:
    """The router's letters about what was published for other letters: these say themselves what was answered."""
    known = {row["id"] for row in letters}
    told = {event.id: act for name, done in acts.items() if name in known for act in done for event in act.events}
    return {
        row["id"]
        for row in letters
        if row["stage"] == "ROUTER" and (act := told.get(row["event_id"])) is not None and _after(row, act)
    }


def _after(row: Row, act: Act) -> bool:
    beyond = act.beyond.get(str(row["partition"]))
    return bool(beyond is not None and row["offset"] >= beyond)


def _answers(row: Row, letter: Row, act: Act) -> bool:
    """True for a letter that was written after the replay, about one of its events, or about its delivery."""
    if not _after(row, act) or row["stage"] == "CONNECTOR":
        return False
    if letter["stage"] == "DELIVERY":
        return bool(row["stage"] == "DELIVERY" and row["source_key"] == letter["source_key"])
    return any(told.id == row["event_id"] for told in act.events)


def _standing(view: View, codec: Codec, acts: Iterable[Act]) -> set[tuple[str, str]]:
    """Events of these acts that count, by id and by what they say."""
    ids = sorted({told.id for act in acts for told in act.events})
    found: set[tuple[str, str]] = set()
    for start in range(0, len(ids), _AT_ONCE):
        for name, raw in counting(view, ids[start : start + _AT_ONCE]):
            found.add((name, codec.decode(raw).header["body_hash"]))
    return found
