"""The supervisors' page as it runs, asked over HTTP: its API with a token, its pages as a browser gets them."""

from __future__ import annotations

import html
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from casebus.deployment import Deployment
from casebus.wiring import Wiring
from monitor.web.access import Role, User

COMMAND = (sys.executable, "-P", "-m", "casebus", "page")
NAME, PASSWORD = "chief", "correct horse battery"
#: Elements of a page stand in its first answer as one JSON text inside of a script.
_ELEMENTS = re.compile(r"parseElements\(String\.raw`(.*?)`\)", re.DOTALL)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class RunningPage:
    """Somebody who is signed in to a page that runs."""

    def __init__(self, address: str, token: str) -> None:
        self._web = httpx.Client(base_url=address, timeout=30, headers={"Authorization": f"Bearer {token}"})

    @classmethod
    def of(cls, deployment: Deployment, port: int) -> RunningPage:
        """A supervisor of everything, made now, with a token; waits until the page answers."""
        accounts = Wiring(deployment).accounts
        accounts.add(User(NAME, Role.SUPERVISOR), PASSWORD, 0)
        page = cls(f"http://127.0.0.1:{port}", accounts.new_token(NAME, 0))
        accounts.close()
        page.sign_in()
        return page

    def sign_in(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = self._web.post("/login", data={"name": NAME, "password": PASSWORD, "to": "/"})
                break
            except httpx.TransportError:
                assert time.monotonic() < deadline, "The page did not open."
                time.sleep(0.3)
        assert answer.status_code == 303

    def get(self, path: str) -> Any:
        """The API's answer."""
        answer = self._web.get(f"/api/v1{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def text(self, path: str) -> str:
        """What a page shows, as words without markup, in English."""
        self._web.cookies.set("casebus_language", "en")
        answer = self._web.get(path)
        assert answer.status_code == 200
        found = _ELEMENTS.search(answer.text)
        assert found, "The page has no elements."
        elements = json.loads(html.unescape(found[1])).values()
        said = " ".join(str(one.get("props", {}).get("innerHTML", "")) for one in elements)
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", said)).split())

    def close(self) -> None:
        self._web.close()


@contextmanager
def running_page(folder: Path, environment: Mapping[str, str]) -> Iterator[RunningPage]:
    """`casebus page` over this deployment's view."""
    port = free_port()
    with subprocess.Popen([*COMMAND, str(folder), "--port", str(port)], env=environment) as process:
        try:
            page = RunningPage.of(Deployment.load(folder), port)
            yield page
            page.close()
        finally:
            process.terminate()
            process.wait(30)
