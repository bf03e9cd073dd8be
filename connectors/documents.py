"""A connector's YAML put together: its profile, what it includes, its own keys; each key still knows file and line."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from schemas import yamlfile
from schemas.problem import Problem, ProblemsError
from schemas.yamlfile import Map

PROFILES = Path(__file__).parent / "profiles"
#: Keys that belong to the whole file, not to each of its tables.
_WHOLE = frozenset({"tables", "needs"})


class Merged(Map):
    """A mapping put together from several files: each key knows the file it came from."""

    def __init__(self, node: Map) -> None:
        super().__init__(node.path, node.line)
        self._origins: dict[str, Map] = {}

    def take(self, node: Map, *whole: str) -> None:
        """Put these keys over the ones there are: mappings become one, all else is replaced, and so are the keys `whole`."""
        for key, value in node.items():
            known = self.get(key)
            if isinstance(known, Map) and isinstance(value, Map) and key not in whole:
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
    """The file over what it includes (paths from the deployment's folder) over its profile. Raises ProblemsError."""
    result = _whole(yamlfile.load(path), base, (path.resolve(),))
    _check_needs(result)
    return result


def files(path: Path, base: Path) -> list[Path]:
    """The files that a document is made of, its profile among them, as far as they can be read now; each once."""
    found = [path]
    for one in found:  # grows while it is gone through
        with contextlib.suppress(ProblemsError, OSError):
            own = yamlfile.load(one)
            named = [base / name for name in _names(own)]
            named += [PROFILES / f"{own['profile']}.yaml"] if "profile" in own else []
            found += [place for place in dict.fromkeys(named) if place not in found]
    return found


def _whole(own: Map, base: Path, trail: tuple[Path, ...]) -> Merged:
    """A file with all that it includes; `trail` are the files that led to it, itself the last."""
    result = Merged(own)
    if "profile" in own:
        result.take(_profile(own))
    for name in _names(own):
        result.take(_included(own, base / name, base, trail), *_replaced(own, result))
    result.take(own, *_replaced(own, result))
    return result


def _names(own: Map) -> list[str]:
    included = own.get("include", [])
    return [str(name) for name in (included if isinstance(included, list) else [included])]


def _replaced(own: Map, below: Map) -> tuple[str, ...]:
    """A source of one's own stands alone, except over a profile, which knows the tables but not where they are."""
    return () if "profile" in own or "profile" in below else ("source",)


def _included(own: Map, path: Path, base: Path, trail: tuple[Path, ...]) -> Map:
    if path.resolve() in trail:
        names = [one.name for one in trail[trail.index(path.resolve()) :]]
        found = f"{path.name} includes itself: {' > '.join([*names, path.name])}"
        raise ProblemsError(Problem(own.where("include"), found, "Take one of these include: out."))
    try:
        loaded = yamlfile.load(path)
    except ProblemsError as error:
        raise ProblemsError(Problem(own.where("include"), str(error.problems[0]).rstrip("."), "Correct include:.")) from error
    return _whole(loaded, base, (*trail, path.resolve()))


def profiles() -> list[str]:
    """The names that `profile:` may say."""
    return sorted(path.stem for path in PROFILES.glob("*.yaml"))


def _profile(own: Map) -> Map:
    """The profile without its samples: they show the profile as it is, and this connector may override any of it."""
    name = str(own["profile"])
    if name not in profiles():
        unknown = f"there is no profile `{name}`"
        raise ProblemsError(Problem(own.where("profile"), unknown, f"Write one of {', '.join(profiles())}."))
    found = yamlfile.load(PROFILES / f"{name}.yaml")
    for table in found.get("tables", {}).values():
        table.pop("samples", None)
    return found


def _check_needs(node: Map) -> None:
    """What only the deployment can say: `needs:` of a profile, a path of keys and the sentence that asks for it."""
    problems = []
    for path, remedy in node.get("needs", {}).items():
        found: Any = node
        for key in path.split("."):
            found = found.get(key) if isinstance(found, Map) else None
        if found is None:
            problems.append(Problem(node.where("profile"), f"`{path}` is missing", str(remedy)))
    if problems:
        raise ProblemsError(*problems)


def parts_of(node: Map) -> dict[str, Map]:
    """The node of each table, what they share below what is their own; a file without `tables:` is one table without a name.

    A table that is `null` is not read, for itself or by another's `gather:`.
    """
    tables = node.get("tables")
    if not isinstance(tables, Map):
        return {"": node}
    found = {name: _without(_part(node, tables, name), tables) for name, own in tables.items() if own is not None}
    if not found:
        raise ProblemsError(Problem(node.where("tables"), "no table is left to read", "Keep one of them."))
    return found


def _without(part: Map, tables: Map) -> Map:
    """A part whose children would come from a table that is not read gathers none."""
    gathered = part.get("gather")
    children = gathered.get("children") if isinstance(gathered, Map) else None
    if isinstance(children, Map) and children.get("table") in tables and tables[children["table"]] is None:
        part["gather"] = None
    return part


def _part(node: Map, tables: Map, name: str) -> Map:
    own = tables[name]
    if not isinstance(own, Map):
        raise ProblemsError(Problem(tables.where(name), f"`{name}` is no table", "Write its source:, key: and events: below it."))
    part = Merged(own)
    part.take(node)
    for key in _WHOLE & set(part):
        del part[key]
    part.take(own)
    return part
