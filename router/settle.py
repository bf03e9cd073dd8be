"""Bring the decisions of a case to what the case says now: new ones are delivered, contradicted ones compensated.

`CaseState.decisions` remembers each by id, as text (`Taken`); a compensated one keeps its line, so that the same decision
taken again is delivered under a new id and the receiver does not drop it as a repetition.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from router.decide import NOTHING, Decision, Rule, decide
from router.desk import Desk
from router.outbox import Cause

_SEPARATOR = "\x1f"
_COMPENSATED = "-"


class Taken(NamedTuple):
    """A decision that was delivered: `delivery` is the id under which the receiver knows it."""

    rule: str
    kind: str
    to: str
    hand_over: str
    delivery: str

    def text(self) -> str:
        return _SEPARATOR.join(self)

    @classmethod
    def of(cls, text: str) -> Taken:
        return cls(*text.removeprefix(_COMPENSATED).split(_SEPARATOR))


def settle(desk: Desk, among: tuple[Rule, ...], cause: Cause) -> None:
    """`among`: the rules whose answer may have changed. A case that expired or has another key decides nothing."""
    if not among:
        return
    state = desk.state
    silent = state.expired or state.forwards_to
    context = NOTHING if silent else desk.setting.context(state.case)
    found = [] if silent else decide(state.case, context, among)
    for decision in found:
        if state.decisions.get(decision.id, _COMPENSATED).startswith(_COMPENSATED):
            _deliver(desk, decision, context.version, cause)
    if state.decisions:
        _contradict(desk, {decision.id for decision in found}, among, cause)


def _contradict(desk: Desk, standing: set[str], among: tuple[Rule, ...], cause: Cause) -> None:
    """What these rules decided once and do not decide now."""
    names = {rule.name for rule in among}
    for identity, text in list(desk.state.decisions.items()):
        if identity not in standing and not text.startswith(_COMPENSATED) and Taken.of(text).rule in names:
            _compensate(desk, identity, Taken.of(text), cause)


def _deliver(desk: Desk, decision: Decision, version: str, cause: Cause) -> None:
    """The entry says by which rule and which version of the item, and what the rule saw."""
    move, state = decision.move, desk.state
    said = {"item": state.case.item, "item_version": version} if version else {}
    facts = {"decision": decision.id, "kind": move.kind, "about": move.about, **said, **dict(move.facts)}
    desk.journal("DELIVERY", cause, rule=decision.rule, target=move.to, facts=facts)
    delivery = _numbered(decision.id, state.sequence) if decision.id in state.decisions else decision.id
    taken = Taken(decision.rule, move.kind, move.to, move.hand_over or "", delivery)
    state.decisions = {**state.decisions, decision.id: taken.text()}
    _send(desk, taken, dict(move.facts), cause)


def _compensate(desk: Desk, identity: str, taken: Taken, cause: Cause) -> None:
    """Tell the receiver that what it was told no longer stands."""
    facts = {"decision": identity, "kind": taken.kind}
    desk.journal("COMPENSATION", cause, rule=taken.rule, target=taken.to, facts=facts)
    state = desk.state
    state.decisions = {**state.decisions, identity: _COMPENSATED + taken.text()}
    withdrawal = taken._replace(kind="withdrawn", delivery=_numbered(identity, state.sequence))
    _send(desk, withdrawal, {"withdraws": taken.delivery, "kind": taken.kind}, cause)


def _send(desk: Desk, taken: Taken, facts: dict[str, str], cause: Cause) -> None:
    case = desk.state.case
    delivery = {
        "delivery_id": taken.delivery,
        "case": case.key,
        "sequence": desk.state.sequence,
        "rule": taken.rule,
        "to": taken.to,
        "hand_over": taken.hand_over or None,
        "kind": taken.kind,
        "decided_at": cause.recorded_at,
        "summary": {"item": case.item, "region": case.region, "phase": str(case.phase), **facts},
    }
    desk.out.delivery(delivery, cause)


def _numbered(identity: str, sequence: int) -> str:
    return hashlib.blake2b(f"{identity}{_SEPARATOR}{sequence}".encode(), digest_size=16).hexdigest()
