"""预警: a yellow alert goes to who holds the case, a red one to the authority above it."""

from router.decide import Context, Example, Move, Rule
from schemas.case import Case


class _Tree:
    """A directory of one county and its municipality, for the examples."""

    def above(self, authority: str, /) -> str | None:
        return authority.replace("@500103", "@500000") if authority.endswith("@500103") else None


def when(case: Case, context: Context) -> list[tuple[str, str, str]]:
    """Each alert with its light and who hears it. At the top of the directory, or without one, that is the holder."""
    above = context.directory.above(case.holder) if context.directory and case.holder else None
    hears = {"yellow": case.holder, "red": above or case.holder}
    return [(alert, light, hears[light]) for alert, light in case.alerts.items() if hears.get(light)]


def then(case: Case, subject: tuple[str, str, str]) -> Move:
    alert, light, to = subject
    return Move(f"{light}_alert", to, alert, None, (("alert", alert), ("holder", case.holder)))


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
        Example("a green light needs nobody", Case("city:1", holder="quality@500103", alerts={"W1": "green"}), ()),
    ),
)
