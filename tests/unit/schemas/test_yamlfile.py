"""YAML with lines: every fault is told where it stands."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, field_validator, model_validator

from schemas.problem import ProblemsError
from schemas.yamlfile import Map, Settings, load, validated, where


class Inner(Settings):
    port: int = 1
    name: str = ""


class Outer(Settings):
    title: str
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()


def loaded(folder: Path, text: str, **env: str) -> Map:
    (folder / "a.yaml").write_text(text, "utf-8")
    return load(folder / "a.yaml", env)


def told(folder: Path, text: str, **env: str) -> list[str]:
    with pytest.raises(ProblemsError) as error:
        loaded(folder, text, **env)
    return [str(problem).replace(f"{folder}/", "") for problem in error.value.problems]


def test_every_key_and_item_knows_its_line(tmp_path: Path) -> None:
    """Mappings, sequences, and what is nested in them; unknown paths give the nearest line."""
    node = loaded(tmp_path, "title: x\nmany:\n  - port: 1\n  - port: 2\n    name: y\n")
    assert where(node, ("many", 1, "name")) == f"{tmp_path}/a.yaml:5"
    assert where(node, ("many", 1)) == f"{tmp_path}/a.yaml:4"
    assert where(node, ("many", 7, "name")) == f"{tmp_path}/a.yaml:2"
    assert where(node, ("title", "none")) == f"{tmp_path}/a.yaml:1"
    assert where(node, ("nothing",)) == f"{tmp_path}/a.yaml:1"
    assert node["many"].where(0) == f"{tmp_path}/a.yaml:3"
    assert where({}, ("x",)) == "?"


def test_scalars_hold_no_surprises(tmp_path: Path) -> None:
    """Codes keep their zeros, hours stay text, on and off are words; dates, numbers and booleans are what they look like."""
    node = loaded(
        tmp_path,
        "a: 0123\nb: 12:30\nc: off\nd: 2026-01-02\ne: -5\nf: 1.5\ng: true\nh: null\ni:\nj: 1e3\non: x\nk: 2026-01-02T10:00\n",
    )
    assert list(node.values()) == [
        "0123",
        "12:30",
        "off",
        date(2026, 1, 2),
        -5,
        1.5,
        True,
        None,
        None,
        1000.0,
        "x",
        "2026-01-02T10:00",
    ]


def test_variables_of_the_environment_are_put_in(tmp_path: Path) -> None:
    """With a default, inside text, in lists; `$${` is a plain `${`."""
    node = loaded(tmp_path, 'a: "${HOST}:${PORT:-9092}"\nb: ["${NONE:-}"]\nc: "$${HOST}"\nd: $HOST\n', HOST="kafka")
    assert node == {"a": "kafka:9092", "b": [""], "c": "${HOST}", "d": "$HOST"}


def test_variables_that_are_not_set_are_told_together(tmp_path: Path) -> None:
    """Each with its line and both remedies."""
    assert told(tmp_path, "a: ${ONE}\nb: ${TWO}\n") == [
        "a.yaml:1: the environment has no ONE. Set ONE, or write ${ONE:-a default}.",
        "a.yaml:2: the environment has no TWO. Set TWO, or write ${TWO:-a default}.",
    ]


def test_a_default_may_hold_a_variable(tmp_path: Path) -> None:
    """An address whose folder can be set alone; what is missing inside is told."""
    text = "a: ${URL:-sqlite:///${FOLDER:-data}/a.db}\n"
    assert loaded(tmp_path, text)["a"] == "sqlite:///data/a.db"
    assert loaded(tmp_path, text, FOLDER="x")["a"] == "sqlite:///x/a.db"
    assert loaded(tmp_path, text, URL="y")["a"] == "y"
    assert told(tmp_path, "a: ${URL:-${FOLDER}}\n")[0].startswith("a.yaml:1: the environment has no FOLDER.")


def test_a_set_but_empty_variable_counts_only_without_a_default(tmp_path: Path) -> None:
    """As in a shell: `:-` covers empty too; without a default the empty value was meant."""
    assert loaded(tmp_path, "a: x${E:-d}\nb: x${E}\n", E="") == {"a": "xd", "b": "x"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [1\nb: 2\n", "a.yaml:2: no YAML"),
        ("a: 1\n  b: 2\n", "a.yaml:2: no YAML"),
        ("- 1\n- 2\n", "a.yaml:1: no mapping at the top"),
        ("", "a.yaml:1: no mapping at the top"),
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3: `a` stands twice, first in line 1"),
        ("a: &x [*x]\n", "a.yaml:1: no YAML: an anchor contains itself"),
        ("a: 2026-02-30\n", "a.yaml:1: 2026-02-30 is no date. Correct the day"),
        ("a: !!python/object:os.system x\n", "a.yaml:1: no YAML"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: no YAML"),
        ("a: \x07\n", "a.yaml:1: no YAML"),
    ],
)
def test_what_is_no_good_yaml_is_told_with_its_line(tmp_path: Path, text: str, problem: str) -> None:
    """Syntax, structure, repeated keys, endless anchors, dates that are none, tags that run code."""
    assert told(tmp_path, text)[0].startswith(problem), told(tmp_path, text)


def test_anchors_and_merge_keys_work(tmp_path: Path) -> None:
    """Own keys win over merged ones, also when an alias is used again."""
    node = loaded(tmp_path, "a: &a {x: 1, y: 2}\nb: &b\n  <<: *a\n  y: 3\nc: *b\nd:\n  <<: *b\n  z: 4\n")
    assert node["b"] == {"x": 1, "y": 3}
    assert node["c"] == node["b"]
    assert node["d"] == {"x": 1, "y": 3, "z": 4}


def test_json_is_read_too(tmp_path: Path) -> None:
    """Official calendars come as JSON."""
    assert loaded(tmp_path, '{"a": ["2026-01-01", 1],\n "b": null}') == {"a": ["2026-01-01", 1], "b": None}


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """Absent, a folder, another encoding."""
    (tmp_path / "gb.yaml").write_bytes("a: 渝".encode("gb18030"))
    for name, sentence in (("none.yaml", "the file is not there"), ("", "cannot be read"), ("gb.yaml", "not UTF-8 at byte 3")):
        with pytest.raises(ProblemsError, match=sentence):
            load(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("title: x\ninner:\n  port: many\n", "a.yaml:3: `inner.port` is 'many'. Write a whole number."),
        ("inner: {}\n", "a.yaml:1: `title` is missing. Add it."),
        ("title: x\ntitel: y\n", "a.yaml:2: `titel` is no key of this place. Write `title`?"),
        ("title: x\nzzz: y\n", "a.yaml:2: `zzz` is no key of this place. Write one of: title, inner, many."),
        ("title: x\nmany:\n  - port: 1\n  - prot: 1\n", "a.yaml:4: `many.1.prot` is no key of this place."),
        ("title: x\nmany: 5\n", "a.yaml:2: `many` is 5. Write a list: [a, b]."),
        ("title: x\ninner: 5\n", "a.yaml:2: `inner` is 5. Write `key: value` lines below it."),
        ("title: 5\n", "a.yaml:1: `title` is 5, not text. Put it in quotes."),
    ],
)
def test_values_that_do_not_fit_are_told_with_their_line(tmp_path: Path, text: str, problem: str) -> None:
    """Pydantic's faults in our words."""
    with pytest.raises(ProblemsError) as error:
        validated(Outer, loaded(tmp_path, text))
    assert str(error.value).replace(f"{tmp_path}/", "").startswith(problem)


class Login(Settings):
    url: str = ""
    token: SecretStr | list[SecretStr] | None = None

    @field_validator("token")
    @classmethod
    def _long(cls, token: object) -> object:
        if token is None:
            return token
        raise ValueError("too short")

    @model_validator(mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        if "url" in value and "token" not in value:
            raise ValueError("write token:")
        return value


class Gate(Settings):
    login: Login | None = None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("login: {token: 8724651}", "`login.token` is ****, not text. Put it in quotes."),
        ("login: {token: geheim}", "`login.token` is ****: too short. Write a value of that kind."),
        ("login: {token: [8724651]}", "`login.token` is ****, not text. Put it in quotes."),
        ("login: {url: 'sftp://u:geheim@h'}", "`login` is a mapping of url: write token:. Write a value of that kind."),
        ("login: 'sftp://u:geheim@h'", "`login` is 'sftp://u:****@h'. Write `key: value` lines below it."),
    ],
)
def test_no_secret_is_told_with_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    """Faults are printed, logged and sent on by mail; what they are about stays in its file."""
    with pytest.raises(ProblemsError) as error:
        validated(Gate, loaded(tmp_path, text))
    assert str(error.value).partition("a.yaml:1: ")[2].partition("\n")[0] == problem
    assert not any(secret in str(error.value) for secret in ("geheim", "8724651"))


def test_good_values_become_the_model(tmp_path: Path) -> None:
    """Defaults are filled and numbers in text are numbers."""
    model = validated(Outer, loaded(tmp_path, 'title: x\ninner: {port: "${P}"}\n', P="7"))
    assert (model.title, model.inner.port, model.many) == ("x", 7, ())
