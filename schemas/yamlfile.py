"""YAML that knows its lines, so that every fault in a deployment is told with file and line.

`load` gives a `Map` (a dict) whose values are scalars, `Map`s and `Seq`s; each knows where its keys stand. Strings expand
`${NAME}` and `${NAME:-default}`; `$${` writes a plain `${`. Scalars follow YAML 1.2 where 1.1 surprises: `on`, `off`, `yes`,
`no`, `12:30` and numbers with a leading zero (codes!) are strings.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from schemas.problem import Problem, ProblemsError

#: A default may hold a variable itself: `${URL:-sqlite:///${FOLDER:-data}/a.db}`.
_VARIABLE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:[^{}]|\$\{[^{}]*\})*))?\}")
#: In an address: `//user:password@` up to the last @, and `?name=value`.
_PASSWORD = re.compile(r"(//[^/:@\s]*:)\S+@")
_ASKED = re.compile(r"([?&][^=&\s'\"]+=)[^&\s'\"]+")
_TAG = "tag:yaml.org,2002:"


class Settings(BaseModel):
    """Base of everything read from a deployment's files: unknown keys are faults, values do not change.

    What pydantic says of a fault stands in tracebacks, and there may be a secret in the value.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Map(dict[str, Any]):
    """A mapping that knows the file and the line of each key."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__()
        self.path = path
        self.line = line
        self.lines: dict[str, int] = {}

    def where(self, key: str | None = None) -> str:
        """`file:line` of the key, or of the mapping itself where the key is absent or None."""
        return f"{self.path}:{self.lines.get(key, self.line) if key else self.line}"


class Seq(list[Any]):
    """A sequence that knows the file and the line of each item."""

    def __init__(self, path: Path, line: int) -> None:
        super().__init__()
        self.path = path
        self.line = line
        self.lines: list[int] = []

    def where(self, index: int | None = None) -> str:
        known = index is not None and 0 <= index < len(self.lines)
        return f"{self.path}:{self.lines[index] if known and index is not None else self.line}"


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the wheel has it: ten times faster


class _Loader(_Base):  # type: ignore[misc]  # the base depends on the machine
    """YAML 1.2's plain scalars: fewer surprises than 1.1's."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


_Loader.add_implicit_resolver(_TAG + "bool", re.compile(r"^(?:true|false|True|False)$"), list("tfTF"))
_Loader.add_implicit_resolver(_TAG + "int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    _TAG + "float", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(_TAG + "null", re.compile(r"^(?:~|null|Null|)$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver(_TAG + "timestamp", re.compile(r"^\d{4}-\d\d-\d\d$"), list("0123456789"))
_Loader.add_implicit_resolver(_TAG + "merge", re.compile(r"^<<$"), ["<"])


def load(path: Path, env: Mapping[str, str] | None = None) -> Map:
    """The mapping in a YAML or JSON file. Raises ProblemsError with file and line."""
    text = _text(path)
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        builder = _Builder(path, loader, os.environ if env is None else env)
        value = builder.build(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        raise ProblemsError(_syntax(path, error, text)) from error
    except yaml.YAMLError as error:
        raise ProblemsError(Problem(f"{path}:1", f"no YAML: {error}", "Save it as plain YAML in UTF-8.")) from error
    finally:
        loader.dispose()
    if builder.problems:
        raise ProblemsError(*builder.problems)
    if not isinstance(value, Map):
        raise ProblemsError(Problem(f"{path}:1", "no mapping at the top", "Write `key: value` lines."))
    return value


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError as error:
        raise ProblemsError(Problem(str(path), "the file is not there", "Create it, or correct the name.")) from error
    except OSError as error:
        raise ProblemsError(Problem(str(path), f"cannot be read: {error.strerror}", "Allow reading it.")) from error
    except UnicodeDecodeError as error:
        raise ProblemsError(Problem(str(path), f"not UTF-8 at byte {error.start}", "Save it in UTF-8.")) from error


def _syntax(path: Path, error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = min(mark.line + 1 if mark else 1, len(text.splitlines()) or 1)  # the end of the file lies one line below it
    return Problem(f"{path}:{line}", f"no YAML: {error.problem or error.context}", "Check indentation, colons and quotes here.")


class _Builder:
    """Values from nodes, with lines; faults are collected so that all are told at once."""

    def __init__(self, path: Path, loader: _Loader, env: Mapping[str, str]) -> None:
        self._path = path
        self._loader = loader
        self._env = env
        self._open: set[int] = set()
        self._flat: set[int] = set()
        self.problems: list[Problem] = []

    def build(self, node: yaml.Node) -> Any:
        if id(node) in self._open:
            raise yaml.MarkedYAMLError(problem="an anchor contains itself", problem_mark=node.start_mark)
        self._open.add(id(node))
        try:
            return self._value(node)
        finally:
            self._open.discard(id(node))

    def _value(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._map(node)
        if isinstance(node, yaml.SequenceNode):
            return self._seq(node)
        try:
            value = self._loader.construct_object(node)
        except ValueError:
            place = f"{self._path}:{node.start_mark.line + 1}"
            self.problems.append(Problem(place, f"{node.value} is no date", "Correct the day, or put it in quotes."))
            return None
        return self._expanded(value, node) if isinstance(value, str) else value

    def _map(self, node: yaml.MappingNode) -> Map:
        result = Map(self._path, node.start_mark.line + 1)
        if id(node) not in self._flat:  # an alias comes here again, with its merge keys already spread
            self._flat.add(id(node))
            self._check_doubled(node)
            self._loader.flatten_mapping(node)  # merged keys go first, so that own keys win
        for key_node, value_node in node.value:
            key = str(key_node.value)
            result[key] = self.build(value_node)
            result.lines[key] = key_node.start_mark.line + 1
        return result

    def _check_doubled(self, node: yaml.MappingNode) -> None:
        seen: dict[str, int] = {}
        for key_node, _ in node.value:
            line = key_node.start_mark.line + 1
            key = str(key_node.value)
            if key in seen:
                found = f"`{key}` stands twice, first in line {seen[key]}"
                self.problems.append(Problem(f"{self._path}:{line}", found, "Keep one of them."))
            seen.setdefault(key, line)

    def _seq(self, node: yaml.SequenceNode) -> Seq:
        result = Seq(self._path, node.start_mark.line + 1)
        for item in node.value:
            result.append(self.build(item))
            result.lines.append(item.start_mark.line + 1)
        return result

    def _expanded(self, text: str, node: yaml.Node) -> str:
        def value(match: re.Match[str]) -> str:
            name, default = match.groups()
            if name is None:
                return "${"
            found = self._env.get(name)
            if not found and default is not None:
                found = self._expanded(default, node)
            if found is None:
                where = f"{self._path}:{node.start_mark.line + 1}"
                self.problems.append(
                    Problem(where, f"the environment has no {name}", f"Set {name}, or write ${{{name}:-a default}}.")
                )
            return found or ""

        return _VARIABLE.sub(value, text)


def where(node: Any, path: Sequence[str | int]) -> str:
    """`file:line` of what a path of keys and indexes leads to, as near as the file goes."""
    place = node.where() if isinstance(node, (Map, Seq)) else "?"
    for part in path:
        if not isinstance(node, (Map, Seq)):
            break
        try:
            place, node = node.where(part), node[part]  # type: ignore[arg-type, index]  # a str for a Map, an int for a Seq
        except (LookupError, TypeError):
            break
    return place


Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], node: Map) -> Model:
    """The model's values from a mapping. Raises ProblemsError with a line for each fault."""
    try:
        return model.model_validate(node)
    except ValidationError as error:
        raise ProblemsError(*(_problem(detail, node, model) for detail in _told(error.errors()))) from error


def _told(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Without a list that is too short only because what stands in it is wrong."""
    return [one for one in details if one["type"] != "too_short" or not any(_below(other, one) for other in details)]


def _below(detail: ErrorDetails, above: ErrorDetails) -> bool:
    return len(detail["loc"]) > len(above["loc"]) and detail["loc"][: len(above["loc"])] == above["loc"]


#: What to write, by the kind of the fault as pydantic names it; the first that fits.
_REMEDIES = {
    "int_": "Write a whole number.",
    "float_": "Write a number.",
    "decimal_": "Write a number.",
    "bool_": "Write true or false.",
    "date_": "Write a date such as 2026-01-31.",
    "datetime_": "Write a moment such as 2026-01-31T18:00.",
    "list_": "Write a list: [a, b].",
    "tuple_": "Write a list: [a, b].",
    "set_": "Write a list: [a, b].",
    "dict_": "Write `key: value` lines below it.",
    "model_": "Write `key: value` lines below it.",
    "string_too_short": "Write something here.",
    "too_short": "Write at least one.",
    "string_pattern": "Write it in that form.",
}


def _remedy(detail: ErrorDetails) -> str:
    """What to write; empty where only the fault's own words say it."""
    if detail["type"] in ("literal_error", "enum"):
        return f"Write {detail['ctx']['expected']}."
    return next((told for kind, told in _REMEDIES.items() if detail["type"].startswith(kind)), "")


def _problem(detail: ErrorDetails, node: Map, model: type[BaseModel]) -> Problem:
    loc = _keys(detail)
    name = ".".join(str(part) for part in loc) or "this"
    place = where(node, loc)
    if detail["type"] == "missing":
        return Problem(place, f"`{name}` is missing", "Add it.")
    if detail["type"] == "extra_forbidden":
        return Problem(place, f"`{name}` is no key of this place", _near(str(loc[-1]), model if len(loc) == 1 else None))
    found = f"`{name}` is {'****' if _is_secret(model, loc) else _shown(detail['input'])}"
    if detail["type"] == "string_type":
        return Problem(place, f"{found}, not text", "Put it in quotes.")
    if remedy := _remedy(detail):
        return Problem(place, found, remedy)
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    return Problem(place, f"{found}: {message}", "Write a value of that kind.")


def _keys(detail: ErrorDetails) -> list[int | str]:
    """Where the fault is, without what pydantic calls a union's part; a key that nobody knows may be called like one."""
    named = len(detail["loc"]) - 1 if detail["type"] == "extra_forbidden" else -1
    return [part for number, part in enumerate(detail["loc"]) if number == named or isinstance(part, int) or "[" not in part]


def _is_secret(model: type[BaseModel] | None, loc: Sequence[str | int]) -> bool:
    """Whether what stands there is a secret, or stands inside one."""
    for part in loc:
        field = model.model_fields.get(str(part)) if model else None
        kinds = list(_kinds(field.annotation)) if field else []
        if SecretStr in kinds:
            return True
        model = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
    return False


def _kinds(annotation: Any) -> Iterator[Any]:
    """The types that an annotation is made of."""
    yield annotation
    for inner in get_args(annotation):
        yield from _kinds(inner)


def _near(key: str, model: type[BaseModel] | None) -> str:
    known = list(model.model_fields) if model else []
    close = difflib.get_close_matches(key, known, 1)
    if close:
        return f"Write `{close[0]}`?"
    return f"Write one of: {', '.join(known)}." if known else "Remove it, or correct its name."


def _shown(value: Any) -> str:
    """For people and logs: no values of a mapping and no password of an address, for there may be secrets among them."""
    if isinstance(value, Mapping):
        return f"a mapping of {', '.join(map(str, value)) or 'nothing'}"
    text = _ASKED.sub(r"\1****", _PASSWORD.sub(r"\1****@", repr(value)))
    return text if len(text) <= 60 else text[:57] + "..."
