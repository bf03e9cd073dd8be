"""Who needs what: departments apart, services no more than they do, settings that would mix two up refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bus.acl import Kind, Right
from casebus.access import AccessSettings
from casebus.commands import init
from casebus.deployment import Deployment
from casebus.rights import Ground, Traffic, rights, shown
from casebus.wiring import Wiring
from schemas.problem import ProblemsError

SERVICES = {name: f"User:{name}" for name in ("connect", "route", "deliver", "monitor", "audit", "operate")}
ACCESS = {
    "services": SERVICES,
    "connectors": {
        "fire": {"principal": "User:CN=fire", "authorities": ["fire@*"]},
        "water": {"department": "User:water"},
        "waterways": {"department": "User:waterways"},
    },
}
TRAFFIC = {
    "fire": Traffic(),
    "water": Traffic(frozenset({"approval.ingress.water"}), "water.inbox"),
    "waterways": Traffic(frozenset({"approval.ingress.waterways", "foreign"})),
}


@pytest.fixture(scope="module")
def given() -> list[Right]:
    return list(rights(Ground("city", TRAFFIC, AccessSettings.model_validate(ACCESS))))


def may(given: list[Right], who: str, operation: str, kind: Kind, name: str) -> bool:
    """As the broker answers: by the exact name, or by a beginning."""
    return any(
        right.principal == who
        and right.operation == operation
        and right.resource.kind == kind
        and (name.startswith(right.resource.name) if right.resource.prefixed else name == right.resource.name)
        for right in given
    )


def test_a_department_has_its_ingress_its_deliveries_and_nothing_else(given: list[Right]) -> None:
    """Also where one's name begins as the other's."""
    assert may(given, "User:water", "WRITE", Kind.TOPIC, "approval.ingress.water")
    assert may(given, "User:water", "READ", Kind.TOPIC, "water.inbox")
    assert may(given, "User:water", "WRITE", Kind.TRANSACTIONAL_ID, "water:1")
    assert not may(given, "User:water", "WRITE", Kind.TRANSACTIONAL_ID, "waterways:1")
    topics = {one.resource.name for one in given if one.principal == "User:waterways" and one.resource.kind == Kind.TOPIC}
    assert topics == {"approval.ingress.waterways"}


def test_a_connector_of_its_own_runs_under_its_own_id_and_the_fleet_has_the_others(given: list[Right]) -> None:
    """Whoever may take an id can fence the one who has it."""
    assert may(given, "User:CN=fire", "WRITE", Kind.TRANSACTIONAL_ID, "connector-fire")
    assert not may(given, "User:CN=fire", "WRITE", Kind.TRANSACTIONAL_ID, "connector-water")
    assert not may(given, "User:connect", "WRITE", Kind.TRANSACTIONAL_ID, "connector-fire")
    assert may(given, "User:connect", "READ", Kind.TOPIC, "approval.ingress.water")
    assert not may(given, "User:CN=fire", "READ", Kind.TOPIC, "approval.events")


def test_only_the_router_writes_the_journal_and_the_audit_writes_nothing(given: list[Right]) -> None:
    """What was recorded can be changed by nobody else; nobody at all may delete."""
    writers = {one.principal for one in given if one.resource.name == "case.journal" and one.operation == "WRITE"}
    assert writers == {"User:route"}
    assert {one.operation for one in given if one.principal == "User:audit"} == {"READ", "DESCRIBE"}
    assert {one.operation for one in given} == {"READ", "WRITE", "DESCRIBE"}


def test_everything_given_lies_on_the_deployments_own_ground(given: list[Right]) -> None:
    """Else a right that is no longer needed would never be found again."""
    ground = list(Ground("city", TRAFFIC, AccessSettings.model_validate(ACCESS)).resources)
    assert [shown(one) for one in given if not any(one.resource.meets(land) for land in ground)] == []


@pytest.mark.parametrize(
    "connectors",
    [
        {"fire": {"department": "User:route"}},
        {"fire": {"department": "User:x"}, "water": {"department": "User:x"}},
        {"fire": {"principal": "User:x"}, "water": {"department": "User:x"}},
        {"fire": {"principal": "User:connect"}},
        {"fire": {"principal": "User:*"}},
        {"fire": {"principal": "fire"}},
    ],
    ids=["a service", "two departments", "another's connector", "the fleet", "everybody", "no kind"],
)
def test_nobody_is_two_at_once(connectors: dict[str, object]) -> None:
    """A principal that were a department and something else would have the rights of both."""
    with pytest.raises(ValidationError):
        AccessSettings.model_validate({"services": SERVICES, "connectors": connectors})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("access: {connectors: {permitz: {}}}\n", "there is no connector `permitz`. Write one of permits."),
        (
            "signatures: {sign: {page: {key: k, file: f}, pages: {key: k, file: f}}}\n",
            "there is no connector `pages`. Write one of deadletters, deliver, page, permits.",
        ),
        ("access: {services: {route: router}}\n", "no principal as Kafka writes it"),
        ("signatures: {check: require}\n", "there is no key in it"),
    ],
)
def test_a_name_that_is_nobodys_is_told_before_anything_runs(tmp_path: Path, text: str, told: str) -> None:
    """By `casebus check`, with the line where one stands; else a misspelt connector would simply have no rights."""
    folder = tmp_path / "city"
    init.run(folder)
    with (folder / "casebus.yaml").open("a", encoding="utf-8") as file:
        file.write(text)
    try:
        problems = Wiring(Deployment.load(folder)).problems()
    except ProblemsError as error:
        problems = list(error.problems)
    assert [told in str(one) for one in problems] == [True]


def test_whoever_writes_events_publishes_what_they_are_written_with(given: list[Right]) -> None:
    """And everybody of the deployment reads it; a department's own programs have no part in it."""
    readers = {one.principal for one in given if one.resource.name == "approval.schemas" and one.operation == "READ"}
    writers = {one.principal for one in given if one.resource.name == "approval.schemas" and one.operation == "WRITE"}
    assert readers == {*SERVICES.values(), "User:CN=fire"}
    assert writers == readers - {"User:audit"}
    assert all(may(given, who, "WRITE", Kind.TRANSACTIONAL_ID, "city-schemas") for who in writers)


def test_two_that_deliver_do_not_take_each_other_s_id(given: list[Right]) -> None:
    """Nor those of the people who ask for a delivery."""
    assert [may(given, "User:deliver", "WRITE", Kind.TRANSACTIONAL_ID, f"city-deliveries-{one}") for one in (1, 2, "asked")] == [
        True,
        True,
        False,
    ]
