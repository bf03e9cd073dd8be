"""What this deployment's principals lack in Kafka: each lack stops one service, with a sentence that names one topic only."""

from __future__ import annotations

from bus.acl import Plan
from casebus.commands.output import several
from casebus.doctor.finding import Finding
from casebus.rights import shown

SHOWN = 3


def missing(plan: Plan, folder: object) -> Finding:
    """`plan` as `casebus acl plan` makes it."""
    if not (plan.add or plan.denied):
        return Finding("rights", f"{several(len(plan.keep), 'right')} stand, none is missing")
    lacks = [f"{who} may not {word} the {kind} {name}" for who, word, kind, name, _ in map(shown, plan.add[:SHOWN])]
    denials = [f"{who} is denied the {kind} {name}" for who, _, kind, name, _ in map(shown, plan.denied[:SHOWN])]
    more = len(plan.add) + len(plan.denied) - len(lacks) - len(denials)
    said = "; ".join(lacks + denials) + (f"; and {more:,} more" if more else "")
    cures = [f"Run casebus acl apply {folder}."] * bool(plan.add) + ["Take the denials back (kafka-acls.sh)."] * bool(plan.denied)
    return Finding("rights", said, " ".join(cures))
