"""环节停滞: a step has been open for longer than it may, or for very long where it has no limit of its own."""

from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text, late
from monitor.samples import START, limit, waiting
from monitor.sight import Seen
from monitor.times import DAY
from schemas.case import Case, Step
from schemas.clock import Light
from schemas.language import Amount
from schemas.rules import Subject


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    yield from late(seen, Subject.STEP)
    limited = {(one.started_at, one.who) for one in seen.limits if one.kind is Subject.STEP}
    for step in seen.case.steps if seen.open else ():
        if step.started_at is None or step.completed_at is not None or (step.started_at, step.authority) in limited:
            continue
        days = (seen.now - step.started_at) // DAY
        if days > threshold:
            yield Hit(
                Light.YELLOW, days - threshold, f"{step.name} {step.started_at}", step.authority, _facts(step, days, threshold)
            )


def _facts(step: Step, days: int, threshold: float) -> dict[str, object]:
    return {"name": step.name, "elapsed": Amount(days, "natural"), "limit": Amount(threshold, "natural")}


def _case(*steps: Step) -> Case:
    return Case("city:1", applied_at=START, steps=list(steps))


_OPEN = Step("review", "quality@500103", started_at=START)

INDICATOR = Indicator(
    name="step_stuck",
    title=Text("Step stuck", "环节停滞"),
    says=Text(
        "Step {name} at {who} has taken {elapsed}; {limit} are allowed. Ask what it waits for.",
        "{who}的环节“{name}”已用{elapsed}（时限{limit}）。请了解停滞原因。",
    ),
    unit="days over",
    threshold=10,
    basis="electronic supervision: step exceeded",
    of_case=read,
    examples=(
        Example("six days where the step has five", waiting(limit(Subject.STEP, 6, 5, Light.YELLOW, "review")), (1,)),
        Example("twenty days, no limit of its own", waiting(case=_case(_OPEN)), (10,)),
        Example("done", waiting(case=_case(Step("review", "quality@500103", started_at=START, completed_at=START + DAY))), ()),
    ),
)
