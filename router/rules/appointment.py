"""预约, 回访: the authority asked calls back within two hours; the window learns the date that was fixed."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Appointment, Case


def when(case: Case, _: Context) -> list[tuple[str, Appointment]]:
    asked = [("call_back", one) for one in case.appointments if one.requested_at is not None and one.by]
    away = [one for one in case.appointments if one.confirmed_at is not None and case.window not in {"", one.by}]
    return asked + [("visit_fixed", one) for one in away]


def then(case: Case, subject: tuple[str, Appointment]) -> Move:
    kind, one = subject
    if kind == "call_back":
        return Move(kind, one.by, one.id, None, (("appointment", one.id),))
    visit = "" if one.visit_at is None else str(one.visit_at)
    return Move(kind, case.window, f"{one.id} {visit}", None, (("appointment", one.id), ("visit_at", visit), ("by", one.by)))


_ASKED = Move("call_back", "quality@500103", "A1", None, (("appointment", "A1"),))

RULE = Rule(
    name="appointment",
    title="An appointment goes to the authority that has to call back; the window learns the date fixed",
    basis="the platform's promise: a call back within two office hours fixes the date on site",
    claims=frozenset({"call_back", "visit_fixed"}),
    triggers=frozenset({"AppointmentRequested", "AppointmentConfirmed", "Applied"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="booked online: the bureau has to call back",
            case=Case("visit:1", appointments=[Appointment("A1", 5, None, "quality@500103")]),
            moves=(_ASKED,),
        ),
        Example(
            says="called back: the hall knows when the inspector comes",
            case=Case("city:1", window="hall@500103", appointments=[Appointment("A1", 5, 6, "quality@500103", 9)]),
            moves=(
                _ASKED,
                Move(
                    "visit_fixed",
                    "hall@500103",
                    "A1 9",
                    None,
                    (("appointment", "A1"), ("visit_at", "9"), ("by", "quality@500103")),
                ),
            ),
        ),
        Example("nobody booked", Case("city:1", window="hall@500103"), ()),
    ),
)
