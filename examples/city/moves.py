"""The lives that show the moves (`tales.py`) as steps, and what must come of them: who is told what, who hands over to whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from lives import Life, Step
from tales import TALES, Tale

#: The moves that go to another authority, by the word of the systems.
ACROSS = {"上报": "up", "下放": "down", "转办": "across", "协办": "across"}
ENDS = frozenset({"办结", "本号办结", "不予受理", "撤件", "逾期未补正", "退件", "撤销"})


class Telling(NamedTuple):
    """What has to be told: by which rule, what, to whom."""

    case: str
    rule: str
    says: str
    to: str


class Custody(NamedTuple):
    """A case, or a part of it, goes from one to another; `received` is empty while nobody has signed."""

    case: str
    move: str
    sender: str
    receiver: str
    sent: str
    received: str


def moves() -> list[Life]:
    return [_life(tale) for tale in TALES]


def tellings() -> Iterator[Telling]:
    for tale in TALES:
        for line in filter(None, map(str.strip, tale.tells.splitlines())):
            rule, says, to = line.split()
            yield Telling(_key(tale), rule, says, _at(to, tale.region))


def custody(lives: Sequence[Life]) -> Iterator[Custody]:
    """Every hand-over of these lives with its receipt."""
    for life in lives:
        signed = {step.a: step.at for step in life.steps if step.what == "签收"}
        for step in life.steps:
            if step.what in ACROSS:
                got = signed.get(step.a)
                times = f"{step.at:%Y-%m-%d %H:%M}", f"{got:%Y-%m-%d %H:%M}" if got else ""
                yield Custody(f"case:{life.number}", ACROSS[step.what], step.who, step.b, *times)


def _life(tale: Tale) -> Life:
    steps = [_step(tale, line) for line in filter(None, map(str.strip, tale.steps.splitlines()))]
    ends = [step.at for step in steps if step.what in ENDS]
    ended = ends[-1] if tale.outcome else None
    return Life(_number(tale), steps, tale.outcome, ended, f"{tale.space}:{_number(tale)}", tale.shows)


def _number(tale: Tale) -> str:
    return f"{tale.region}2026{tale.number}" if tale.space == "case" else tale.number


def _key(tale: Tale) -> str:
    return f"{tale.space}:{_number(tale)}"


def _step(tale: Tale, line: str) -> Step:
    day, time, who, what, *rest = line.split()
    what, _, number = what.partition("#")
    when = datetime.strptime(f"2026-{day} {time}", "%Y-%m-%d %H:%M")  # noqa: DTZ007  local time, as departments write it
    item, a, b = rest if what == "申请" else ("", *[*rest, "", ""][:2])
    b = _at(b, tale.region) if what in ACROSS else b
    return Step(what, when, _at(who, tale.region), item, a.replace(".", " "), b, number)


def _at(who: str, region: str) -> str:
    return who if "@" in who else f"{who}@{region}"
