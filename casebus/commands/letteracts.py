"""`casebus deadletters mend|replay|dismiss`: by somebody, for a reason, with what came of it."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bus.errors import ConfigurationError
from casebus.commands import output
from casebus.letters.again import Again, said_by
from casebus.letters.correct import corrected, edited
from casebus.letters.desk import Desk, Who, opened_desk
from casebus.letters.wanted import Wanted, plain
from schemas.handled import State

DIFFERS = 1


def mend(folder: Path, name: str, wanted: Sequence[str], who: Who, wait: float) -> int:
    """With what is `wanted` (`column=value`) or, without any, in the editor. 1 where the corrected row would be refused."""
    with opened_desk(folder) as (wiring, desk):
        item, letter = desk.item(name), desk.letter(name)
        if letter.value["stage"] == "DELIVERY":
            raise ConfigurationError(f"{name} is a delivery: mend its receiver, then replay it.")
        said = said_by(letter, wiring.codec)
        row = corrected(said, wanted, letter.value["stage"]) if wanted else edited(said, item.text)
        tried = desk.tried(letter, row)
        if tried.reason:
            sys.stderr.write(f"casebus: {name} would be refused again, so nothing was written: {_sentence(tried)}\n")
            return DIFFERS
        desk.replay([name], who, {name: row})
        return _tell(desk, [name], who, wait, as_json=False)


def _sentence(tried: Again) -> str:
    return f"{tried.reason}. {tried.text}"


def replay(folder: Path, names: Sequence[str], wanted: Wanted, who: Who, wait: float, *, as_json: bool) -> int:  # noqa: PLR0913  what the command line says, as it says it
    """1 where one of them is refused again."""
    with opened_desk(folder) as (wiring, desk):
        found = [desk.item(name) for name in names] or wanted.of(desk.items(), wiring.deployment)
        chosen = [item.id for item in found if names or item.state is not State.REPLAYED]
        if not chosen:
            sys.stdout.write("No dead letter is open that fits.\n")
            return 0
        desk.replay(chosen, who)
        return _tell(desk, chosen, who, wait, as_json=as_json)


def dismiss(folder: Path, names: Sequence[str], who: Who) -> int:
    if not who.why:
        raise ConfigurationError("Say why with --why: whoever looks at it next year wants to know.")
    with opened_desk(folder) as (_, desk):
        for name in names:
            desk.item(name)
        desk.dismiss(names, who)
    sys.stdout.write(f"{output.several(len(names), 'dead letter')} dismissed.\n")
    return 0


def _tell(desk: Desk, names: Sequence[str], who: Who, wait: float, *, as_json: bool) -> int:
    """What became of them, and whether the router has still to be heard."""
    if wait > 0:
        desk.settle(set(names), who, wait)
    found = {item.id: item for item in desk.items()}
    done = [found[name] for name in names]
    counted = Counter(item.state for item in done)
    if as_json:
        output.as_json({"states": counted, "letters": [plain(item) for item in done]})
    else:
        sys.stdout.write(", ".join(f"{number:,} {state.value}" for state, number in counted.items()) + ".\n")
        refused = [item for item in done if item.state is State.REFUSED_AGAIN]
        sys.stdout.write("".join(f"{item.id}: {item.reason}. {item.text}\n" for item in refused))
    if counted[State.REPLAYED]:
        sys.stderr.write(
            "casebus: Of those replayed the router has not been heard yet; `casebus deadletters list` tells later.\n"
        )
    return DIFFERS if counted[State.REFUSED_AGAIN] else 0
