"""Publish a changed contract: `python -m schemas.freeze` copies it to the next number in `history/` and lists its digest.

A tool of the developers. Tests refuse a changed `.avsc` that is not frozen, a frozen one that changed, and a version that
the others cannot read.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from schemas.contract import ROOT


def freeze(root: Path = ROOT) -> list[str]:
    """Freeze what is new or changed; returns the versions made, as `Name/number.avsc`."""
    history = root / "history"
    made = [name for path in sorted(root.glob("avro/**/*.avsc")) if (name := _frozen(path, history))]
    sums = (
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(history).as_posix()}\n"
        for path in _versions(history)
    )
    if made:
        (history / "SHA256SUMS").write_text("".join(sums), "utf-8")
    return made


def _frozen(path: Path, history: Path) -> str:
    """The version that this contract became; empty where its newest one says the same."""
    folder = history / path.stem
    numbers = sorted(int(known.stem) for known in folder.glob("*.avsc"))
    if numbers and (folder / f"{numbers[-1]}.avsc").read_bytes() == path.read_bytes():
        return ""
    folder.mkdir(parents=True, exist_ok=True)
    version = folder / f"{numbers[-1] + 1 if numbers else 1}.avsc"
    version.write_bytes(path.read_bytes())
    return version.relative_to(history).as_posix()


def _versions(history: Path) -> list[Path]:
    return sorted(history.glob("*/*.avsc"), key=lambda path: (path.parent.name, int(path.stem)))


if __name__ == "__main__":
    sys.stdout.write(f"frozen: {', '.join(freeze()) or 'nothing'}\n")
