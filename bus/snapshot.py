"""The data of the embedded Kafka as they stood at one moment, taken while it runs or while it does not.

A copy file by file of a Kafka that goes on writing would hold each partition as of another moment: a transaction in one,
not yet in the next. So its processes are held still (SIGSTOP) while the files are taken, which is what `kill -9` at that
moment would have left on the disk, and from that Kafka and everything of ours comes back exactly once (docs/trust.md).
Held still are they for a fraction of a second, however much there is: large files are only ever appended to, so a second
name (hard link) and their length are enough, and they are read afterwards.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from bus.errors import ConfigurationError, RetryError
from bus.node import locked

#: Seconds that Kafka may be held still: longer, and members are thrown out of their groups.
LONGEST = 5.0
#: Bytes from which on a file is given a second name and is not copied at once.
LARGE = 1 << 20
#: Lets the processes go on when it is told to, when whoever held them has died, and at the latest after LONGEST.
_RELEASE = """
import os, select, signal, sys
os.write(1, b".")
select.select([0], [], [], float(sys.argv[1]))
for pid in sys.argv[2:]:
    try:
        os.kill(int(pid), signal.SIGCONT)
    except OSError:
        pass
"""
#: What Kafka makes anew, and what it is about to delete.
_LEFT_OUT = frozenset({".lock"})
_GONE = ".deleted"
#: The folder of a copy in the making, with its process id.
_SCRATCH = ".copy-"
_INDEXES = frozenset({".index", ".timeindex"})


class Piece(NamedTuple):
    """A file of the copy: its name in the broker's folder, where its bytes are, and how many of them belong to it."""

    name: str
    place: Path
    size: int


class Taken(NamedTuple):
    """Everything of one moment. `held` is how long Kafka stood still, in seconds; 0 where it did not run."""

    pieces: list[Piece]
    held: float


@contextmanager
def taken(directory: Path) -> Iterator[Taken]:
    """The files of the broker in this directory, until the end of the block.

    Raises ConfigurationError where there are none or they are another user's, RetryError where it could not be done now.
    """
    home = directory.resolve()
    if not (home / "cluster.json").exists():
        raise ConfigurationError(f"There is no embedded Kafka in {directory} yet. Run casebus up first.")
    _sweep(home)
    scratch = home / f"{_SCRATCH}{os.getpid()}"
    try:
        with _still(home) as since:
            pieces = list(_take(home, scratch, running=since is not None))
            held = time.monotonic() - since if since is not None else 0.0
        if held > 0.9 * LONGEST:  # whoever lets it go began to count a little earlier
            raise RetryError(f"Kafka was held still for {held:.1f} s and may have gone on meanwhile. Take the copy again.")
        yield Taken(pieces, held)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _sweep(home: Path) -> None:
    """What is left of copies that were killed: second names keep what Kafka has deleted."""
    for left in home.glob(f"{_SCRATCH}*"):
        if not Path(f"/proc/{left.name.removeprefix(_SCRATCH)}").exists():
            shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _still(home: Path) -> Iterator[float | None]:
    """Since when (`time.monotonic`) a running Kafka is held still; None where none runs, and nobody can start it."""
    with (home / "owner.lock").open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with _stopped(_processes(home)) as since:
                yield since
        else:
            if any(locked(data / ".lock") for data in home.glob("node-*/data")):
                raise RetryError("Kafka is just ending: whoever ran it was killed a moment ago. Take the copy again.")
            yield None


def _processes(home: Path) -> list[int]:
    """The processes of the Kafka that runs, by its owner's word."""
    with suppress(json.JSONDecodeError):
        said = json.loads((home / "owner.lock").read_text("ascii"))
        if said["bootstrap"] and said.get("nodes"):
            return [int(pid) for pid in said["nodes"]]
    raise RetryError(f"The Kafka in {home} is just starting, or an older version of casebus runs it. Wait, or start it again.")


@contextmanager
def _stopped(processes: list[int]) -> Iterator[float]:
    command = [sys.executable, "-I", "-S", "-c", _RELEASE, str(LONGEST), *map(str, processes)]
    guard = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)  # noqa: S603 - our own command
    assert guard.stdin  # noqa: S101 - pipes were asked for
    assert guard.stdout  # noqa: S101 - as above
    try:
        guard.stdout.read(1)  # it is ready to let them go before anybody is held
        since = time.monotonic()
        for pid in processes:
            _stop(pid)
        _until_stopped(processes)
        yield since
    finally:
        guard.stdin.close()
        guard.wait()
        guard.stdout.close()


def _stop(pid: int) -> None:
    try:
        ours = b"kafka.Kafka" in Path(f"/proc/{pid}/cmdline").read_bytes()
        if ours:
            os.kill(pid, signal.SIGSTOP)
    except (FileNotFoundError, ProcessLookupError):
        ours = False
    except PermissionError as error:
        raise ConfigurationError("The Kafka belongs to another user. Take the copy as that user.") from error
    if not ours:
        raise RetryError(
            f"There is no Kafka with process id {pid} here: it has ended, or runs in another container. Take the copy there."
        )


def _until_stopped(processes: list[int]) -> None:
    """A thread that waits for the disk stops when the disk has answered."""
    deadline = time.monotonic() + LONGEST / 2
    while any(_works(pid) for pid in processes):
        if time.monotonic() > deadline:
            raise RetryError("Kafka could not be held still: the disk is too busy. Take the copy again later.")
        time.sleep(0.005)


def _works(pid: int) -> bool:
    """Whether any thread of the process is not stopped yet (proc(5), the state after the command's name)."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if stat.read_text("utf-8", "replace").rpartition(")")[2].split()[0] not in "TtZX":
                return True
    return False


def _take(home: Path, scratch: Path, *, running: bool) -> Iterator[Piece]:
    several = len(list(home.glob("node-*"))) > 1
    yield _one(home / "cluster.json", home, scratch, linked=False)
    for data in sorted(home.glob("node-*/data")):
        for folder, _, names in os.walk(data):
            yield from _folder(Path(folder), names, (home, scratch), running=running, several=several)


def _folder(folder: Path, names: list[str], between: tuple[Path, Path], *, running: bool, several: bool) -> Iterator[Piece]:
    """One partition. Indexes of the segment that is being written are maps with room to spare: Kafka makes them anew.

    Of several nodes one that follows may cut the end of that segment off again, so there it is copied at once.
    """
    active = max((name for name in names if name.endswith(".log")), default="").removesuffix(".log") if running else ""
    for name in sorted(names):
        stem, dot, suffix = name.partition(".")
        if name in _LEFT_OUT or name.endswith(_GONE) or (stem == active and dot + suffix in _INDEXES):
            continue
        yield _one(folder / name, *between, linked=not (several and stem == active))


def _one(file: Path, home: Path, scratch: Path, *, linked: bool) -> Piece:
    name = file.relative_to(home)
    place = scratch / name
    place.parent.mkdir(parents=True, exist_ok=True)
    size = file.stat().st_size
    if not (linked and size > LARGE and _linked(file, place)):
        shutil.copyfile(file, place)
    return Piece(name.as_posix(), place, size)


def _linked(file: Path, place: Path) -> bool:
    """False on a disk that knows no second names."""
    try:
        os.link(file, place)
    except OSError:
        return False
    return True
