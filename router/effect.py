"""What the appliers share: an effect changes a case that is its own copy, and replaces lists instead of changing them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from router.law import MAIN, LawProfile
from router.vague import until
from schemas import instants
from schemas.case import Case, Finding, Phase
from schemas.envelope import Event

Effect = Callable[[Case, Event, LawProfile], None]

_RANK = {phase: rank for rank, phase in enumerate(Phase)}


def find(case: Case, event: Event, code: str, **facts: str) -> None:
    """Record a finding with the state the case was in; `code` is a row of `router.findings.FINDINGS`."""
    case.findings = [*case.findings, Finding(code, event.occurred_at, event.id, {"phase": str(case.phase), **facts})]


def explain(case: Case, code: str) -> None:
    """What just happened explains these findings: they no longer stand."""
    case.findings = [finding for finding in case.findings if finding.code != code]


def advance(case: Case, event: Event) -> None:
    """Move the main phase by its table."""
    row = MAIN[event.type]
    regular = case.phase in row.phases
    if row.otherwise and not regular:
        find(case, event, row.otherwise)
    if regular or (row.always and _RANK[case.phase] < _RANK[row.to]):
        case.phase = row.to


def end(case: Case, event: Event) -> None:
    """The case ends (办结). The first end stands."""
    case.phase = Phase.ENDED
    if case.ended_at is None:
        case.ended_at = event.occurred_at
        case.ended_until = until(event)


def stop(case: Case, event: Event) -> None:
    """The clock of the decision stops. The first stop stands."""
    if case.stopped_at is None:
        case.stopped_at, case.stopped_until = event.occurred_at, until(event)


def authority(event: Event) -> str:
    return event.header["authority"] or ""


def text(value: Any) -> str:
    """A personal field as far as it may be read: the clear value, or `sealed:` and the name of the key that opens it."""
    if isinstance(value, dict):
        return str(value["value"]) if "value" in value else f"sealed:{value.get('key', '')}"
    return value or ""


def local_date(at: int, zone: str) -> date:
    """The date of a moment in its zone, an IANA name or an offset such as +08:00."""
    return instants.local_date(at, _zone(zone))


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    return datetime.strptime(name, "%z").tzinfo or UTC if name[:1] in {"+", "-"} else ZoneInfo(name)
