"""取号: one ticket, several departments; the hall learns of each case of the visit when it is done."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case, Outcome, Ticket


def when(case: Case, _: Context) -> list[Ticket]:
    return [one for one in case.tickets if one.by] if case.opened and case.outcome is not None else []


def then(case: Case, one: Ticket) -> Move:
    facts = (("ticket", one.id), ("window", one.window), ("outcome", str(case.outcome)))
    return Move("visit_part_done", one.by, one.id, None, facts)


_TICKET = Ticket("T7", 5, "hall 1", "window 3", "hall@500103")

RULE = Rule(
    name="hall",
    title="The hall that gave the ticket learns of each case of the visit when it is done",
    basis="State Council: one window takes, departments work behind it, one window gives (一窗受理, 综合窗口出件)",
    claims=frozenset({"visit_part_done"}),
    triggers=frozenset({"TicketTaken", "Applied", "Decided", "Withdrawn", "Returned", "NotAccepted", "Revoked", "Reopened"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the fire brigade's part of the visit is done, the visitor still sits in the hall",
            case=Case("city:1", applied_at=6, outcome=Outcome.GRANTED, tickets=[_TICKET]),
            moves=(
                Move(
                    "visit_part_done",
                    "hall@500103",
                    "T7",
                    None,
                    (("ticket", "T7"), ("window", "window 3"), ("outcome", "granted")),
                ),
            ),
        ),
        Example("the case is being worked on", Case("city:1", applied_at=6, tickets=[_TICKET]), ()),
    ),
)
