"""Our schemas in a schema registry: every version ever published, oldest first, and the compatibility each subject is held to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from bus.errors import ConfigurationError
from schemas.contract import Contract, current, frozen

#: Any version reads any other: the journal is kept for ever, and `schemas.compatibility` holds us to it both ways.
LEVEL = "FULL_TRANSITIVE"


class Registry(Protocol):
    """`bus.registry.HttpRegistry`, as far as it is needed here."""

    def found(self, subject: str, schema: str) -> int | None: ...
    def register(self, subject: str, schema: str) -> int: ...
    def refusal(self, subject: str, schema: str) -> str: ...
    def level(self, subject: str) -> str | None: ...
    def hold(self, subject: str, level: str) -> None: ...


class Version(NamedTuple):
    """One version of ours. `id` is the registry's, None where it is not there; `refusal` says why it would not be taken."""

    subject: str
    number: int
    id: int | None
    #: What the subject is held to; None where the registry knows no such subject.
    level: str | None
    refusal: str = ""

    @property
    def stands(self) -> bool:
        return self.id is not None and self.level == LEVEL


def subjects() -> dict[str, list[Contract]]:
    """Our versions by full name, oldest first."""
    found: dict[str, list[Contract]] = {}
    for one in (*frozen(), *current().values()):
        known = found.setdefault(one.fullname, [])
        if one.text not in {other.text for other in known}:
            known.append(one)
    return dict(sorted(found.items()))


def standing(registry: Registry) -> list[Version]:
    """What the registry holds of ours, and what it would refuse. Changes nothing."""
    return [version for subject, forms in subjects().items() for version in _standing(registry, subject, forms)]


def _standing(registry: Registry, subject: str, forms: Iterable[Contract]) -> Iterable[Version]:
    level = registry.level(subject)
    for number, form in enumerate(forms, 1):
        known = registry.found(subject, form.text)
        refusal = "" if known is not None or level is None else registry.refusal(subject, form.text)
        yield Version(subject, number, known, level, refusal)


def register(registry: Registry) -> None:
    """Register what is missing and hold each subject to its level. What stands already is left as it is.

    Raises ConfigurationError naming all that was refused, after the others were registered.
    """
    refused = [said for subject, forms in subjects().items() if (said := _registered(registry, subject, forms))]
    if refused:
        raise ConfigurationError("\n".join(refused))


def _registered(registry: Registry, subject: str, forms: Iterable[Contract]) -> str:
    """Why a version was refused; empty where all stand. The level comes first where it can: it guards what follows.

    A subject that refuses ours is somebody else's: it gets back the level that it had.
    """
    level = registry.level(subject)
    if level not in {None, LEVEL}:
        registry.hold(subject, LEVEL)
    try:
        for form in forms:
            if registry.found(subject, form.text) is None:
                registry.register(subject, form.text)
    except ConfigurationError as error:
        if level not in {None, LEVEL}:
            registry.hold(subject, level)
        return f"{subject}: {error}"
    if level is None:
        registry.hold(subject, LEVEL)
    return ""
