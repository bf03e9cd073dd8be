"""Python functions by name: from the deployment's own folder or a package, their faults dead letters that name them."""

from __future__ import annotations

from pathlib import Path

import pytest
from connector_world import CSV, MAPPING, NOW, connector, row

from connectors.config import Connector
from connectors.mapping import Rejection
from schemas.envelope import Event
from schemas.problem import ProblemsError

PEOPLE = """
from dataclasses import dataclass

@dataclass
class Person:
    name: str

def clean(text):
    if text == "nobody":
        raise ValueError("nobody is no person")
    if text == "object":
        return Person(text)
    return {"crash": lambda: 1 / 0}.get(text, lambda: text.removesuffix("同志"))()

def both(who, number):
    return f"{who or '-'}/{number}"
"""


def made(folder: Path, column: str = '{python: "functions.people:clean"}', more: str = "") -> Connector:
    (folder / "functions").mkdir(exist_ok=True)
    (folder / "functions/people.py").write_text(PEOPLE, "utf-8")
    return connector(folder, CSV, MAPPING.replace("who: {}", f"who: {column}\n{more}"))


def given(found: Connector, who: str | None) -> list[Event] | Rejection:
    return found.mapping.translate(row(id="1", case_no="C1", at="2025-06-01 09:00:00", who=who), NOW)


def actor(found: Connector, who: str | None) -> object:
    events = given(found, who)
    assert isinstance(events, list), events
    return events[0].header["actor"]


def test_a_function_takes_the_cleaned_value(tmp_path: Path) -> None:
    """Trimmed first, typed after; of nothing it is not asked."""
    found = made(tmp_path)
    assert actor(found, " 张三同志 ") == {"value": "张三"}
    assert actor(found, "") is None
    assert found.functions == ["functions.people:clean"]


def test_a_function_takes_other_columns(tmp_path: Path) -> None:
    """In the order they are named, missing ones as None; the columns may stand below."""
    found = made(tmp_path, '{python: "functions.people:both", of: [name, case_no]}', "  name: {from: who}")
    assert actor(found, "张三") == {"value": "张三/C1"}
    assert actor(found, None) == {"value": "-/C1"}


def test_a_function_of_an_installed_package(tmp_path: Path) -> None:
    """By its full name."""
    assert actor(made(tmp_path, '{python: "html:unescape"}'), "A&amp;B") == {"value": "A&B"}


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("nobody", "functions.people:clean failed: nobody is no person."),
        ("crash", "functions.people:clean failed: ZeroDivisionError: division by zero."),
        ("object", "functions.people:clean gave a Person."),
    ],
)
def test_a_function_that_fails_refuses_the_row(tmp_path: Path, who: str, told: str) -> None:
    """With its name, what it said, the column and its line."""
    found = given(made(tmp_path), who)
    assert isinstance(found, Rejection)
    assert (found.reason, found.field, found.where) == ("function_failed", "who", "connectors/dep.yaml:9")
    assert told in found.text


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (
            '{python: "functions.people:wash"}',
            "there is no function `functions.people:wash`. Write python: functions.people:clean",
        ),
        ('{python: "functions.nobody:clean"}', "the module functions.nobody cannot be loaded (FileNotFoundError"),
        ('{python: "no_such_package.x:clean"}', "the module no_such_package.x cannot be loaded (ModuleNotFoundError"),
        ('{python: "functions.people:both", of: [name]}', "of: names `name`, which is no column read before"),
        ("{python: clean}", "dep.yaml:9: `columns.who.python` is"),
        ("{of: [id]}", "of: names the columns that python: takes, instead of from: and value:"),
    ],
)
def test_a_function_that_is_none_is_told_when_the_file_is_read(tmp_path: Path, column: str, told: str) -> None:
    """With the line and what to write."""
    with pytest.raises(ProblemsError) as caught:
        made(tmp_path, column)
    assert "dep.yaml:9: " in str(caught.value)
    assert told in str(caught.value)


def test_a_changed_file_is_read_anew_and_two_deployments_keep_theirs_apart(tmp_path: Path) -> None:
    """The name in the process is made of place and content."""
    before = made(tmp_path)
    (tmp_path / "functions/people.py").write_text("def clean(text):\n    return text + '!'\n", "utf-8")
    mapping = MAPPING.replace("who: {}", 'who: {python: "functions.people:clean"}')
    assert actor(connector(tmp_path, CSV, mapping), "张三") == {"value": "张三!"}
    assert actor(before, "张三") == {"value": "张三"}
