"""`casebus init`: a deployment's folder to start from. It works as it stands: two small cases, one wrong row."""

from __future__ import annotations

import re
import shutil
import sys
from importlib.resources import as_file, files
from pathlib import Path

from bus.errors import ConfigurationError
from casebus.deployment import FILE


def run(folder: Path) -> int:
    """Raises ConfigurationError where the folder holds something, or is a file."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} is there already. Name a new folder: casebus init mycity.")
    with as_file(files("casebus") / "templates" / "init") as template:
        shutil.copytree(template, folder, dirs_exist_ok=True)
    head = folder / FILE
    text = head.read_text(encoding="utf-8")
    head.write_text(text.replace("name: mycity", f"name: {named(folder)}", 1), encoding="utf-8")
    sys.stdout.write(f"{folder} is there. Look at it, then: casebus check {folder} && casebus up {folder} --exit\n")
    return 0


def named(folder: Path) -> str:
    """The deployment's name from the folder's: lower case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", folder.absolute().name.lower()).strip("-") or "mycity"
