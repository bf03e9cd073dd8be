"""`casebus connector conformance`: the kit over a connector of a deployment, or over an installed kind; its report."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from bus.errors import ConfigurationError
from bus.ports import Client
from casebus.commands import output
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from connectors import config
from connectors.config import Connector
from connectors.conformance import Finding, Open, Subject, findings
from connectors.kinds import kinds
from connectors.source import Context, Kind
from schemas import yamlfile
from schemas.problem import ProblemsError
from schemas.yamlfile import Map

BROKEN = 1


def run(name: str, folder: Path, source: Path | None, report: Path | None, *, as_json: bool) -> int:
    """1 where a promise is broken. Raises ConfigurationError for a name that is neither a connector's nor a kind's."""
    found = list(_of_kind(name, source) if source or name in kinds() else _of_connector(name, folder))
    path = report or Path(f"conformance-{name}.md")
    path.write_text("".join(markdown(name, found)), "utf-8")
    if as_json:
        output.as_json(told(name, found))
    else:
        output.console().print(output.table(name, ("", "promise", "what was found"), map(_row, found)))
        sys.stderr.write(f"The report is in {path}.\n")
    return BROKEN if any(not one.kept for one in found) else 0


def _row(one: Finding) -> tuple[str, str, str]:
    return _mark(one), one.promise, "\n".join(one.faults) or one.left_out


def _mark(one: Finding) -> str:
    return "✗" if not one.kept else "–" if one.left_out else "✓"


def told(name: str, found: Sequence[Finding]) -> dict[str, Any]:
    return {
        "name": name,
        "kept": all(one.kept for one in found),
        "findings": [{**one._asdict(), "kept": one.kept} for one in found],
    }


def markdown(name: str, found: Sequence[Finding]) -> Iterator[str]:
    """For whoever gets the connector or the kind handed over."""
    broken = sum(not one.kept for one in found)
    verdict = (
        f"{output.several(broken, 'promise is', 'promises are')} broken" if broken else "Every promise that was asked is kept"
    )
    yield f"# Conformance of {name}\n\n{verdict}. Asked on {time.strftime('%Y-%m-%d')}.\n\n"
    yield "| | promise | what was found |\n|---|---|---|\n"
    for one in found:
        mark, promise, said = _row(one)
        cell = said.replace("|", "\\|").replace("\n", "<br>")
        yield f"| {mark} | {promise} | {cell} |\n"


# -- a connector


def _of_connector(name: str, folder: Path) -> Iterator[Finding]:
    wiring = Wiring(Deployment.load(folder))
    base = wiring.deployment.folder
    path = base / "connectors" / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join([one.stem for one in config.paths(base / "connectors")] + list(kinds()))
        raise ConfigurationError(f"There is no connector {name} in {base / 'connectors'} and no kind of this name ({known}).")
    connector = config.read(path, wiring.settings.zone, base)
    with _cluster(wiring, connector) as client:
        yield from findings(subject(connector, wiring.receipts.now(), client))


def _cluster(wiring: Wiring, connector: Connector) -> AbstractContextManager[Client | None]:
    """Only a source that lies in the deployment's own Kafka needs it."""
    inside = any(part.kind.inside(part.source_settings) for part in connector.parts.values())
    return wiring.client() if inside else nullcontext()


def subject(connector: Connector, now: int, client: Client | None) -> Subject:
    """A connector as the kit asks it: received at `now` (microseconds)."""
    samples = {name: len(part.settings.samples) for name, part in connector.parts.items()}
    opened: Open | None = None if connector.standing else lambda: connector.open(client)
    return Subject(opened, translate=lambda row: connector.mapping.translate(row, now), samples=samples)


# -- a kind


def _of_kind(name: str, source: Path | None) -> Iterator[Finding]:
    """`source` is a YAML file with what would stand below `source:`; without it only the kind itself is asked."""
    kind = kinds().get(name)
    if kind is None:
        raise ConfigurationError(f"There is no kind {name} ({', '.join(kinds())}). Install its package, or correct the name.")
    yield Finding("It says what it is about", [] if kind.about.strip() else ["`about` is empty: people read it in lists."])
    yield Finding("Wrong settings are told with file and line", list(_wrong_settings(kind)))
    if source is None:
        yield Finding("It can be read", left_out="write its settings into a file and name it: --source FILE")
        return
    settings = kind.located(kind.settings(yamlfile.load(source)), source.absolute().parent)
    yield Finding("Its rows belong to a table with a name", [] if kind.table(settings) else ["`table` gives an empty name."])
    context = Context(source.absolute().parent, [], str(source))
    yield from findings(Subject(None if kind.standing else lambda: kind.open(settings, context)))


def _wrong_settings(kind: Kind) -> Iterator[str]:
    """Settings that nobody can mean."""
    for what, wrong in (("no settings at all", {}), ("a setting that there is not", {"no such setting": 1})):
        node = Map(Path("source.yaml"), 1)
        node.update(wrong)
        try:
            kind.settings(node)
        except ProblemsError:
            continue
        except Exception as error:  # noqa: BLE001  that it raises something else is the finding
            yield f"{what}: it raises {type(error).__name__} ({error}); raise ProblemsError, as schemas.yamlfile.validated does."
        else:
            if wrong:
                yield f"{what} is taken without a word: a slip of the pen would go unseen."
