"""`casebus acl`: the rights that a deployment's principals need, beside those that Kafka holds."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from bus import connect
from bus.acl import Plan, Right
from bus.acl import plan as planned
from bus.acl_admin import Rights
from bus.errors import RetryError
from bus.settings import KafkaSettings
from bus.topics import ingress, standard
from casebus.commands import output
from casebus.deployment import Deployment
from casebus.rights import INGRESS, Ground, rights, shown, traffic
from casebus.wiring import Wiring, patiently
from schemas.problem import Problem, ProblemsError

COLUMNS = ("who", "may", "on", "name", "from")
DIFFERS = 1


def plan(folder: Path, *, as_json: bool) -> int:
    """1 where the brokers hold other rights than the deployment needs."""
    found = difference(Wiring(Deployment.load(folder)))
    _print(found, as_json=as_json)
    return DIFFERS if found.changes else 0


def difference(wiring: Wiring) -> Plan:
    """What would change. Raises BusError and ProblemsError as `plan`."""
    land = ground(wiring)
    with Rights(_kafka(wiring)) as there:
        return _plan(land, there)


def apply(folder: Path, *, yes: bool, as_json: bool) -> int:
    """Topics first, because no service may make one. Asks unless `yes`; 1 where the answer is no."""
    wiring = Wiring(Deployment.load(folder))
    land = ground(wiring)
    with Rights(_kafka(wiring)) as there:
        found = _plan(land, there)
        _print(found, as_json=as_json)
        if found.changes and not (yes or _agreed()):
            return DIFFERS
        _create(wiring, land)
        there.add(found.add)  # before any is taken: what is needed under both names never fails in between
        there.remove(found.remove)
        patiently(lambda: _stands(land, there))
    sys.stderr.write(f"Done: {output.several(len(found.add), 'right')} given, {len(found.remove):,} taken back.\n")
    return 0


def ground(wiring: Wiring) -> Ground:
    """Raises ProblemsError where nobody is named, or a connector that is not there."""
    access = wiring.settings.access
    if not list(access.principals()):
        place = str(wiring.deployment.path(wiring.deployment.file))
        raise ProblemsError(Problem(place, "no principals are named", "Write access: (docs/security.md shows it)."))
    if strangers := wiring.strangers():
        raise ProblemsError(*strangers)
    return Ground(wiring.settings.name, {one.name: traffic(one) for one in wiring.connectors}, access)


def _kafka(wiring: Wiring) -> KafkaSettings:
    kafka = wiring.settings.kafka.located(wiring.deployment.folder)
    if kafka.embedded:
        where = str(wiring.deployment.path(wiring.deployment.file))
        found = "the embedded Kafka is reached from this machine only, and knows no principals"
        raise ProblemsError(Problem(where, found, "Rights are for a Kafka of your own: name its address in kafka.brokers."))
    return kafka


def _plan(land: Ground, there: Rights) -> Plan:
    return planned(rights(land), there.there(), land.resources)


def _stands(land: Ground, there: Rights) -> None:
    """Brokers hear of a change a moment after the controller: who is told that it is done must be able to begin."""
    if _plan(land, there).changes:
        raise RetryError("The brokers do not yet hold the rights that were given.")


def _create(wiring: Wiring, land: Ground) -> None:
    inside = [ingress(topic.removeprefix(INGRESS)) for topic in sorted(land.sources) if topic.startswith(INGRESS)]
    client = connect(_kafka(wiring))
    try:
        patiently(lambda: client.create([*standard(wiring.settings.kafka.partitions), *inside]))
    finally:
        client.close()


def _agreed() -> bool:
    """Without a terminal nobody can be asked, so nothing is changed."""
    if not sys.stdin.isatty():
        sys.stderr.write("Nothing was changed: say --yes where nobody can be asked.\n")
        return False
    sys.stderr.write("Change the rights so? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _print(found: Plan, *, as_json: bool) -> None:
    if as_json:
        output.as_json({name: [_plain(one) for one in rows] for name, rows in found._asdict().items()})
        return
    for part in _shown(found):
        output.console().print(part)


def _shown(found: Plan) -> Iterator[RenderableType | str]:
    if found.changes:
        marked = [("give", *shown(one)) for one in found.add] + [("take back", *shown(one)) for one in found.remove]
        yield output.table("What would change", ("", *COLUMNS), marked)
    else:
        yield "The brokers hold exactly the rights that this deployment needs."
    yield f"{len(found.keep):,} stay as they are."
    yield from _beside("Others hold rights on this deployment's topics, groups or ids; they are let be", found.others)
    yield from _beside("These forbid what is needed; they are let be", found.denied)


def _beside(title: str, rows: Sequence[Right]) -> Iterator[RenderableType]:
    if rows:
        yield output.table(title, COLUMNS, map(shown, rows))


def _plain(right: Right) -> dict[str, Any]:
    return {
        "principal": right.principal,
        "operation": right.operation,
        "resource": right.resource.kind,
        "name": right.resource.name,
        "prefixed": right.resource.prefixed,
        "host": right.host,
        "allowed": right.allowed,
    }
