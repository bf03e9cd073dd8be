"""`casebus doctor`: the surroundings that make trouble, each finding with its cure."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from bus import connect
from bus.errors import BusError
from bus.ports import Client, Partition
from bus.settings import KafkaSettings
from bus.survey import Survey
from bus.topics import standard
from casebus.commands import acl, output
from casebus.deployment import Deployment
from casebus.doctor import brokers, database, files, machine, network, records, registry, rights
from casebus.doctor.finding import Finding
from casebus.wiring import Wiring
from schemas.problem import ProblemsError


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
    """From what lies nearest: where something is wrong there, what follows from it is wrong too."""
    yield machine.python()
    yield machine.names()
    yield machine.java()
    try:
        wiring = Wiring(Deployment.load(folder))
    except ProblemsError as error:
        yield Finding("deployment", str(error.problems[0]), error.problems[0].instead)
        return
    if not (yield from of_machine(wiring)):
        return
    yield from of_files(wiring)
    view, read = database.reached(wiring.view_url)
    yield view
    yield from registry.registry(wiring)
    try:
        with kafka(wiring) as settings:
            if not (yield from of_kafka(wiring, settings)):
                return
            with closing(connect(settings)) as client:
                yield from of_records(wiring, client, read)
    except BusError as error:
        yield Finding("Kafka", str(error), "Start the brokers, or correct `kafka:` in casebus.yaml.")


def of_machine(wiring: Wiring) -> Generator[Finding, None, bool]:
    """Returns whether the data can be read at all."""
    data = wiring.deployment.data
    yield machine.space(data)
    yield machine.filesystem(data)
    owners = machine.owners(data)
    yield owners
    yield machine.open_files(wiring.settings.kafka.partitions)
    yield machine.rivals(wiring.deployment.folder, machine.processes())
    return not owners.cure


def of_files(wiring: Wiring) -> Iterator[Finding]:
    check = files.check(wiring)
    yield check
    if not check.cure:
        yield files.calendar(wiring.calendar, files.today(wiring))
    yield files.secrets(wiring)


@contextmanager
def kafka(wiring: Wiring) -> Iterator[KafkaSettings]:
    """With an address: the embedded one is started for the look where it does not run."""
    settings = wiring.settings.kafka.located(wiring.deployment.folder)
    if not settings.embedded:
        yield settings
        return
    from bus.broker import Broker

    with Broker(wiring.deployment.data / "kafka", settings.nodes) as broker:
        yield settings.at(broker.bootstrap)


def of_kafka(wiring: Wiring, settings: KafkaSettings) -> Generator[Finding, None, bool]:
    """Ends with False where there is no use in looking further."""
    yield network.reach(settings)
    if not network.listening(settings.bootstrap.split(",")):
        return False
    try:
        survey = Survey(settings)
    except BusError as error:
        yield network.refused(settings, error)
        return False
    with survey:
        nodes = survey.nodes()
        told = network.advertised(nodes)
        yield told
        if told.cure:
            return False
        layouts = survey.topics([topic.name for topic in standard(1)])
        yield brokers.keeping(layouts, standard(1))
        yield brokers.copies(layouts, len(nodes))
        yield brokers.limits(survey.settings(nodes[0].number) if nodes else {}, settings)
    yield from of_rights(wiring)
    return True


def of_rights(wiring: Wiring) -> Iterator[Finding]:
    """Where principals are named."""
    if not list(wiring.settings.access.principals()):
        return
    try:
        yield rights.missing(acl.difference(wiring), wiring.deployment.folder)
    except (BusError, ProblemsError) as error:
        yield Finding("rights", str(error), "Run casebus doctor as an administrator of the brokers (docs/security.md).")


def of_records(wiring: Wiring, client: Client, read: Mapping[Partition, int]) -> Iterator[Finding]:
    """`read`: how far the view says that it has read."""
    yield brokers.counts(client, standard(wiring.settings.kafka.partitions))
    yield brokers.clocks(client)
    if records.begun(client):
        events = records.last(client, wiring.codec)
        yield records.partitioner(events)
        yield records.zones(events)
    yield database.whose(client, read)
