"""How often an applicant had to come: the promise of one visit (最多跑一次).

Counted are the days on which something happened that needs them there: a queue ticket was taken, or, of a case handed in
at a window, its application, papers brought later, and the collecting of the result. What goes online or by courier is no
visit. Several counters on one day are one visit: that is what the one window is for.
"""

from __future__ import annotations

from datetime import tzinfo

from monitor.times import local_date
from schemas.case import Case

WINDOW = "WINDOW"


def visits(case: Case, zone: tzinfo) -> int:
    """Days on which the applicant had to be there."""
    there = [ticket.at for ticket in case.tickets]
    if case.channel == WINDOW:
        brought = (notice.received_at for notice in case.supplements)
        there += [at for at in (case.applied_at, case.collected_at, *brought) if at is not None]
    return len({local_date(at, zone) for at in there})
