"""Proof, case by case, that nothing was lost, doubled or changed: source against bus against journal against view.

    report = audit(Inputs(client, codec, view, connectors, Reading(now, replay, zone)))
    for difference in report.differences: print(difference)
    raise SystemExit(report.exit_code)

Each side is read once from its start; of millions of events only hashes stay in memory. A topic is read again only to
name what differs.
"""

from casebus.audit.facts import Difference, Side
from casebus.audit.run import Inputs, Report, audit
from casebus.audit.told import Reading

__all__ = ["Difference", "Inputs", "Reading", "Report", "Side", "audit"]
