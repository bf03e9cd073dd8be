"""A deployment's `connectors/` folder: each YAML file one system, read, checked and compiled; faults told with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from bus.ports import Client
from connectors import gather, samples
from connectors.build import Builder
from connectors.columnset import ColumnSet, Ground
from connectors.documents import document, parts_of
from connectors.kinds import kinds
from connectors.lookups import Table
from connectors.mapping import Mapping as RowMapping
from connectors.mapping import Translator
from connectors.parts import ByTable, Many
from connectors.sealed import SealedRows, Sealing, Sealings, none
from connectors.settings import ConnectorSettings
from connectors.source import Context, Kind, Source, Target
from schemas.problem import Problem, ProblemsError
from schemas.yamlfile import Map, validated


class Part(NamedTuple):
    """One table of a system: how it is read, and what its rows mean."""

    settings: ConnectorSettings
    kind: Kind
    source_settings: Any
    mapping: RowMapping
    tables: Mapping[str, Table]
    fields: list[Any]

    def open(self, base: Path, where: str, cluster: Client | None = None) -> Source:
        context = Context(base, self.fields, where, cluster, self.settings.columns, self.settings.zone)
        source = self.kind.open(self.source_settings, context)
        return gather.around(source, self.settings.gather, getattr(self.source_settings, "url", None), where)


class Connector(NamedTuple):
    """One department's system, ready to run. Most have one table, named ""; what all tables share is said by the first."""

    name: str
    path: Path
    base: Path
    parts: Mapping[str, Part]
    #: Seals the personal fields of its events, where somebody asked for it.
    sealing: Sealing | None = None

    @property
    def settings(self) -> ConnectorSettings:
        return next(iter(self.parts.values())).settings

    @property
    def mapping(self) -> Translator:
        """What translates this connector's rows."""
        only = self.parts.get("")
        clear = only.mapping if only else ByTable({name: part.mapping for name, part in self.parts.items()})
        return clear if self.sealing is None else SealedRows(clear, self.sealing)

    @property
    def lookups(self) -> Iterator[Table]:
        return chain.from_iterable(part.tables.values() for part in self.parts.values())

    @property
    def standing(self) -> bool:
        """Its source stays open between passes."""
        return any(part.kind.standing for part in self.parts.values())

    @property
    def once(self) -> frozenset[str]:
        """Its tables whose rows cannot be asked for again: calls, and queues that are emptied."""
        parts = (part for part in self.parts.values() if part.kind.standing or part.kind.once(part.source_settings))
        return frozenset(part.mapping.table for part in parts)

    @property
    def functions(self) -> list[str]:
        """The Python functions that its columns name."""
        columns = chain.from_iterable(part.settings.columns.values() for part in self.parts.values())
        return sorted({column.python for column in columns if column.python})

    @property
    def inside(self) -> bool:
        """Its source lies in the deployment's own Kafka."""
        return any(part.kind.inside(part.source_settings) for part in self.parts.values())

    def open(self, cluster: Client | None = None) -> Source:
        """Its source, for reading. `cluster` is the deployment's own, where the source may lie in it."""
        opened = {name: part.open(self.base, self._place(), cluster) for name, part in self.parts.items()}
        return opened[""] if "" in opened else Many(opened)

    def keep(self) -> None:
        """Before its events are published: the keys that seal them are kept."""
        if self.sealing is not None:
            self.sealing.keep()

    def left(self) -> None:
        """It is not run in this process any more, or not by these settings."""
        for part in self.parts.values():
            part.kind.left(part.source_settings)

    def target(self, cluster: Client | None = None) -> Target | None:
        """Where its deliveries go; None for a system that takes none. `cluster` as for `open`. Raises ProblemsError."""
        wanted = self.settings.deliver
        if wanted is None:
            return None
        kind = kinds().get(wanted.kind)
        if kind is None or kind.target is None or kind.target_settings is None:
            raise ProblemsError(Problem(self._place(), f"the kind `{wanted.kind}` takes no deliveries", "Write one that does."))
        node = document(self.path, self.base)["deliver"].get("target", Map(self.path, 1))
        context = Context(self.base, [], self._place(), cluster, zone=self.settings.zone)
        return kind.target(validated(kind.target_settings, node), context)

    def refresh(self, again: bool = False) -> None:
        """Read again the lookups that can have changed, with `again` even those that do not look it. Raises ProblemsError."""
        for table in self.lookups:
            table.refresh(again)

    def _place(self) -> str:
        return str(self.path).removeprefix(f"{self.base}/")


def load(folder: Path, zone: str | None = None, sealings: Sealings = none) -> list[Connector]:
    """The connectors of a folder, by name. Raises ProblemsError with every fault of every file."""
    found: list[Connector] = []
    problems: list[Problem] = []
    for path in paths(folder):
        try:
            found.append(read(path, zone, sealings=sealings))
        except ProblemsError as error:
            problems += error.problems
    problems += _doubled(found)
    if problems:
        raise ProblemsError(*problems)
    return found


def paths(folder: Path) -> list[Path]:
    """One file for each system; names that begin with _ are parts for `include:`."""
    return sorted(path for path in folder.glob("*.yaml") if not path.name.startswith(("_", ".")))


def _doubled(found: list[Connector]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for connector in found:
        if connector.name in seen:
            twice = f"the system `{connector.name}` stands in {seen[connector.name]} too"
            yield Problem(str(connector.path), twice, "Give each file a system: of its own.")
        seen[connector.name] = connector.path.name


def read(path: Path, zone: str | None = None, base: Path | None = None, sealings: Sealings = none) -> Connector:
    """One connector, compiled, its samples run. `base` is the deployment's folder, by default that above `connectors/`."""
    path = path.resolve()
    base = path.parent.parent if base is None else base.resolve()
    node = document(path, base)
    node.setdefault("system", path.stem)
    if zone is not None:
        node.setdefault("zone", zone)
    parts: dict[str, Part] = {}
    problems: list[Problem] = []
    for name, below in parts_of(node).items():
        try:
            parts[name] = _part(name, below, base)
        except ProblemsError as error:
            problems += error.problems
    if problems:
        raise ProblemsError(*dict.fromkeys(problems))
    name = next(iter(parts.values())).settings.system
    return Connector(name, path, base, parts, sealings(name))


def _part(name: str, node: Map, base: Path) -> Part:
    """One table, compiled, its samples run. Raises ProblemsError."""
    settings = validated(ConnectorSettings, node)
    kind, source = _source(node, settings, base)
    if settings.table is None:
        settings = settings.model_copy(update={"table": name or kind.table(source)})
    ground = Ground(node, settings, base, getattr(source, "url", None))
    built = Builder(ground, ColumnSet(ground, kind.nested(source))).build()
    if built.mapping is None:
        raise ProblemsError(*built.problems)
    problems = list(samples.run(built.mapping, settings.samples, node, ground.places))
    if problems:
        raise ProblemsError(*problems)
    return Part(settings, kind, source, built.mapping, built.tables, built.fields)


def _source(node: Map, settings: ConnectorSettings, base: Path) -> tuple[Kind, Any]:
    kind = kinds().get(settings.kind)
    if kind is None:
        known = ", ".join(kinds())
        raise ProblemsError(Problem(node.where("kind"), f"there is no kind `{settings.kind}`", f"Write one of {known}."))
    return kind, kind.located(kind.settings(node["source"]), base)
