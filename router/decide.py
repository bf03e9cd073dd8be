"""What follows from a case: decisions, as a pure function of the case as it is known now.

A rule looks at the whole case, not at the event that just came, so the decisions that stand do not depend on the order of
arrival. What the last fold decided and this one does not is contradicted: a compensating entry follows.
"""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, Protocol

from router import rules
from schemas.case import Case
from schemas.conditions import Condition


class Directory(Protocol):
    """The part of `schemas.directory.Directory` that rules need."""

    def above(self, authority: str, /) -> str | None: ...


class Place(NamedTuple):
    """A step of the item, with the authority it means for this case; `toward` is seen from the lead: up, down, across."""

    step: str
    authority: str
    toward: str
    after: tuple[str, ...] = ()
    when: Condition | None = None


class Context(NamedTuple):
    """What a rule may know besides the case. All is absent for an item that is in no catalogue."""

    #: The authorities that assist in a joint approval of this item, by the name of their part.
    assisting: tuple[tuple[str, str], ...] = ()
    #: The item's steps at other authorities than the lead.
    places: tuple[Place, ...] = ()
    directory: Directory | None = None
    #: The version of the item by which the case is judged.
    version: str = ""
    #: The lead may accept only after the assisting authorities have answered (前置联办).
    preceding: bool = False
    #: The steps that are needed under a condition only, wherever they lie.
    conditions: tuple[tuple[str, Condition], ...] = ()


NOTHING = Context()


class Move(NamedTuple):
    """One thing to be told to one authority. `about` names what it rests on: the same basis gives the same decision."""

    kind: str
    to: str
    about: str
    hand_over: str | None = None
    facts: tuple[tuple[str, str], ...] = ()


def due_places(case: Case, context: Context, toward: str) -> list[Place]:
    """The steps in this direction that nothing undone comes before, from the acceptance on. A returned step is not done.

    A step whose condition does not hold is not due, and nothing waits for it.
    """
    if case.accepted_at is None or not context.places:
        return []
    skipped = {name for name, when in context.conditions if not when.holds(case)}
    done = skipped | {step.name for step in case.steps if step.completed_at is not None and step.opinion != "RETURN"}
    here = (place for place in context.places if place.toward == toward and place.step not in skipped)
    return [place for place in here if done.issuperset(place.after)]


def step_move(case: Case, place: Place) -> Move:
    """To whom a step is due, with the condition that made it needed and what the condition saw."""
    facts: tuple[tuple[str, str], ...] = (("step", place.step), ("lead", case.authority))
    if place.when is not None:
        facts += (("when", place.when.text), *place.when.values(case))
    return Move(f"step_{place.toward}", place.authority, place.step, None, facts)


class Example(NamedTuple):
    """A case and what the rule makes of it; the contract suite runs it, people read it."""

    says: str
    case: Case
    moves: tuple[Move, ...]
    context: Context = NOTHING


class Rule(NamedTuple):
    """One routing rule. `when` finds what in the case calls for it, `then` says what to do about each.

    `claims` are the kinds of its moves (no other rule has them), `triggers` the event types that can change its answer.
    """

    name: str
    title: str
    basis: str
    claims: frozenset[str]
    triggers: frozenset[str]
    when: Callable[[Case, Context], Sequence[Any]]
    then: Callable[[Case, Any], Move | None]
    examples: tuple[Example, ...]

    def moves(self, case: Case, context: Context) -> list[Move]:
        subjects = self.when(case, context)
        if not subjects:
            return []
        return [move for move in (self.then(case, subject) for subject in subjects) if move is not None]


class Decision(NamedTuple):
    """A move of a rule, with the identity that the same basis always gives."""

    id: str
    rule: str
    move: Move


@cache
def all_rules() -> tuple[Rule, ...]:
    """The rules of the folder `router/rules`, by name. A module there holds exactly one Rule, named as the file."""
    names = sorted(info.name for info in pkgutil.iter_modules(rules.__path__))
    return tuple(_only_rule(name) for name in names)


@cache
def triggered(type_name: str) -> tuple[Rule, ...]:
    """The rules whose answer an event of this type can change."""
    return tuple(rule for rule in all_rules() if type_name in rule.triggers)


def decide(case: Case, context: Context = NOTHING, among: Sequence[Rule] | None = None) -> list[Decision]:
    """The decisions that stand for this case; `among` some rules only."""
    found: list[Decision] = []
    for rule in all_rules() if among is None else among:
        if subjects := rule.when(case, context):  # most rules have nothing to say about most cases
            moves = (rule.then(case, subject) for subject in subjects)
            found += [Decision(decision_id(case.key, rule.name, move), rule.name, move) for move in moves if move is not None]
    return found


def decision_id(key: str, rule: str, move: Move) -> str:
    """32 hexadecimal digits. To whom it goes is not part of it: who holds a case changes without contradicting anything."""
    text = "\x1f".join((key, rule, move.kind, move.about))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def title_and_basis(name: str) -> tuple[str, str]:
    """What a rule does and where the law says so, for whoever shows a move."""
    rule = next(one for one in all_rules() if one.name == name)
    return rule.title, rule.basis


def _only_rule(name: str) -> Rule:
    module = importlib.import_module(f"{rules.__name__}.{name}")
    found = [value for value in vars(module).values() if isinstance(value, Rule)]
    if len(found) != 1 or found[0].name != name:
        raise TypeError(f"router/rules/{name}.py must hold exactly one Rule, and its name must be {name!r}.")
    return found[0]
