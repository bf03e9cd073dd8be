"""违规事项: what did not go as the law says; each kind of finding is one hit, for the desk and not for an alert."""

from collections import Counter
from collections.abc import Iterator

from monitor.indicator import Example, Hit, Indicator, Text
from monitor.samples import broken
from monitor.sight import Seen
from schemas.clock import Light


def read(seen: Seen, threshold: float) -> Iterator[Hit]:
    counted = Counter(one.code for one in seen.case.findings if one.at <= seen.now)
    for code, times in sorted(counted.items()):
        if times > threshold:
            yield Hit(Light.NONE, times, code, facts={"times": times, "code": code.replace("_", " ")})


INDICATOR = Indicator(
    name="findings_of_law",
    title=Text("Findings of law", "违规事项"),
    says=Text("Found {times} times: {code}. Look at the case.", "发现{times}次：{code}。请查看办件。"),
    unit="findings",
    threshold=0,
    basis="facts are never refused because they break the law; they are flagged",
    of_case=read,
    examples=(Example("accepted a second and a third time", broken("accepted_twice", "accepted_twice"), (2,)),),
)
