"""What is locked is audited: hashes, licences, and known vulnerabilities by a service that speaks OSV's API."""

from __future__ import annotations

import ast
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

from supply import advisories, licences
from supply.__main__ import locks, main
from supply.advisories import CANARIES, Accepted, Known, ServiceError
from supply.licences import Licence
from supply.locked import Lock, Part

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "uv.lock"
BAD = Part("PyPI", "requests", "2.0.0")


class Service:
    """OSV, as far as it is asked: `knows` gives the ids of a part, `answer` may spoil what is sent."""

    def __init__(self) -> None:
        self.knows: dict[Part, list[str]] = {canary: ["OSV-CANARY"] for canary in CANARIES}
        self.answer: Callable[[dict[str, Any]], bytes] = lambda value: json.dumps(value).encode()
        self.asked: list[Part] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                read = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200 if self.path == "/v1/querybatch" else 404)
                self.end_headers()
                self.wfile.write(service.answer(service.told(read["queries"])))

            def log_message(self, *_: Any) -> None:
                """Nothing: the test's output is its own."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def told(self, queries: list[dict[str, Any]]) -> dict[str, Any]:
        parts = [Part(one["package"]["ecosystem"], one["package"]["name"], one["version"]) for one in queries]
        self.asked += parts
        results = [{"vulns": [{"id": one} for one in self.knows[part]]} if part in self.knows else {} for part in parts]
        return {"results": results}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def service() -> Iterator[Service]:
    made = Service()
    yield made
    made.close()


def test_everything_that_is_locked_is_asked_and_a_clean_answer_ends_well(service: Service, capsys: Any) -> None:
    """The real locks: packages and jars, of the product and of its tests; licences and hashes hold."""
    assert main(["--service", service.url, "--require"]) == 0, capsys.readouterr().out
    assert {*Lock(LOCK).parts()} <= {*service.asked}
    assert any(part.name == "org.apache.kafka:kafka-clients" for part in service.asked)
    assert any(part.name == "io.debezium:debezium-connector-postgres" for part in service.asked)
    assert ", 0 found" in capsys.readouterr().out


def test_a_vulnerability_fails_with_where_to_read_about_it(service: Service, capsys: Any) -> None:
    """One of a package, one of a jar."""
    package = next(part for part in Lock(LOCK).parts() if part.name == "starlette")
    jar = Part("Maven", "org.yaml:snakeyaml", "2.5")
    service.knows |= {package: ["PYSEC-1"], jar: ["GHSA-2"]}
    assert main(["--service", service.url]) == 1
    said = capsys.readouterr().out
    assert f"{package}: PYSEC-1: https://osv.dev/vulnerability/PYSEC-1. Lock a version without it" in said
    assert "org.yaml:snakeyaml 2.5: GHSA-2" in said


def test_who_knows_nothing_is_not_believed(service: Service) -> None:
    """A mirror that answers `none` for everything would make every audit clean."""
    service.knows.clear()
    with pytest.raises(ServiceError, match=r"log4j-core 2\.14\.1.* proves nothing"):
        advisories.known([BAD], service.url)


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", b'{"results": []}', b"<html>Sign in</html>"])
def test_an_answer_that_is_none_is_no_clean_audit(service: Service, answer: bytes) -> None:
    """Proxies answer too."""
    service.answer = lambda _: answer
    with pytest.raises(ServiceError):
        advisories.known([BAD], service.url)


def test_where_nobody_answers_it_is_said_and_fails_where_it_is_required(capsys: Any) -> None:
    """Nothing listens there. `file:` would be read from the disk."""
    assert main(["--service", "http://127.0.0.1:1"]) == 0
    assert "NOT AUDITED for vulnerabilities: http://127.0.0.1:1" in capsys.readouterr().out
    assert main(["--service", "http://127.0.0.1:1", "--require"]) == 75
    assert main(["--service", f"file://{LOCK}", "--require"]) == 75


def test_what_is_borne_is_borne_until_a_day_and_only_while_it_is_there() -> None:
    """An exception is somebody's word with an end, not a switch."""
    borne = [Accepted("PYSEC-1", "requests", "never called with a proxy", date(2026, 6, 1))]
    found = [Known(BAD, "PYSEC-1")]
    assert list(advisories.faults(found, borne, date(2026, 6, 1))) == []
    (late,) = advisories.faults(found, borne, date(2026, 6, 2))
    assert "PYSEC-1, which was borne until 2026-06-01" in str(late)
    (other,) = advisories.faults([*found, Known(BAD, "PYSEC-2")], borne, date(2026, 6, 1))
    assert "PYSEC-2" in str(other)
    (idle,) = advisories.faults([], borne, date(2026, 6, 1))
    assert "no longer there" in str(idle)


def test_the_exceptions_in_the_file_are_complete(tmp_path: Path) -> None:
    """The file that is shipped reads; one without a reason does not."""
    assert all(one.why for one in advisories.accepted())
    file = tmp_path / "accepted.toml"
    file.write_text('[[accepted]]\nid = "PYSEC-1"\npackage = "requests"\nuntil = 2026-06-01\n', "utf-8")
    with pytest.raises(advisories.ProblemsError, match="Write id, package, why, until"):
        advisories.accepted(file)


@pytest.mark.parametrize(
    ("source", "file", "said"),
    [
        ('{ registry = "https://pypi.org/simple" }', '{ url = "https://x/a.whl", size = 3 }', "without a SHA-256"),
        ('{ git = "https://x/a.git" }', '{ url = "https://x/a.whl", hash = "sha256:00" }', "comes from git"),
    ],
)
def test_what_could_be_another_tomorrow_is_told(tmp_path: Path, source: str, file: str, said: str) -> None:
    """A file without a hash, and a source that is no release."""
    lock = tmp_path / "uv.lock"
    product = '[[package]]\nname = "casebus"\nversion = "1"\nsource = { editable = "." }\ndependencies = [{ name = "a" }]\n'
    lock.write_text(f'{product}[[package]]\nname = "a"\nversion = "1"\nsource = {source}\nwheels = [{file}]\n', "utf-8")
    (found,) = Lock(lock).faults()
    assert said in str(found)


def test_extras_of_what_is_needed_are_shipped_and_tools_are_not(tmp_path: Path) -> None:
    """`b[fast]` brings `c`; `b[slow]` is nobody's wish; `pytest` is the developers'."""
    lock = tmp_path / "uv.lock"
    head = '[[package]]\nname = "{}"\nversion = "1"\nsource = {{ registry = "x" }}\n'
    lock.write_text(
        '[[package]]\nname = "casebus"\nversion = "1"\nsource = { editable = "." }\n'
        'dependencies = [{ name = "b", extra = ["fast"] }]\noptional-dependencies = { sql = [{ name = "e" }] }\n'
        + head.format("b") + 'optional-dependencies = { fast = [{ name = "c" }], slow = [{ name = "d" }] }\n'
        + "".join(head.format(name) for name in ("c", "d", "e", "pytest")),
        "utf-8",
    )  # fmt: skip
    assert Lock(lock).shipped() == {"b", "c", "e"}


ALLOWED = {"MIT": "permissive"}


@pytest.mark.parametrize(
    ("says", "known", "said"),
    [
        ("MIT", {}, "has no line"),
        ("AGPL-3.0", {"a": Licence(["MIT"], "MIT")}, "says 'AGPL-3.0' of its licence now"),
        ("MIT", {"a": Licence(["MIT", "AGPL-3.0-only"], "MIT")}, "AGPL-3.0-only.* not allowed"),
        (None, {"a": Licence([], "")}, "not allowed"),
        ("MIT", {"a": Licence(["MIT"], "MIT"), "b": Licence(["MIT"], "MIT")}, "no longer locked"),
    ],
)
def test_a_licence_that_nobody_read_or_allowed_is_told(says: str | None, known: dict[str, Licence], said: str) -> None:
    """New, changed, forbidden, unread, gone."""
    (found,) = licences.faults({"a": says}, known, ALLOWED)
    assert re.search(said, str(found))


def test_no_licence_that_binds_the_whole_product_is_allowed() -> None:
    """Only Java's own GPL, which leaves alone what merely runs on it."""
    allowed = licences.table().allowed
    assert [one for one in allowed if one.startswith(("AGPL", "GPL"))] == ["GPL-2.0-only WITH Classpath-exception-2.0"]


def test_the_product_imports_nothing_but_what_it_ships() -> None:
    """What only developers have (PM4Py is AGPL) would be missed at the user's, or bind him."""
    ours = {"bus", "casebus", "connectors", "monitor", "router", "schemas"}
    known, shipped = packages_distributions(), Lock(LOCK).shipped()
    for path in (path for name in ours for path in (ROOT / name).rglob("*.py")):
        for module in _imported(path) - ours - set(sys.stdlib_module_names):
            names = {name.lower().replace("_", "-") for name in known.get(module, [])}
            assert names & shipped, f"{path.relative_to(ROOT)} imports {module}"


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_every_lock_of_jars_that_stands_in_the_tree_is_asked_about() -> None:
    """What benches and tests run beside the product as well."""
    there = (file for top in ROOT.iterdir() if top.is_dir() and top.name[0] != "." for file in top.rglob("?*.lock"))
    assert locks() == sorted(there)
