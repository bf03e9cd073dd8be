"""The jars of Apache Kafka: which ones (`jars.lock`), fetched once into the user's cache, checked at every start.

`jgo` knows where jars come from and fetches them; a mirror of one's own goes into jgo's settings file
(`[repositories]`, name = address). jgo only warns on a wrong checksum, so each jar is held against the lock here
before anything may run it.

For maintainers: to move to another Kafka, change `ROOTS` and run `python -P -m bus.jars`; it resolves anew and writes
`jars.lock`. Look at the diff before it is committed: the lock is what everybody trusts from then on.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bus.errors import BusError, ConfigurationError, CorruptionError

if TYPE_CHECKING:
    from jgo.maven import MavenContext

#: What is asked for. Each root is resolved alone: together, the logging jar's parent would bend Kafka's own versions.
ROOTS = ("org.apache.kafka:kafka_2.13:4.3.1", "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4")

LOCK = Path(__file__).with_name("jars.lock")

#: Called with (done, all) before the first and after each fetched jar: "fetching Kafka 12/46 jars".
Progress = Callable[[int, int], None]

_HEADER = "# Jars of Apache Kafka: SHA-256, size in bytes, Maven path. Written by `python -P -m bus.jars`, not by hand.\n"
_SOCKET_TIMEOUT = 30  # seconds without a byte until a download counts as failed
_AT_ONCE = 6  # downloads side by side: most of the time goes to connecting


class Jar(NamedTuple):
    """One jar of the lock. `path` is its place in a Maven repository, from which its coordinates follow."""

    sha256: str
    size: int
    path: str

    @property
    def coordinates(self) -> tuple[str, str, str]:
        """Group, artifact, version."""
        *group, artifact, version, _file = self.path.split("/")
        return ".".join(group), artifact, version

    @property
    def kind(self) -> tuple[str, str]:
        """Classifier, empty for most, and packaging: `jar`, or `tar.gz` of a whole program."""
        _, artifact, version = self.coordinates
        rest = Path(self.path).name.removeprefix(f"{artifact}-{version}").removeprefix("-")
        classifier, _, packaging = rest.partition(".")
        return classifier, packaging


def locked(lock: Path = LOCK) -> list[Jar]:
    lines = lock.read_text("utf-8").splitlines()
    fields = (line.split() for line in lines if line and not line.startswith("#"))
    return [Jar(sha256, int(size), path) for sha256, size, path in fields]


def cache_folder() -> Path:
    """Where fetched things stay: `$XDG_CACHE_HOME/casebus`, else `~/.cache/casebus`, else a private folder in the temporary one.

    `HOME` may be missing or empty (services, cron): then the home of the user's account counts.
    """
    configured = os.environ.get("XDG_CACHE_HOME", "")
    if Path(configured).is_absolute():  # the XDG specification: a relative path is to be ignored
        return _usable(Path(configured) / "casebus")
    home = os.environ.get("HOME") or _account_home()
    try:
        return _usable(Path(home or "/nonexistent") / ".cache" / "casebus")
    except ConfigurationError:
        return _usable(Path(tempfile.gettempdir()) / f"casebus-{os.getuid()}")


def _account_home() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:  # a container's user without an entry
        return ""


def _usable(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The cache folder {folder} cannot be made ({error.strerror}). Set XDG_CACHE_HOME to a folder one can write."
        ) from error
    if folder.stat().st_uid != os.getuid() or not os.access(folder, os.W_OK):
        raise ConfigurationError(f"The cache folder {folder} is not this user's own. Set XDG_CACHE_HOME to a folder that is.")
    return folder


def fetch(progress: Progress | None = None, lock: Path = LOCK, cache: Path | None = None) -> list[Path]:
    """The class path: every jar of the lock, present and checked. Fetches what is missing.

    Raises ConfigurationError where a jar is missing and cannot be fetched, CorruptionError where what was fetched is not
    what the lock says.
    """
    folder = (cache or cache_folder()) / "jars"
    jars = locked(lock)
    if any(not _intact(folder / jar.path, jar) for jar in jars):
        with _one_at_a_time(folder):
            missing = [jar for jar in jars if not _intact(folder / jar.path, jar)]
            _fetch_all(missing, folder, _counted(progress, len(jars), len(missing)))
    return [folder / jar.path for jar in jars]


def _intact(file: Path, jar: Jar) -> bool:
    try:
        return file.stat().st_size == jar.size and _sha256(file) == jar.sha256
    except FileNotFoundError:
        return False


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Two processes that start together: one fetches, the other waits and then finds everything."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # the kernel lets go when this process dies, however it dies
        for leftover in folder.glob(".fetch-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        yield


def _counted(progress: Progress | None, total: int, missing: int) -> Callable[[], None]:
    done = total - missing
    if progress:
        progress(done, total)

    def advance() -> None:
        nonlocal done
        done += 1
        if progress:
            progress(done, total)

    return advance


def _fetch_all(jars: list[Jar], folder: Path, advance: Callable[[], None]) -> None:
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as scratch, ThreadPoolExecutor(_AT_ONCE) as pool:
        context = _context(Path(scratch))
        tasks = [pool.submit(_fetch_one, jar, folder, context) for jar in jars]
        try:
            for task in as_completed(tasks):
                task.result()
                advance()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _context(scratch: Path) -> MavenContext:
    from jgo.config import GlobalSettings
    from jgo.maven import MavenContext

    # What we check by SHA-256 and say in a sentence, jgo need not say too.
    logging.getLogger("jgo").setLevel(logging.ERROR)
    context = MavenContext(repo_cache=scratch, timeout=_SOCKET_TIMEOUT)
    try:
        context.remote_repos.update(GlobalSettings.load().repositories)
    except RuntimeError:  # no home, hence no settings file
        return context
    return context


def _fetch_one(jar: Jar, folder: Path, context: MavenContext) -> None:
    try:
        fetched = _downloaded(jar, context)
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo's "not found" is a RuntimeError
        raise _unreachable(jar, folder, context, error) from error
    if not _intact(fetched, jar):
        raise CorruptionError(
            f"{Path(jar.path).name} as fetched is not the one casebus was made with (SHA-256 {_sha256(fetched)}, expected "
            f"{jar.sha256}). It was not run. Try again; if it stays so, ask who runs the repository or the proxy."
        )
    target = folder / jar.path
    target.parent.mkdir(parents=True, exist_ok=True)
    fetched.replace(target)


def _downloaded(jar: Jar, context: MavenContext) -> Path:
    group, artifact, version = jar.coordinates
    wanted = context.project(group, artifact).at_version(version).artifact(*jar.kind)
    try:
        return Path(wanted.resolve())
    except OSError:  # one broken connection among ninety should not end it
        if wanted.cached_path:
            wanted.cached_path.unlink(missing_ok=True)  # jgo would take the half file for the whole
        return Path(wanted.resolve())


def _unreachable(jar: Jar, folder: Path, context: MavenContext, error: OSError | RuntimeError) -> ConfigurationError:
    places = ", ".join(context.remote_repos.values())
    cause = "it is not there" if isinstance(error, RuntimeError) else error.strerror or type(error).__name__
    return ConfigurationError(
        f"Kafka's jars are not all in {folder} yet, and {Path(jar.path).name} cannot be fetched from {places} ({cause}). Connect "
        "this machine once, name a mirror in jgo's settings file, or copy that folder from a machine that has it."
    )


def resolve(roots: Iterable[str] = ROOTS) -> list[Jar]:
    """What the roots need today, by asking the repository. Only for writing the lock."""
    with tempfile.TemporaryDirectory() as scratch:
        context = _context(Path(scratch))
        found: dict[tuple[str, str], Jar] = {}
        for root in roots:
            for dependencies in context.resolver.resolve([context.create_dependency(root)]):
                for dependency in dependencies:
                    place = (dependency.groupId, dependency.artifactId)
                    if place not in found:  # the first root that names a jar decides its version
                        found[place] = _measured(dependency.artifact.resolve(), Path(scratch))
        return sorted(found.values(), key=lambda jar: jar.path)


def _measured(file: Path, repository: Path) -> Jar:
    return Jar(_sha256(file), file.stat().st_size, file.relative_to(repository).as_posix())


def write_lock(lock: Path = LOCK) -> list[Jar]:
    jars = resolve()
    if not jars:
        raise BusError(f"Nothing was resolved for {', '.join(ROOTS)}; {lock} stays as it is.")
    lock.write_text(_HEADER + "".join(f"{jar.sha256} {jar.size:>9} {jar.path}\n" for jar in jars), "utf-8")
    return jars


if __name__ == "__main__":
    written = write_lock()
    print(f"{LOCK}: {len(written)} jars, {sum(jar.size for jar in written):,} bytes")  # noqa: T201 - a maintainer's command
