"""The schema registry, where one is named: whether it answers, what it has of ours, and what it would refuse."""

from __future__ import annotations

from collections.abc import Iterator

from bus.errors import BusError
from casebus.commands.output import several
from casebus.doctor.finding import Finding
from casebus.registration import LEVEL, Version, standing
from casebus.wiring import Wiring

WHAT = "schema registry"


def registry(wiring: Wiring) -> Iterator[Finding]:
    """Nothing where none is named: then records bear their schemas' fingerprints, and nobody is asked."""
    try:
        if wiring.registry is not None:
            yield judged(standing(wiring.registry), str(wiring.deployment.folder))
    except BusError as error:
        cure = "Start it, or correct `kafka.registry` in casebus.yaml; services that start now wait for it."
        yield Finding(WHAT, str(error), cure)


def judged(found: list[Version], folder: str) -> Finding:
    """What a refusal means shows only when the first event of that kind comes, unless somebody looks before."""
    refused = [f"{one.subject}: {one.refusal}" for one in found if one.refusal]
    if refused:
        cure = "Somebody else's schemas stand under our names: take them away, or name a registry of your own."
        return Finding(WHAT, f"would refuse {'; '.join(refused)}", cure)
    loose = sum(not one.stands for one in found)
    if loose:
        said = f"{several(loose, 'version')} of our {len(found)} missing, or not held to {LEVEL}"
        return Finding(WHAT, said, f"Run casebus registry apply {folder}.")
    return Finding(WHAT, f"has all {len(found)} versions of our schemas")
