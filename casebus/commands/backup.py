"""`casebus backup` and `casebus restore`: everything of a deployment that cannot be made again, in one file.

The order matters. Databases of the monitor and the page come first: a view that is behind Kafka reads on, one that is ahead
would miss what comes. The keys of sealed fields come last, for a key is there before its events are; and into a file of
their own, for whoever destroys a key must be able to destroy its copies too (docs/security.md).
"""

from __future__ import annotations

import glob
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from bus import snapshot
from bus.errors import ConfigurationError
from casebus import archive
from casebus.commands import output
from casebus.deployment import FILE, Deployment

EMBEDDED, ELSEWHERE = "embedded", "elsewhere"


def save(folder: Path, to: Path, keys_to: Path | None = None, *, as_json: bool) -> int:
    """Raises BusError where it cannot be done; then there is no file."""
    deployment = Deployment.load(folder)
    keys = _keys(deployment, keys_to)
    file = _named(to, deployment)
    _check_apart(file, keys, keys_to)
    kafka = deployment.settings.kafka.embedded
    head = {
        "format": archive.FORMAT,
        "casebus": version("casebus"),
        "name": deployment.settings.name,
        "made_at": datetime.now(deployment.zone).isoformat(timespec="seconds"),
        "settings": deployment.file,
        "kafka": EMBEDDED if kafka else ELSEWHERE,
    }
    with archive.Writer(file) as writer:
        writer.text(archive.HEAD, json.dumps(head, indent=1))
        _databases(writer, deployment)
        held = _kafka(writer, deployment) if kafka else 0.0
        without = {deployment.data.absolute(), file, keys, *_earlier(file, deployment)}
        without |= {keys_to.absolute()} if keys_to else set()
        left = writer.tree(archive.DEPLOYMENT, deployment.folder, frozenset(one for one in without if one))
        if keys and keys_to:
            archive.copied(keys, keys_to)
    left += [keys] if keys and not keys_to else []
    _tell(head | {"file": str(file), "files": writer.files, "held_seconds": round(held, 2)}, left, as_json=as_json)
    return 0


def _keys(deployment: Deployment, keys_to: Path | None) -> Path | None:
    """The file with the keys of sealed fields; None where there is none, or where they lie in a database elsewhere."""
    url = make_url(deployment.settings.sealing.url(deployment.folder))
    file = Path(url.database).absolute() if url.get_backend_name() == "sqlite" and url.database else None
    if file and file.is_file():
        return file
    if keys_to:
        raise ConfigurationError("There is no file of keys to copy: nothing is sealed, or the keys lie in a database elsewhere.")
    return None


def _named(to: Path, deployment: Deployment) -> Path:
    """The file to write: the one that is named, or one with the moment in its name in the folder that is named."""
    if not to.is_dir():
        if not to.absolute().parent.is_dir():
            raise ConfigurationError(f"There is no folder {to.absolute().parent}. Make it, or name another place with --to.")
        return to.absolute()
    moment = datetime.now(deployment.zone).strftime("%Y%m%dT%H%M%S")
    return to.absolute() / f"{deployment.settings.name}-{moment}.tar.gz"


def _check_apart(file: Path, keys: Path | None, keys_to: Path | None) -> None:
    """Raises ConfigurationError where one of the copies would take the place of something else."""
    if keys is None or keys_to is None:
        return
    if keys_to.is_dir() or not keys_to.absolute().parent.is_dir():
        raise ConfigurationError(f"--keys-to {keys_to} is a folder, or lies in one that is not there. Name a file.")
    if keys_to.absolute() == file or (keys_to.exists() and keys_to.samefile(keys)):
        raise ConfigurationError(f"--keys-to {keys_to} is the file of keys itself, or the backup. Name another file.")


def _earlier(file: Path, deployment: Deployment) -> set[Path]:
    """Backups beside this one: where their folder lies in the deployment, each would hold all that were made before it."""
    return set(file.parent.glob(f"{glob.escape(deployment.settings.name)}-[0-9]*T[0-9]*.tar.gz"))


def _databases(writer: archive.Writer, deployment: Deployment) -> None:
    """What else lies in `data`: the view, who may see the page, what they looked at."""
    if not deployment.data.is_dir():
        return
    for path in sorted(deployment.data.iterdir()):
        if path.is_file() and path.suffix == ".db":
            writer.file(f"{archive.DATA}{path.name}", path)


def _kafka(writer: archive.Writer, deployment: Deployment) -> float:
    """Returns for how long Kafka stood still, in seconds."""
    with snapshot.taken(deployment.data / "kafka") as taken:
        for piece in taken.pieces:
            writer.file(f"{archive.DATA}kafka/{piece.name}", piece.place, piece.size)
        return taken.held


def _tell(said: Mapping[str, Any], left: list[Path], *, as_json: bool) -> None:
    if as_json:
        output.as_json({**said, "left_out": [str(path) for path in left]})
        return
    size = Path(said["file"]).stat().st_size
    still = f" Kafka stood still for {said['held_seconds']:g} s." if said["held_seconds"] else ""
    sys.stdout.write(f"{said['file']}: {said['files']:,} files, {size / 1e6:,.1f} MB.{still}\n")
    if said["kafka"] == ELSEWHERE:
        sys.stdout.write("The topics are not in it: they are your Kafka's matter (docs/operate.md, Back up and restore).\n")
    for path in left:
        why = "it holds keys; --keys-to FILE copies them apart" if path.is_file() else "it is no file, or a link to a folder"
        sys.stderr.write(f"casebus: {path} is not in it: {why}.\n")


def restore(file: Path, folder: Path) -> int:
    """Nothing is written over: what is there already is refused. Until all is verified, nothing has its name."""
    target = folder.absolute()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigurationError(f"{folder} is there already. Name a new folder: casebus restore {file} FOLDER.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=target.parent) as scratch:
        head = archive.unpack(file, Path(scratch))
        _place(Path(scratch), target, str(head.get("settings", FILE)))
    sys.stdout.write(_next(head, folder))
    return 0


def _place(scratch: Path, target: Path, settings: str) -> None:
    """The data go where the settings say: a relative folder is below the new one."""
    source = scratch / archive.DEPLOYMENT
    data = target / Deployment.load(source / settings).settings.data
    if data.exists() and not data.is_relative_to(target):
        raise ConfigurationError(
            f"{data}, which `data:` in {settings} names, is there already. Move it away, then restore again."
        )
    if target.exists():
        target.rmdir()
    source.rename(target)
    if (scratch / archive.DATA).is_dir():
        data.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(scratch / archive.DATA, data)


def _next(head: Mapping[str, Any], folder: Path) -> str:
    said = f"{head['name']}, as it stood at {head['made_at']}, is in {folder}.\n"
    if head["kafka"] == ELSEWHERE:
        said += "Its topics are not: put Kafka back first (docs/operate.md, Back up and restore).\n"
    return said + (
        "Where the former one can still run, end it for good first: both would read the sources and deliver.\n"
        f"Then: casebus check {folder} && casebus up {folder}, and casebus audit {folder} once it has caught up.\n"
    )
