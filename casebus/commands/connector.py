"""`casebus connector ...`: for whoever connects a system. None of these publishes anything."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from connectors.config import Connector
    from connectors.integrate.coverage import Coverage
    from connectors.integrate.preview import Shown

app = typer.Typer(help="Connect a department's system: look, map, preview, record, test.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The connector: its file in connectors/, without .yaml.")]
Folder = Annotated[Path, typer.Argument(help="The deployment's folder.", show_default="this folder")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Rows = Annotated[int, typer.Option("--rows", min=1, help="How many rows of each table.")]
Body = Annotated[Path | None, typer.Option("--body", help="Of kind http: a body, below the deployment's folder, as if it came.")]
Here = Path()


@app.command()
def new(  # noqa: PLR0913, PLR0917  each is an option of the command
    name: Name,
    origin: Annotated[
        str,
        typer.Option("--from", help="A database's URL, a topic, or a sample (file or body) below the deployment's folder."),
    ],
    folder: Folder = Here,
    kind: Annotated[str | None, typer.Option(help="sql, files, kafka or http; by default what --from looks like.")] = None,
    table: Annotated[str | None, typer.Option(help="The table, where the database has several.")] = None,
    brokers: Annotated[str | None, typer.Option(help="Of a topic: its cluster, where it is not the deployment's own.")] = None,
    schema: Annotated[str | None, typer.Option(help="Of Avro in a topic: the registry's address, or the schema's file.")] = None,
) -> None:
    """Look at a source and write a first connector, each guess marked as one."""
    from casebus.commands import firstlook
    from casebus.deployment import Deployment

    deployment = Deployment.load(folder)
    asked = firstlook.Asked(name, origin, kind, table, brokers, schema)
    path, guesses = firstlook.write(asked, deployment)
    body = ""
    if asked.looks_like == "http":
        body = f" --body {origin}"
        if tokens := firstlook.first_token(name, deployment.folder):
            sys.stdout.write(f"{tokens} holds a token for whoever calls.\n")
    said = f"casebus connector preview {name} {folder}{body}"
    sys.stdout.write(f"{path} is there, with {guesses} guesses to look at. Then: {said}\n")


@app.command()
def preview(name: Name, folder: Folder = Here, rows: Rows = 10, body: Body = None, as_json: Json = False) -> None:
    """Rows beside the events that they give; nothing is published."""
    from casebus.commands.output import as_json as print_json
    from connectors.integrate import preview as looking

    shown = _shown(_connector(name, folder), folder, rows, body)
    if as_json:
        print_json([looking.as_dict(one) for one in shown])
    else:
        _print_rows(shown)


@app.command()
def record(
    name: Name,
    folder: Folder = Here,
    rows: Rows = 1000,
    body: Body = None,
    write: Annotated[bool, typer.Option("--write", help="Append them to the connector's file.")] = False,
) -> None:
    """Take samples: one row of each outcome, without personal data, with what it gives now. Look whether that is right."""
    from connectors.integrate import record as taking

    connector = _connector(name, folder)
    found = list(taking.samples(connector, _shown(connector, folder, rows, body)))
    text = "".join(_blocks(connector, found))
    if not write:
        sys.stdout.write(text)
        return
    _append(connector, text)
    sys.stdout.write(
        f"{len(found)} samples are in {connector.path}. Look at them, then: casebus connector test {name} {folder}\n"
    )


@app.command("test")
def run_samples(
    name: Name,
    folder: Folder = Here,
    source: Annotated[bool, typer.Option("--source", help="Measure the coverage by rows of the source instead.")] = False,
    rows: Rows = 1000,
    as_json: Json = False,
) -> None:
    """Run the samples, and say which columns and codes they show. A sample that gives something else is told with its line."""
    from casebus.commands.output import as_json as print_json
    from connectors.integrate import coverage

    connector = _connector(name, folder)  # the samples are run whenever a file is loaded
    samples = sum(len(part.settings.samples) for part in connector.parts.values())
    if source:
        shown = [one.record for one in _shown(connector, folder, rows)]
        found = [
            coverage.measured(table, part, coverage.source_rows(one for one in shown if one.table == table))
            for table, part in connector.parts.items()
        ]
    else:
        found = coverage.of_samples(connector)
    if as_json:
        tables = [{**one._asdict(), "missing": one.missing} for one in found]
        print_json({"connector": connector.name, "samples": samples, "tables": tables})
    else:
        _print_coverage(connector, samples, found)


@app.command()
def tasks(folder: Folder = Here, as_json: Json = False) -> None:
    """The codes that nobody has mapped, the rows that wait for each, and the line that would map it."""
    from casebus.commands import mapping_tasks

    raise typer.Exit(mapping_tasks.show(folder, as_json=as_json))


@app.command()
def conformance(
    name: Annotated[str, typer.Argument(help="A connector of the deployment, or a kind: ours or an installed package's.")],
    folder: Folder = Here,
    source: Annotated[Path | None, typer.Option(help="Of a kind: a YAML file with what stands below source:.")] = None,
    report: Annotated[Path | None, typer.Option(help="Where to write it.", show_default="conformance-NAME.md")] = None,
    as_json: Json = False,
) -> None:
    """Ask every promise a source must keep: nothing lost, nothing doubled, a reason for every wrong row. Writes a report."""
    from casebus.commands.conformance import run

    raise typer.Exit(run(name, folder, source, report, as_json=as_json))


@app.command()
def schema() -> None:
    """The JSON Schema of connectors' files, for editors."""
    from casebus.commands.output import as_json as print_json
    from connectors.integrate import editor

    print_json(editor.schema())


def _connector(name: str, folder: Path) -> Connector:
    from bus.errors import ConfigurationError
    from casebus.deployment import Deployment
    from connectors import config

    deployment = Deployment.load(folder)
    base = deployment.folder
    path = base / "connectors" / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(one.stem for one in config.paths(base / "connectors")) or "none"
        raise ConfigurationError(f"There is no connector {name} in {base / 'connectors'} ({known}).")
    return config.read(path, deployment.settings.zone, base)


def _shown(connector: Connector, folder: Path, rows: int, body: Path | None = None) -> list[Shown]:
    """Rows with what they give: of the source (Kafka is opened where it lies there), or of a body as if it had been sent."""
    from casebus.deployment import Deployment
    from casebus.wiring import Wiring
    from connectors.integrate import bodies, preview

    if body is not None:
        return list(preview.of_body(connector, bodies.read(connector.base / body), rows, _now()))
    with Wiring(Deployment.load(folder)).client() if connector.inside else nullcontext() as client:
        return list(preview.rows(connector, rows, _now(), client))


def _now() -> int:
    """Microseconds: a preview is received when it is looked at."""
    return time.time_ns() // 1000


def _print_rows(shown: Iterable[Shown]) -> None:
    from casebus.commands.output import console, table
    from connectors.integrate.preview import as_dict

    lines = []
    for one in shown:
        found = as_dict(one)
        row = "\n".join(f"{field}: {value}" for field, value in found["row"].items() if value is not None)
        lines.append((found["position"], row, _given(found)))
    if not lines:
        sys.stdout.write(
            "The source has no row now. If it should have: look at path, record, sheet, table or where of source:.\n"
        )
        return
    console().print(table("", ("where", "the row", "what it gives"), lines))


def _given(found: dict[str, Any]) -> str:
    if "refused" in found:
        refused = found["refused"]
        return f"refused: {refused['reason']}\n{refused['text']}\n{refused['where']}"
    events = ["\n".join(f"{name}: {_brief(value)}" for name, value in event.items()) for event in found["gives"]]
    return "\n\n".join(events) or "no event"


def _brief(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _blocks(connector: Connector, found: list[Any]) -> Iterable[str]:
    """The samples of each table, as the file takes them."""
    from connectors.integrate.record import block

    if "" in connector.parts:
        yield block(found)
        return
    yield "tables:\n"
    for name in dict.fromkeys(one.table for one in found):
        yield f"  {name}:\n"
        yield block((one for one in found if one.table == name), "    ")


def _append(connector: Connector, text: str) -> None:
    """Raises ConfigurationError where the file says something under the same key already."""
    from bus.errors import ConfigurationError
    from schemas import yamlfile

    key = text.partition(":")[0]
    if key in yamlfile.load(connector.path):
        raise ConfigurationError(f"{connector.path} has {key}: already. Print the samples without --write and put them there.")
    with connector.path.open("a", encoding="utf-8") as file:
        file.write("\n" + text)


def _print_coverage(connector: Connector, samples: int, found: Iterable[Coverage]) -> None:
    from casebus.commands.output import console, counts

    screen = console()
    screen.print(f"{connector.name}: {samples} samples hold.")
    for one in found:
        if one.columns:
            screen.print(counts(f"{one.table} columns filled, of {one.rows} rows".strip(), one.columns, "column"))
        if one.codes:
            screen.print(counts("codes met", one.codes, "code"))
        for name, keys in one.lookups.items():
            screen.print(counts(f"codes of {name} met", keys, "code"))
        if one.missing:
            screen.print(f"Never seen: {', '.join(one.missing)}.")
