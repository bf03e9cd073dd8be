"""A small city through the real pipeline, its page, and a real browser (Debian's Chromium with Chinese fonts)."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

PASSWORD = "correct horse battery"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
CASEBUS = (sys.executable, "-P", "-m", "casebus")
USERS = (("chief",), ("county", "--region", "991201"), ("auditor", "--role", "auditor"), ("machine", "--role", "operator"))
#: Where the pictures go that CI keeps; `docs/supervise.md` shows some of them.
PICTURES = Path(os.environ.get("CASEBUS_PICTURES") or Path(__file__).parents[2] / "pictures")
WIDTH, HEIGHT = 1366, 768


class City(NamedTuple):
    folder: Path
    address: str
    #: What the demo said on standard error.
    welcome: str


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """`casebus demo`, up, with users of every role."""
    folder = tmp_path_factory.mktemp("page") / "city"
    said = folder.parent / "said"
    command = [*CASEBUS, "demo", "--cases", "500", "--seed", "11", "--dir", folder]
    with said.open("w") as err, subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=err) as demo:
        try:
            welcome = _waited(demo, said)
            add_users(folder)
            yield City(folder, re.search(r"http://\S+", welcome)[0], welcome)
        finally:
            demo.terminate()
            demo.wait(60)


def _waited(demo: subprocess.Popen[bytes], said: Path) -> str:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and demo.poll() is None:
        text = said.read_text(encoding="utf-8")
        address = re.search(r"Open (http://\S+)", text)
        if address and _answers(address[1]):
            return text
        time.sleep(0.5)
    raise AssertionError(f"The demo opened no page:\n{said.read_text(encoding='utf-8')}")


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/login", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def chromium():
    if not shutil.which(CHROMIUM):
        pytest.fail(f"There is no {CHROMIUM}. Install it: apt-get install -y --no-install-recommends chromium fonts-noto-cjk")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a page over this folder's view, without a bus."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [*CASEBUS, "page", folder, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as page:
        try:
            deadline = time.monotonic() + 60
            while not _answers(address):
                assert page.poll() is None, page.stderr.read()
                assert time.monotonic() < deadline, "The page did not open in a minute."
                time.sleep(0.2)
            yield address
        finally:
            page.terminate()
            page.wait(30)


def add_users(folder: Path, *only: str) -> None:
    for name, *options in (user for user in USERS if not only or user[0] in only):
        add = [*CASEBUS, "user", "add", name, folder, "--password-stdin", *options]
        subprocess.run(add, input=PASSWORD, text=True, check=True, capture_output=True)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of a deployment as `casebus init` writes it, without an official calendar: nothing has come yet."""
    folder = tmp_path_factory.mktemp("empty") / "newcity"
    subprocess.run([*CASEBUS, "init", folder], check=True, capture_output=True)
    settings = folder / "casebus.yaml"
    text = re.sub(r"(?m)^calendar:\n(?:  .*\n)+", "calendar:\n  country: null\n", settings.read_text(encoding="utf-8"))
    assert "country: null" in text
    settings.write_text(text, encoding="utf-8")
    add_users(folder, "auditor")
    with served(folder) as address:
        yield address


@pytest.fixture(scope="session")
def supervised():
    """`with supervised(folder) as address:` the page over this deployment's view, and a chief who may sign in."""

    @contextmanager
    def opened(folder: Path) -> Iterator[str]:
        add_users(folder, "chief")
        with served(folder) as address:
            yield address

    return opened


@pytest.fixture(scope="session")
def wordy(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page of the same city, whose authorities have names as long as some really are."""
    folder = tmp_path_factory.mktemp("wordy") / "city"
    shutil.copytree(
        city.folder, folder, ignore=shutil.ignore_patterns("kafka", "state", "logs", "*.lock", "exports", "*-wal", "*-shm")
    )
    with closing(sqlite3.connect(city.folder / ".casebus" / "view.db")) as view:
        view.execute("VACUUM INTO ?", (str(folder / ".casebus" / "copy.db"),))
    (folder / ".casebus" / "copy.db").replace(folder / ".casebus" / "view.db")
    add_users(folder)
    names = folder / "directory" / "authorities.csv"
    tail = "（高新技术产业开发区行政审批与综合执法事务服务中心）"
    long = re.sub(r"(?m)^(?!name,)([^,]+),", rf"\1{tail},", names.read_text(encoding="utf-8"))
    names.write_text(long, encoding="utf-8")
    with served(folder) as address:
        yield address


@pytest.fixture
def visit(chromium, city):
    """`with visit("chief", language="zh") as page:` signed in, with nothing on the browser's console in the end."""

    @contextmanager
    def visited(name: str = "chief", *, language: str = "en", theme: str = "light", address: str = city.address):
        locale = {"zh": "zh-CN", "en": "en-GB"}[language]
        context = chromium.new_context(viewport={"width": WIDTH, "height": HEIGHT}, base_url=address, locale=locale)
        chosen = {"casebus_language": language, "casebus_theme": theme}
        context.add_cookies([{"name": key, "value": value, "url": address} for key, value in chosen.items()])
        page = context.new_page()
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto("/login")
        page.fill("input[name=name]", name)
        page.fill("input[name=password]", PASSWORD)
        page.click("button.primary")
        page.wait_for_selector("main.page")
        yield page
        context.close()
        assert not faults

    return visited


@pytest.fixture
def picture():
    """`picture(page, "overview-zh")`: kept, and checked for what is cut off or needs scrolling sideways."""

    def taken(page, name: str, *, whole: bool = False) -> None:
        page.wait_for_timeout(400)
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
        wide = "[...document.querySelectorAll('.fit, .panel')].filter(e => e.scrollWidth > e.clientWidth + 1).length"
        assert page.evaluate(wide) == 0

    return taken
