"""Secrets are planted in every place that takes one, everything that can go wrong does, and nothing of it is told anywhere."""

from __future__ import annotations

import base64
import copy
import http.server
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bus import connect
from bus.errors import BusError
from bus.memory import Cluster
from bus.registry import HttpRegistry
from bus.settings import KafkaSettings, RegistrySettings
from bus.topics import standard
from casebus import logs
from casebus.__main__ import app, main
from casebus.deployment import Deployment
from casebus.keystore import Store
from casebus.sealing import from_file
from casebus.wiring import Wiring
from connectors import config
from connectors.formats.sftp import Session, SftpSettings
from connectors.runner import Runner
from connectors.source import Context
from connectors.web.caller import Caller, CallSettings
from connectors.worker import Pauses, Worker
from monitor.herald import post
from monitor.settings import Webhook
from monitor.view import View
from schemas import keyfile
from schemas.problem import ProblemsError

#: One word that all planted secrets have, as text, as a number, and as it looks in base64 and in an address.
WORD, NUMBER = "Geheimnis", 872465198734
TOLD = (WORD, str(NUMBER), base64.b64encode(f"user:{WORD}".encode()).decode().rstrip("="), WORD.lower(), "R2VoZWltbmlz")
CLOSED = "127.0.0.1:1"

HEAD: dict[str, Any] = {
    "name": "mycity",
    "view": f"postgresql+psycopg://user:{WORD}@{CLOSED}/view?password={WORD}",
    "kafka": {
        "brokers": CLOSED,
        "security": {
            "protocol": "SASL_SSL",
            "mechanism": "SCRAM-SHA-512",
            "username": "user",
            "password": WORD,
            "certfile": "a.pem",
            "keyfile": "b.pem",
            "keyfile_password": WORD,
        },
        "registry": {"url": f"http://{CLOSED}/a?token={WORD}", "username": "user", "password": WORD},
    },
    "alerts": {"webhook": {"url": f"https://host/robot?access_token={WORD}", "headers": {"Authorization": WORD}}},
    "sealing": {"keys": f"postgresql://user:{WORD}@host/keys", "seal": {"dep": {"master": "m", "key": WORD}}},
}
SOURCES: dict[str, dict[str, Any]] = {
    "sql": {"url": f"postgresql://user:{WORD}@{CLOSED}/x?password={WORD}", "table": "t", "key": "id"},
    "http": {"listen": "127.0.0.1:0", "token": [f"{WORD}-{WORD}-{WORD}-{WORD}"]},
    "files": {
        "path": "out/*.csv",
        "format": "csv",
        "sftp": {"url": f"sftp://user@{CLOSED}/out", "known_hosts": "hosts", "password": WORD, "passphrase": WORD},
    },
    "kafka": {"topic": "t", "value": "json", "cluster": HEAD["kafka"]},
}
CONNECTOR: dict[str, Any] = {
    "kind": "sql",
    "source": {},
    "columns": {"id": {}, "at": {"type": "time"}},
    "lookups": {"codes": {"sql": {"url": f"mysql://user:{WORD}@{CLOSED}/x", "table": "codes"}, "key": "a"}},
    "key": "id",
    "case": "id",
    "header": {"occurred_at": "at"},
    "events": [{"type": "Applied"}],
    "deliver": {
        "to": "a@b",
        "kind": "http",
        "target": {"url": f"https://user:{WORD}@{CLOSED}/in?token={WORD}", "token": WORD},
    },
}
#: What people write where a secret, or something that holds one, belongs; and where anything else does.
WRONG: list[Any] = [NUMBER, WORD, [WORD], [NUMBER], {"x": WORD}, f"{WORD}\n{WORD}", f"秘{WORD}"]
ADDRESS = [
    f"//user:{WORD}@",
    f"http://u:{WORD}@[::x",
    f"ftp://u:{WORD}@h/",
    f"sqlite://u:{WORD}@h/x",
    f"nothing+such://u:{WORD}@h/x",
]
OTHER: list[Any] = [7, "x", [], {}, None, "", True, [1], {"x": 1}]


def silent(*said: object) -> None:
    """Nothing of a secret stands there."""
    lines = "\n".join(map(str, said)).splitlines()
    assert [line for line in lines if any(word in line for word in TOLD)] == []


def everything(error: BaseException) -> str:
    """What a log would hold of it: its words, those of what caused it, and the traceback between them."""
    return "".join(traceback.format_exception(error)) + repr(error) + "\n".join(map(str, getattr(error, "problems", ())))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def changed(tree: dict[str, Any], path: tuple[Any, ...], value: Any, how: str) -> dict[str, Any]:
    """The tree with a wrong value, without one, or with a key that nobody knows."""
    if not path:
        return {**tree, "unknown": value}
    made = copy.deepcopy(tree)
    *above, last = path
    node: Any = made
    for part in above:
        node = node[part]
    if how == "gone":
        del node[last]
    elif how == "more" and isinstance(node[last], dict):
        node[last]["pasword"] = value
    else:
        node[last] = value
    return made


@st.composite
def mistakes(draw: st.DrawFn, tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with one mistake in it."""
    path = draw(st.sampled_from(list(places(tree))))
    value: Any = tree
    for part in path:
        value = value[part]
    secret = isinstance(value, str) and WORD in value
    wrong = draw(st.sampled_from([*OTHER, *((ADDRESS if ":" in value else WRONG) if secret else [])]))
    return changed(tree, path, wrong, draw(st.sampled_from(["wrong", "gone", "more"])))


OFTEN = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)


@OFTEN
@given(mistakes(HEAD))
def test_no_fault_of_casebus_yaml_tells_a_secret(tmp_path: Path, written: dict[str, Any]) -> None:
    """Whatever is wrong beside it, above it or in it; and where nothing is, the settings as they are printed."""
    (tmp_path / "casebus.yaml").write_text(yaml.safe_dump(written), "utf-8")
    try:
        found = Deployment.load(tmp_path)
    except ProblemsError as error:
        silent(everything(error))
    else:
        silent(repr(found), found.settings)


@OFTEN
@given(st.sampled_from(sorted(SOURCES)), st.data())
def test_no_fault_of_a_connector_tells_a_secret(tmp_path: Path, kind: str, data: st.DataObject) -> None:
    """Of each kind that logs in somewhere, of its lookups and of where its deliveries go."""
    written = data.draw(mistakes({**CONNECTOR, "kind": kind, "source": SOURCES[kind]}))
    folder = tmp_path / "connectors"
    folder.mkdir(exist_ok=True)
    (folder / "dep.yaml").write_text(yaml.safe_dump(written), "utf-8")
    try:
        found = config.load(folder)
    except ProblemsError as error:
        silent(everything(error))
    else:
        silent(found, repr(found[0].parts[""].source_settings))


# -- at work


class Refusing(http.server.BaseHTTPRequestHandler):
    """Says no, in the words of what it was told: a careless server quotes the request."""

    def _no(self) -> None:
        self.send_response(401)
        self.end_headers()
        self.wfile.write(b'{"error_code": 40101, "message": "no"}')

    do_GET = do_POST = do_PUT = _no  # noqa: N815  the names of the library

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Nothing on the terminal."""


@pytest.fixture
def refusing() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


DELIVERY = {"delivery_id": "d", "case": "case:1", "to": "a@b"}


def kafka(**said: Any) -> KafkaSettings:
    security = {"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN", "username": "user", "password": WORD} | said
    return KafkaSettings.model_validate({"brokers": CLOSED, "security": security})


def source(kind: str, folder: Path, **more: Any) -> None:
    """Read what a connector's source has."""
    (folder / "connectors").mkdir(exist_ok=True)
    path = folder / "connectors" / "dep.yaml"
    written = {**CONNECTOR, "lookups": {}, "kind": kind, "source": SOURCES[kind] | more}
    path.write_text(yaml.safe_dump(written), "utf-8")
    with closing(config.read(path).open()) as opened:
        list(opened.fetch(None, 10))


def call(host: str) -> None:
    settings = CallSettings.model_validate({"url": f"http://user:{WORD}@{host}/in?token={WORD}", "token": WORD})
    Caller(settings, Context(Path(), [], "dep")).deliver(DELIVERY)


def told(host: str) -> None:
    post(Webhook.model_validate({"url": f"http://{host}/robot?token={WORD}", "headers": {"Authorization": WORD}}), {"alerts": []})


def registered(host: str) -> None:
    settings = RegistrySettings.model_validate({"url": f"http://{host}/?t={WORD}", "username": "user", "password": WORD})
    HttpRegistry(settings).schema_of(1)


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def looked_up(folder: Path, url: str) -> None:
    (folder / "connectors").mkdir(exist_ok=True)
    sql = {"codes": {"sql": {"url": url, "table": "codes"}, "key": "a"}}
    columns = {"id": {"lookup": "codes"}, "at": {"type": "time"}}
    source = {"path": "x.csv", "format": "csv"}
    tree = CONNECTOR | {"kind": "files", "source": source, "lookups": sql, "columns": columns}
    path = written(folder / "connectors" / "dep.yaml", yaml.safe_dump(tree))
    found = config.read(path)
    for table in found.lookups:
        table.get("x")


def sftp(folder: Path, **more: Any) -> None:
    said = {"url": f"sftp://user@{CLOSED}/out", "known_hosts": "hosts", "password": WORD, "passphrase": WORD} | more
    Session(SftpSettings.model_validate(said), folder, "dep").exists("x")


def pem(folder: Path) -> str:
    """No key, with the secret in it."""
    return str(written(folder / "b.pem", f"-----BEGIN PRIVATE KEY-----\n{WORD}\n-----END PRIVATE KEY-----\n"))


Case = Callable[[Path, str], object]
#: Whatever goes wrong at work: a name, and how to bring it about with a folder and a server that refuses everybody.
FAULTS: dict[str, Case] = {
    "postgres away": lambda folder, _: source("sql", folder),
    "mysql away": lambda folder, _: source("sql", folder, url=f"mysql://user:{WORD}@{CLOSED}/x"),
    "no such driver": lambda folder, _: source("sql", folder, url=f"oracle://user:{WORD}@{CLOSED}/x"),
    "no such database": lambda folder, _: source("sql", folder, url=f"nothing://user:{WORD}@{CLOSED}/x"),
    "no address": lambda folder, _: source("sql", folder, url=f"user:{WORD}@{CLOSED}"),
    "no port": lambda folder, _: source("sql", folder, url=f"postgresql://user:{WORD}@host:{WORD}/x"),
    "code table away": lambda folder, _: looked_up(folder, f"postgresql://user:{WORD}@{CLOSED}/x"),
    "files away": lambda folder, _: source("files", folder),
    "sftp away": lambda folder, _: sftp(folder),
    "sftp key": lambda folder, _: sftp(folder, key=pem(folder)),
    "short token": lambda folder, _: source("http", folder, token=None, token_file=str(written(folder / "t", WORD))),
    "view away": lambda *_: View.open(HEAD["view"]),
    "view driver": lambda *_: View.open(f"oracle://user:{WORD}@host/x"),
    "view address": lambda *_: View.open(f"user:{WORD}@host"),
    "keys away": lambda *_: Store(f"postgresql+psycopg://user:{WORD}@{CLOSED}/x").counts(),
    "keys address": lambda *_: Store(f"user:{WORD}@host"),
    "master key": lambda folder, _: from_file(written(folder / "m.key", WORD), "sealing"),
    "private key": lambda folder, _: keyfile.signer("k", Path(pem(folder)), "signatures"),
    "delivery away": lambda *_: call(CLOSED),
    "delivery refused": lambda _, host: call(host),
    "webhook away": lambda *_: told(CLOSED),
    "webhook refused": lambda _, host: told(host),
    "registry away": lambda *_: registered(CLOSED),
    "registry refused": lambda _, host: registered(host),
    "kafka away": lambda *_: connect(kafka()).ends(["t"]),
    "kafka password file": lambda folder, _: kafka(password=None, password_file=folder / "none").security.secret(),
    "kafka certificate": lambda folder, _: kafka(
        protocol="SASL_SSL", certfile=pem(folder), keyfile=pem(folder), keyfile_password=WORD
    ).security.tls(),
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_at_work_tells_a_secret(tmp_path: Path, refusing: str, name: str) -> None:
    """Neither its words nor those of its causes, which a log and CASEBUS_TRACEBACK show; and it is one of ours."""
    with pytest.raises((BusError, ProblemsError)) as caught:
        FAULTS[name](tmp_path, refusing)
    silent(everything(caught.value))


#: What somebody types at a deployment whose databases, servers and brokers are all away.
COMMANDS = ("check", "check --sources --json", "stats --json", "case show 1", "keys list --json", "page", "doctor --json")


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deployment with secrets wherever one can be, all of them from the environment; the terminal shows tracebacks too."""
    folder = tmp_path / "mycity"
    assert CliRunner().invoke(app, ["init", str(folder)]).exit_code == 0
    head = yaml.safe_load((folder / "casebus.yaml").read_text("utf-8")) | HEAD
    head["kafka"] = {
        **HEAD["kafka"],
        "security": kafka().security.model_dump(mode="json", exclude_none=True) | {"password": WORD},
    }
    tree = {**CONNECTOR, "lookups": {}, "source": SOURCES["sql"]}
    for path, text in (("casebus.yaml", head), ("connectors/dep.yaml", tree)):
        (folder / path).write_text(yaml.safe_dump(text).replace(WORD, "${PLANTED}"), "utf-8")
    (folder / "connectors" / "permits.yaml").unlink()
    monkeypatch.setenv("PLANTED", WORD)
    monkeypatch.setenv("CASEBUS_TRACEBACK", "1")
    return folder


@pytest.mark.parametrize("said", COMMANDS)
def test_no_command_tells_a_secret(
    planted: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], said: str
) -> None:
    """On neither stream; each ends with what is wrong and says it."""
    monkeypatch.setattr("sys.argv", ["casebus", *said.split(), str(planted)])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capfd.readouterr()
    silent(out, err)
    assert ended.value.code in {0, 1, 2, 75}
    assert out + err


@pytest.mark.parametrize("form", ["logfmt", "json", "console"])
def test_no_log_tells_a_secret(planted: Path, form: logs.Format, capfd: pytest.CaptureFixture[str]) -> None:
    """A connector that fails again and again, a webhook that nobody answers, and a thread that ends by a fault."""
    logs.configure("connect", logs.LogSettings(format=form, level="debug"), io := StringIO())
    wiring, cluster = Wiring(Deployment.load(planted)), Cluster()
    cluster.create(standard(1))
    runners = [Runner(one, cluster, wiring.codec, wiring.receipts) for one in wiring.connectors]
    outcomes = Worker(runners, pauses=Pauses(first=0.01, attempts=2)).run_to_end()
    silent(outcomes)
    assert all(one.fault for one in outcomes)
    webhook = wiring.settings.alerts.webhook
    try:
        post(webhook.model_copy(update={"url": f"http://{CLOSED}/robot?token={WORD}"}) if webhook else None, {"alerts": []})
    except BusError:
        structlog.get_logger("casebus").exception(
            "alerts wait to be told", settings=wiring.settings, connectors=wiring.connectors
        )
    silent(io.getvalue(), *capfd.readouterr())
    assert "alerts wait to be told" in io.getvalue()
    assert "did not answer" in io.getvalue()
