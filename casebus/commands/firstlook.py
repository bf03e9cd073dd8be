"""The first look of `casebus connector new`, at whatever kind of system, and the first file that comes of it."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bus.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bus.ports import Client
    from casebus.deployment import Deployment
    from connectors.integrate.look import Seen

KINDS = ("sql", "files", "kafka", "http")


class Asked(NamedTuple):
    """What the command was given: the connector's name, where to look, and what only some kinds need."""

    name: str
    origin: str
    kind: str | None = None
    table: str | None = None
    brokers: str | None = None
    schema: str | None = None

    @property
    def looks_like(self) -> str:
        return self.kind or ("kafka" if self.brokers else "sql" if "://" in self.origin else "files")


def write(asked: Asked, deployment: Deployment) -> tuple[Path, int]:
    """Write the connector's first YAML; returns its path and how many guesses it holds. Raises ConfigurationError."""
    from connectors.integrate import guess

    path = deployment.folder / "connectors" / f"{asked.name}.yaml"
    if path.exists():
        raise ConfigurationError(f"{path} is there already. Take another name, or remove it.")
    seen = _seen(asked, deployment)
    if not any(seen.fields.values()):
        raise ConfigurationError(f"{asked.origin} has no rows to guess by. Give it some, or write the connector by hand.")
    text = guess.draft(seen, asked.name, deployment.settings.zone)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path, text.count("# guess:")


def _seen(asked: Asked, deployment: Deployment) -> Seen:
    from connectors.integrate import bodies, look

    kind, base = asked.looks_like, deployment.folder
    if kind not in KINDS:
        raise ConfigurationError(f"There is nothing to look at for the kind {kind}. Write one of {', '.join(KINDS)}.")
    if kind == "kafka":
        return _topic(asked, deployment)
    if kind == "http":
        return bodies.seen(asked.origin, asked.name, base)
    return look.table(asked.origin, asked.table, base) if kind == "sql" else look.file(asked.origin, base)


def _topic(asked: Asked, deployment: Deployment) -> Seen:
    from connectors.integrate import topics

    given: dict[str, Any] = {"topic": asked.origin}
    if asked.brokers:
        given["cluster"] = {"brokers": asked.brokers}
    with _cluster(asked.brokers, deployment) as client:
        return topics.look(given, asked.schema, client, deployment.folder)


@contextmanager
def _cluster(brokers: str | None, deployment: Deployment) -> Iterator[Client]:
    """The department's own Kafka by its address, else the deployment's."""
    from bus import connect
    from bus.settings import KafkaSettings
    from casebus.wiring import Wiring

    if brokers is None:
        with Wiring(deployment).client() as own:
            yield own
        return
    try:
        settings = KafkaSettings.model_validate({"brokers": brokers})
    except ValueError as error:  # of which pydantic's is one
        raise ConfigurationError(f"--brokers {brokers} is no address. Write host:port, several separated by commas.") from error
    client = connect(settings)
    try:
        yield client
    finally:
        client.close()


def first_token(name: str, folder: Path) -> Path | None:
    """A token for the callers of a new `http` connector, in a file that only its owner reads; None where there is one already."""
    from connectors.integrate import bodies

    path = folder / bodies.tokens(name)
    if path.exists():
        return None
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(f"{secrets.token_urlsafe(32)}\n", "ascii")
    return path
