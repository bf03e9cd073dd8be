"""预警: a yellow alert goes to who holds the case, a red one to the authority above it."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Appointment, Case


class _Tree:
    """A directory of one county and its municipality, for the examples."""

    def above(self, authority: str, /) -> str | None:
        return authority.replace("@500103", "@500000") if authority.endswith("@500103") else None


def when(case: Case, context: Context) -> list[tuple[str, str, str]]:
    """Each alert with its light and who hears it. At the top of the directory, or without one, that is the holder."""
    holder = _holder(case)
    above = context.directory.above(holder) if context.directory and holder else None
    hears = {"yellow": holder, "red": above or holder}
    return [(alert, light, hears[light]) for alert, light in case.alerts.items() if hears.get(light)]


def _holder(case: Case) -> str:
    """Nobody holds a visit that was only asked for; whoever was asked has to act."""
    return case.holder or next((one.by for one in reversed(case.appointments) if one.by), "")


def then(case: Case, subject: tuple[str, str, str]) -> Move:
    alert, light, to = subject
    return Move(f"{light}_alert", to, alert, None, (("alert", alert), ("holder", _holder(case))))


_FACTS = (("alert", "W1"), ("holder", "quality@500103"))

RULE = Rule(
    name="escalate",
    title="A yellow alert goes to the holder, a red one to the authority above",
    basis="electronic supervision (电子监察): yellow near the promise, red past the limit; art. 10: supervised from above",
    claims=frozenset({"yellow_alert", "red_alert"}),
    triggers=frozenset({"AlertRaised", "AlertWithdrawn"}),
    when=when,
    then=then,
    examples=(
        Example(
            says="the promise is near: the holder hears it",
            case=Case("city:1", holder="quality@500103", alerts={"W1": "yellow"}),
            moves=(Move("yellow_alert", "quality@500103", "W1", None, _FACTS),),
        ),
        Example(
            says="the statutory limit is passed: the authority above hears it",
            case=Case("city:1", holder="quality@500103", alerts={"W1": "red"}),
            moves=(Move("red_alert", "quality@500000", "W1", None, _FACTS),),
            context=Context(directory=_Tree()),
        ),
        Example(
            says="nobody called back about a visit: the bureau that was asked hears it",
            case=Case("visit:1", appointments=[Appointment("A1", 5, by="quality@500103")], alerts={"W1": "yellow"}),
            moves=(Move("yellow_alert", "quality@500103", "W1", None, _FACTS),),
        ),
        Example("a green light needs nobody", Case("city:1", holder="quality@500103", alerts={"W1": "green"}), ()),
    ),
)
