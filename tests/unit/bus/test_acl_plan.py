"""Rights as values: what meets what, and what a plan gives, takes back and lets be."""

from __future__ import annotations

import pytest

from bus.acl import Kind, Operation, Resource, Right, group, plan, read, transactions, write

TOPIC = Kind.TOPIC


@pytest.mark.parametrize(
    ("one", "other", "meets"),
    [
        (Resource(TOPIC, "a.b"), Resource(TOPIC, "a.b"), True),
        (Resource(TOPIC, "a.b"), Resource(TOPIC, "a.c"), False),
        (Resource(TOPIC, "a.", True), Resource(TOPIC, "a.b"), True),
        (Resource(TOPIC, "b.", True), Resource(TOPIC, "a.b"), False),
        (Resource(TOPIC, "a.", True), Resource(TOPIC, "a.b.", True), True),
        (Resource(TOPIC, "a.x", True), Resource(TOPIC, "a.b.", True), False),
        (Resource(TOPIC, "*"), Resource(TOPIC, "a.b"), True),
        (Resource(Kind.GROUP, "*"), Resource(TOPIC, "a.b"), False),
    ],
)
def test_names_and_beginnings_meet_where_some_name_is_both(one: Resource, other: Resource, meets: bool) -> None:
    """Whichever of them is asked."""
    assert one.meets(other) is meets
    assert other.meets(one) is meets


def test_a_plan_gives_what_is_missing_and_takes_back_what_is_too_much() -> None:
    """On the deployment's ground and from its principals; a right of the same principal elsewhere stays."""
    wanted = [*read("User:a", ["t"]), *write("User:a", ["u"])]
    wide, elsewhere = Right("User:a", Resource(TOPIC, "*"), "ALL"), Right("User:a", Resource(TOPIC, "private"), "READ")
    found = plan(wanted, [wanted[0], wide, elsewhere], [Resource(TOPIC, "t"), Resource(TOPIC, "u")])
    assert (found.add, found.remove, found.keep) == ([wanted[1]], [wide], [wanted[0]])
    assert found.changes


def test_strangers_and_denials_are_told_and_let_be() -> None:
    """Whoever else holds something here is shown; what forbids one of our rights too, and only what does."""
    (wanted,) = read("User:a", ["t"])
    stranger = Right("User:*", Resource(TOPIC, "t"), "READ")
    denial = Right("User:a", Resource(TOPIC, "t", True), "ALL", allowed=False)
    harmless = Right("User:a", Resource(TOPIC, "t"), "WRITE", allowed=False)
    found = plan([wanted], [wanted, stranger, denial, harmless], [Resource(TOPIC, "t")])
    assert (found.others, found.denied, found.changes) == ([stranger], [denial], False)


def test_what_a_member_and_a_writer_need() -> None:
    """Groups are read (KIP-11 counts commits as reading); an id is written and described."""
    assert group("User:a", "g").operation is Operation.READ
    assert group("User:a", "g", member=False).operation is Operation.DESCRIBE
    assert [one.operation for one in transactions("User:a", "x")] == [Operation.WRITE, Operation.DESCRIBE]
