"""Licences of what a user gets, held against `licences.toml`: what is allowed, and under which licence each part is used.

The table was read by people. What a package says of itself stands beside (`says`), so that a change of licence is noticed
when a newer version is locked.
"""

from __future__ import annotations

import re
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from schemas.problem import Problem

TABLE = Path(__file__).with_name("licences.toml")


class Licence(NamedTuple):
    """`uses`: SPDX ids, all of which bind us (where a part offers several, the one that was chosen). `says`: its own words."""

    uses: list[str]
    says: str


class Table(NamedTuple):
    """`licences.toml`. `allowed` gives each SPDX id the reason why it may be in the product."""

    allowed: Mapping[str, str]
    packages: Mapping[str, Licence]
    jars: Mapping[str, Licence]


def table(path: Path = TABLE) -> Table:
    read = tomllib.loads(path.read_text("utf-8"))
    packages, jars = ({name: Licence(**one) for name, one in read[part].items()} for part in ("packages", "jars"))
    return Table(read["allowed"], packages, jars)


def faults(found: Mapping[str, str | None], known: Mapping[str, Licence], allowed: Mapping[str, str]) -> Iterator[Problem]:
    """Of each part by name, with what it says of its licence (None where it is not here to be asked)."""
    for name, says in sorted(found.items()):
        licence = known.get(name)
        if licence is None:
            yield Problem(name, f"has no line in {TABLE.name}; it says {says!r}", "Read its licence, then write the line.")
        elif says is not None and says != licence.says:
            changed = f"says {says!r} of its licence now, no longer {licence.says!r}"
            yield Problem(name, changed, "Read its licence anew, then correct the line.")
        elif wrong := [one for one in licence.uses if one not in allowed] or not licence.uses:
            yield Problem(name, f"comes under {wrong or 'nothing'}, which is not allowed", "Do without it.")
    for name in sorted(set(known) - set(found)):
        yield Problem(name, f"has a line in {TABLE.name} and is no longer locked", "Remove the line.")


def of_package(name: str) -> str | None:
    """The licence in a package's own words: its SPDX expression, else its field, else its classifiers. None: not installed."""
    try:
        said = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    expression, field, classifiers = (said.get_all(name) or [] for name in ("License-Expression", "License", "Classifier"))
    named = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License")]
    return "".join(expression) or _line("".join(field)) or "; ".join(named)


def of_jar(path: Path) -> str:
    """The licence in a jar's own words: its manifest's, else the first words of the text in it, else nothing."""
    with zipfile.ZipFile(path) as jar:
        names = set(jar.namelist())
        manifest = _text(jar, "META-INF/MANIFEST.MF", names).replace("\r", "").replace("\n ", "")
        if said := re.search(r"^Bundle-License: *(.+)$", manifest, re.MULTILINE):
            return said[1].strip()
        texts = [name for name in ("LICENSE", "META-INF/LICENSE", "META-INF/LICENSE.txt") if name in names]
        return _line(_text(jar, texts[0], names)) if texts else ""


def _text(jar: zipfile.ZipFile, name: str, names: set[str]) -> str:
    return jar.read(name).decode("utf-8", "replace") if name in names else ""


def _line(text: str) -> str:
    """The first words of what may be a whole licence."""
    return " ".join(text.split())[:60].strip()
