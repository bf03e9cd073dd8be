"""A deployment's `connectors/` folder: each YAML file one system, read, checked and compiled; faults told with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from connectors import samples
from connectors.build import Builder
from connectors.columnset import ColumnSet, Ground
from connectors.kinds import kinds
from connectors.lookups import Table
from connectors.mapping import Mapping as RowMapping
from connectors.settings import ConnectorSettings
from connectors.source import Context, Kind, Source, Target
from schemas import yamlfile
from schemas.problem import Problem, ProblemsError
from schemas.yamlfile import Map, validated


class Connector(NamedTuple):
    """One department's system, ready to run."""

    name: str
    path: Path
    base: Path
    settings: ConnectorSettings
    kind: Kind
    source_settings: Any
    mapping: RowMapping
    tables: Mapping[str, Table]
    fields: list[Any]

    def open(self) -> Source:
        return self.kind.open(self.source_settings, self._context())

    def target(self) -> Target | None:
        """Where its deliveries go; None for a system that takes none. Raises ProblemsError."""
        wanted = self.settings.deliver
        if wanted is None:
            return None
        kind = kinds().get(wanted.kind)
        if kind is None or kind.target is None or kind.target_settings is None:
            raise ProblemsError(Problem(self._place(), f"the kind `{wanted.kind}` takes no deliveries", "Write one that does."))
        node = document(self.path, self.base)["deliver"].get("target", Map(self.path, 1))
        return kind.target(validated(kind.target_settings, node), self._context())

    def refresh(self, again: bool = False) -> None:
        """Read again the lookups that can have changed, with `again` even those that do not look it. Raises ProblemsError."""
        for table in self.tables.values():
            table.refresh(again)

    def _place(self) -> str:
        return str(self.path).removeprefix(f"{self.base}/")

    def _context(self) -> Context:
        return Context(self.base, self.fields, self._place())


def load(folder: Path, zone: str | None = None) -> list[Connector]:
    """The connectors of a folder, by name. Raises ProblemsError with every fault of every file."""
    found: list[Connector] = []
    problems: list[Problem] = []
    for path in paths(folder):
        try:
            found.append(read(path, zone))
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


def read(path: Path, zone: str | None = None, base: Path | None = None) -> Connector:
    """One connector, compiled, its samples run. `base` is the deployment's folder, by default that above `connectors/`."""
    path = path.resolve()
    base = path.parent.parent if base is None else base.resolve()
    node = document(path, base)
    node.setdefault("system", path.stem)
    if zone is not None:
        node.setdefault("zone", zone)
    settings = validated(ConnectorSettings, node)
    kind, source = _source(node, settings, base)
    if settings.table is None:
        settings = settings.model_copy(update={"table": kind.table(source)})
    ground = Ground(node, settings, base, getattr(source, "url", None))
    built = Builder(ground, ColumnSet(ground, kind.nested(source))).build()
    if built.mapping is None:
        raise ProblemsError(*built.problems)
    connector = Connector(settings.system, path, base, settings, kind, source, built.mapping, built.tables, built.fields)
    problems = list(samples.run(connector.mapping, settings.samples, node, ground.places))
    if problems:
        raise ProblemsError(*problems)
    return connector


def _source(node: Map, settings: ConnectorSettings, base: Path) -> tuple[Kind, Any]:
    kind = kinds().get(settings.kind)
    if kind is None:
        known = ", ".join(kinds())
        raise ProblemsError(Problem(node.where("kind"), f"there is no kind `{settings.kind}`", f"Write one of {known}."))
    return kind, kind.located(kind.settings(node["source"]), base)


class Merged(Map):
    """A mapping put together from several files: each key knows the file it came from."""

    def __init__(self, node: Map) -> None:
        super().__init__(node.path, node.line)
        self._origins: dict[str, Map] = {}

    def take(self, node: Map) -> None:
        for key, value in node.items():
            known = self.get(key)
            if isinstance(known, Map) and isinstance(value, Map) and key != "source":
                value = _merged(known, value)  # noqa: PLW2901  the two become one
            self[key] = value
            self._origins[key] = node

    def where(self, key: str | None = None) -> str:
        origin = self._origins.get(key) if key else None
        return origin.where(key) if origin is not None else super().where(key)


def _merged(first: Map, second: Map) -> Merged:
    both = Merged(second)
    both.take(first)
    both.take(second)
    return both


def document(path: Path, base: Path) -> Map:
    """The file with what it includes (paths from the deployment's folder); its own keys win. Raises ProblemsError."""
    own = yamlfile.load(path)
    included = own.get("include", [])
    result = Merged(own)
    for name in included if isinstance(included, list) else [included]:
        try:
            result.take(yamlfile.load(base / str(name)))
        except ProblemsError as error:
            raise ProblemsError(Problem(own.where("include"), str(error.problems[0]).rstrip("."), "Correct include:.")) from error
    result.take(own)
    return result
