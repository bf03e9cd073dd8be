"""A folder as a registry: what it finds, and what it says of a file that breaks the rule."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from bus import discover as seam
from bus.discover import discover
from bus.errors import ConfigurationError


@dataclass(frozen=True)
class Tool:
    name: str


#: What an installed package would give by entry point.
saw = Tool("saw")
rake = Tool("rake")

Folder = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    """Makes a package of the given files and tells its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(**files: str) -> str:
        name = f"tools_{tmp_path.name}"
        place = tmp_path / name
        place.mkdir()
        (place / "__init__.py").touch()
        for file, text in files.items():
            (place / f"{file}.py").write_text(f"from {__name__} import Tool\n{text}", "utf-8")
        return name

    # The test module is what the files import, whatever name pytest gave it.
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    return make


def test_each_file_gives_the_object_of_its_name(folder: Folder) -> None:
    """Two files, two tools, in the order of their names; the class they import does not count, nor what is private."""
    name = folder(spade='it = Tool("spade")\n_spare = Tool("spare")', axe='axe = Tool("axe")', _helper="1 / 0")
    assert discover(name, Tool) == {"axe": Tool("axe"), "spade": Tool("spade")}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "axe.py must define exactly one public Tool; it has none."),
        ('a = Tool("axe")\nb = Tool("hoe")', "axe.py must define exactly one public Tool; it has a, b."),
        ('a = Tool("hoe")', "axe.py defines `hoe`; its name must be `axe`. Rename one of them."),
        ("1 / 0", "axe cannot be imported: ZeroDivisionError: division by zero"),
    ],
)
def test_a_file_that_breaks_the_rule_is_named_with_what_is_wrong(folder: Folder, text: str, said: str) -> None:
    """Nobody should have to search a folder for the file that is at fault."""
    with pytest.raises(ConfigurationError) as caught:
        discover(folder(axe=text), Tool)
    assert str(caught.value).endswith(said)


def test_the_same_object_under_two_names_counts_once(folder: Folder) -> None:
    """An alias is no second tool."""
    assert list(discover(folder(axe='axe = hatchet = Tool("axe")'), Tool)) == ["axe"]


def _installed(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    entries = EntryPoints(EntryPoint(name, value, "casebus.tools") for name, value in values.items())
    monkeypatch.setattr(seam, "entry_points", lambda group: entries.select(group=group))


def test_installed_packages_add_theirs(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point gives an object of the kind under its own name."""
    _installed(monkeypatch, saw=f"{__name__}:saw")
    assert list(discover(folder(axe='a = Tool("axe")'), Tool, "casebus.tools")) == ["axe", "saw"]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("axe", f"{__name__}:saw", "adds `axe`, which there is already"),
        ("hoe", f"{__name__}:rake", "defines `rake`; its name must be `hoe`"),
        ("hoe", f"{__name__}:Folder", "no Tool. Repair or uninstall it."),
        ("hoe", "no_such_module_anywhere", "cannot be used: ModuleNotFoundError"),
    ],
)
def test_an_installed_package_that_does_not_fit_is_named(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    """The sentence names the entry point, for whoever must uninstall or repair the package."""
    _installed(monkeypatch, **{name: value})
    with pytest.raises(ConfigurationError, match=f"casebus.tools: {name} = ") as caught:
        discover(folder(axe='a = Tool("axe")'), Tool, "casebus.tools")
    assert said in str(caught.value)
