"""Whose events a system may publish: its own authorities', by the deployment's word."""

from __future__ import annotations

import pytest

from schemas.admission import Admission
from schemas.envelope import Event

ADMISSION = Admission({"water": ("water@*",), "hall": ("*",), "planning": ("planning@500001", "")})


def event(system: str, authority: str | None, kind: str = "Accepted") -> Event:
    return Event(kind, {"source": {"system": system}, "authority": authority}, {})


@pytest.mark.parametrize(
    ("system", "authority", "field"),
    [
        ("water", "water@500001", None),
        ("water", "fire@500001", "authority"),
        ("water", None, "authority"),
        ("planning", "planning@500001", None),
        ("planning", "planning@500002", "authority"),
        ("planning", None, None),
        ("hall", "anybody@1", None),
        ("hall", None, None),
        ("stranger", "water@500001", "source.system"),
        ("casebus-page", None, None),
    ],
)
def test_a_system_speaks_for_its_own_authorities_only(system: str, authority: str | None, field: str | None) -> None:
    """To leave the authority out is no way around it; a system that nobody declared speaks for nobody."""
    refused = ADMISSION.refusal(event(system, authority))
    assert (refused and refused.field) == field


def test_only_the_bus_raises_alerts() -> None:
    """An alert can end a case that waits for its application: no department may end another's."""
    refused = ADMISSION.refusal(event("hall", "fire@1", "AlertRaised"))
    assert refused is not None
    assert "Only the bus's own supervision raises alerts" in refused.text
    assert ADMISSION.refusal(event("casebus-monitor", None, "AlertRaised")) is None


def test_a_refusal_says_who_may_what_and_what_to_do() -> None:
    """A sentence that the department can act on."""
    refused = ADMISSION.refusal(event("water", "fire@500001"))
    assert refused is not None
    assert refused.text.startswith("water may not speak for fire@500001, only for water@*. Correct its mapping")
