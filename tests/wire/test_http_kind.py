"""Kind `http`: a caller is answered when Kafka has his rows, and told what to do when it does not."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from connector_world import CLOCK, MAPPING, connector
from fleet_world import live
from http_world import GATE, STEP, TOKEN, Bureau, source

from bus.errors import ConfigurationError
from connectors import deadletters
from connectors.columns import ColumnSettings
from connectors.runner import Runner
from connectors.source import SourceRecord
from connectors.web import shape
from connectors.web.inbox import Inbox
from schemas.codec import default
from schemas.problem import ProblemsError


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    made = Bureau(tmp_path).work()
    yield made
    made.close()


def test_a_call_is_answered_row_by_row_when_kafka_has_it(bureau: Bureau) -> None:
    """Taken or a dead letter, each row by itself; nobody waits for the next look at the source."""
    answer = bureau.send([STEP, STEP | {"id": "2", "case_no": ""}])
    assert bureau.keys() == ["1"]
    assert answer.status_code == 200
    assert (answer.json()["taken"], answer.json()["refused"]) == (1, 1)
    good, bad = answer.json()["rows"]
    assert good == {"row": 1, "events": 1}
    assert (bad["refused"], "case_no" in bad["text"]) == ("missing_case", True)
    (letter,) = deadletters.read(bureau.cluster, default())
    assert json.loads(letter.value["raw"])["id"] == "2"


def test_the_same_key_gets_the_same_answer(bureau: Bureau) -> None:
    """Sent twice it is in Kafka once; another body under the key is a mistake of the caller's."""
    first = bureau.send(STEP, Idempotency_Key="k1")
    assert bureau.send(STEP, Idempotency_Key="k1").json() == first.json()
    assert bureau.keys() == ["1"]
    assert bureau.send(STEP | {"id": "2"}, Idempotency_Key="k1").status_code == 422


@pytest.mark.parametrize(
    ("headers", "body", "status", "said"),
    [
        ({"Authorization": "Bearer wrong"}, b"{}", 401, "token"),
        ({"Authorization": "Basic x"}, b"{}", 401, "token"),
        ({"Content-Type": "text/csv"}, b"1;2", 415, "application/json"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"{}", mtime=0), 415, "not unpacked"),
        ({}, b"\xff\xfe", 400, "no JSON"),
        ({}, b"[" * 2_000, 400, "no JSON"),
        ({}, b"[]", 400, "no rows"),
        ({}, b"[1]", 400, "no object"),
        ({}, b" " * 3000, 413, "more than 2,048 bytes"),
    ],
)
def test_what_is_wrong_with_a_call_is_said(tmp_path: Path, headers: dict[str, str], body: bytes, status: int, said: str) -> None:
    """Nothing of it is taken, and the sentence says what to send instead."""
    bureau = Bureau(tmp_path, largest=2048).work()
    answer = bureau.caller.post("/in/dep", content=body, headers={"Content-Type": "application/json"} | headers)
    bureau.close()
    assert (answer.status_code, said in answer.json()["error"]) == (status, True), answer.text
    assert bureau.keys() == []


def test_whoever_calls_too_often_is_told_to_wait(tmp_path: Path) -> None:
    """A bucket of one second's calls; the rows already taken stay."""
    bureau = Bureau(tmp_path, calls_a_second=2).work()
    answers = [bureau.send(STEP | {"id": str(number)}) for number in range(4)]
    bureau.close()
    assert [one.status_code for one in answers][:2] == [200, 200]
    assert answers[-1].status_code == 429
    assert answers[-1].headers["Retry-After"] == "1"


def test_where_nobody_takes_calls_the_caller_comes_again(tmp_path: Path) -> None:
    """No connector of that name runs here: it may in a moment."""
    bureau = Bureau(tmp_path)
    answer = bureau.send(STEP)
    bureau.close()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


def test_a_commit_that_fails_is_no_answer(bureau: Bureau) -> None:
    """The caller is sent away, sends it again, and it is in Kafka once."""
    bureau.cluster.fail_next_commit()
    assert bureau.send(STEP).status_code == 503
    deadline = time.monotonic() + 10
    while (again := bureau.send(STEP)).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert (again.status_code, bureau.keys()) == (200, ["1"])


def test_when_kafka_is_slow_the_caller_is_not_kept(tmp_path: Path) -> None:
    """He is told to send it again; what nobody had taken yet is forgotten."""
    bureau = Bureau(tmp_path, patience=0.1)
    opened = bureau.found.open(bureau.cluster)
    answer = bureau.send(STEP)
    assert (answer.status_code, "in time" in answer.json()["error"]) == (503, True)
    assert list(opened.fetch(None, 10)) == []
    opened.close()
    bureau.close()


def test_a_full_inbox_takes_no_more(tmp_path: Path) -> None:
    """Memory is bounded by rows that wait."""
    inbox = Inbox(room=2)
    row = SourceRecord("", 0, {}, b"")
    assert inbox.put([row, row]) is not None
    assert inbox.put([row]) is None
    inbox.close()
    assert inbox.put([row]) is None


def test_a_body_that_comes_too_slowly_is_not_waited_for(tmp_path: Path) -> None:
    """A slow loris holds a connection for the patience of the door, no longer, and others are served meanwhile."""
    bureau = Bureau(tmp_path, patience=0.2).work()
    lines = ["POST /in/dep HTTP/1.1", "Host: x", f"Authorization: Bearer {TOKEN}", "Content-Type: application/json"]
    head = "\r\n".join([*lines, "Content-Length: 99", "", ""])
    with socket.create_connection(("127.0.0.1", GATE.port)) as slow:
        slow.sendall(head.encode() + b"{")
        assert bureau.send(STEP).status_code == 200
        assert slow.recv(1000).startswith(b"HTTP/1.1 408")
    bureau.close()


def test_many_callers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Two hundred calls side by side, in few transactions: each is answered, each row is there once."""
    bureau = Bureau(tmp_path, calls_a_second=100_000, patience=60).work()
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda number: bureau.send(STEP | {"id": str(number)}).status_code, range(200)))
    bureau.close()
    assert set(answers) == {200}
    assert len(bureau.keys()) == len(set(bureau.keys())) == 200


XML = MAPPING.replace("id: {", "id: {from: '@id', ").replace("case_no: {", "case_no: {from: ../@number, ")
CASE = '<cases><case number="A1"><step id="7"><at>2025-06-01 09:00:00</at><who>王</who></step></case></cases>'


@pytest.mark.parametrize(
    ("body", "status"),
    [(CASE, 200), (CASE[:-9], 400), (f'<!DOCTYPE x [<!ENTITY a "b">]>{CASE}', 400), ("<cases/>", 400)],
    ids=["good", "cut off", "entities", "empty"],
)
def test_xml_is_read_by_its_path_and_nothing_is_expanded(tmp_path: Path, body: str, status: int) -> None:
    """As in files; a body that breaks off is taken in no part."""
    bureau = Bureau(tmp_path)
    bureau.found = connector(tmp_path, source(format="xml", record="case/step"), XML)
    bureau.runner = Runner(bureau.found, bureau.cluster, default(), CLOCK)
    bureau._thread = threading.Thread(target=live, args=(bureau.runner, bureau.stop))
    answer = bureau.work().send(body.encode(), Content_Type="text/xml")
    bureau.close()
    assert (answer.status_code, bureau.keys()) == (status, ["7"] if status == 200 else [])


ENVELOPE = """<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:ga="urn:police:cases">
<soapenv:Header><ga:sender>3701</ga:sender></soapenv:Header>
<soapenv:Body><ga:submit><ga:case number="A1">
<ga:step id="7"><ga:at>2025-06-01 09:00:00</ga:at><ga:who>王</ga:who></ga:step>
<ga:step id="8"><ga:at>2025-06-01 10:00:00</ga:at><ga:who>李</ga:who></ga:step>
</ga:case></ga:submit></soapenv:Body></soapenv:Envelope>"""


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ({"record": "Body/submit/case/step", "namespace": "*"}, "text/xml"),
        ({"record": "*/submit/case/step", "namespace": "urn:police:cases"}, "application/soap+xml; action=submit"),
    ],
    ids=["any namespace", "the department's own"],
)
def test_a_soap_message_is_rows_like_any_xml(tmp_path: Path, way: dict[str, str], kind: str) -> None:
    """Its envelope and its rows are of different namespaces; the header says nothing of rows."""
    bureau = Bureau(tmp_path)
    bureau.found = connector(tmp_path, source(format="xml", **way), XML)
    bureau.runner = Runner(bureau.found, bureau.cluster, default(), CLOCK)
    bureau._thread = threading.Thread(target=live, args=(bureau.runner, bureau.stop))
    answer = bureau.work().send(ENVELOPE.encode(), Content_Type=kind)
    wrong = bureau.send(ENVELOPE.replace("submit", "sendeth").encode(), Content_Type=kind)
    bureau.close()
    assert (answer.status_code, answer.json()["taken"], bureau.keys()) == (200, 2, ["7", "8"])
    assert (wrong.status_code, wrong.json()["error"]) == (400, "The body holds no rows. Send at least one.")


def test_the_page_says_what_may_be_sent(bureau: Bureau) -> None:
    """Each column of the mapping with its type, and each answer."""
    page = bureau.caller.get("/openapi.json").json()
    call = page["paths"]["/in/dep"]["post"]
    row = call["requestBody"]["content"]["application/json"]["schema"]["oneOf"][0]
    assert set(row["properties"]) == {"id", "case_no", "at", "who"}
    assert row["required"] == ["id", "case_no", "at"]
    assert row["properties"]["at"]["description"] == "a time: %Y-%m-%d %H:%M:%S or iso"
    assert {"200", "401", "429", "503"} <= set(call["responses"])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"token": None}, "token: or token_file:"),
        ({"token": "short"}, "at least 16 characters"),
        ({"format": "xml"}, "write record:"),
        ({"certfile": "a.pem"}, "go together"),
    ],
)
def test_settings_that_cannot_be_meant_are_told(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    """With the line, and no secret in the sentence."""
    with pytest.raises(ProblemsError, match=said) as error:
        connector(tmp_path, source(**settings))
    assert TOKEN not in str(error.value)


def test_an_address_in_use_is_told(tmp_path: Path) -> None:
    """Another program has the port."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigurationError, match="write another listen:"):
            connector(tmp_path, source(listen=f"127.0.0.1:{other.getsockname()[1]}")).open()


def test_an_address_is_free_when_its_last_connector_has_left(tmp_path: Path) -> None:
    """Another worker of the machine may have the connector then; until then that one is told why it cannot."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{free.getsockname()[1]}"
    one, two = (connector(tmp_path, source(listen=listen), name=name) for name in ("one", "two"))
    opened = [one.open(), two.open()]
    script = f"from pathlib import Path; from connectors.config import read; read(Path({str(two.path)!r})).open(); print('open')"
    elsewhere = [sys.executable, "-P", "-c", script]
    for found, pushed in zip((one, two), opened, strict=True):
        refused = subprocess.run(elsewhere, capture_output=True, text=True, check=False)
        assert "give each connector a listen: of its own, or run one worker here." in refused.stderr
        pushed.close()
        found.left()
    assert subprocess.run(elsewhere, capture_output=True, text=True, check=True).stdout == "open\n"


def test_tokens_stand_in_a_file_while_one_is_replaced(tmp_path: Path) -> None:
    """Both open the door until the old one is taken out; the hash in the file opens nothing itself."""
    hashed = hashlib.sha256(TOKEN.encode()).hexdigest()
    (tmp_path / "tokens").write_text(f"sha256:{hashed}\nthe-next-token-of-the-police\n", "utf-8")
    bureau = Bureau(tmp_path, token=None, token_file="tokens").work()
    new = {"Authorization": "Bearer the-next-token-of-the-police"}
    answers = [bureau.send(STEP).status_code, bureau.send(STEP | {"id": "2"}, **new).status_code]
    stolen = bureau.send(STEP, Authorization=f"Bearer sha256:{hashed}").status_code
    bureau.close()
    assert (answers, stolen) == ([200, 200], 401)


def test_the_page_shows_where_in_the_body_a_field_stands() -> None:
    """Around the rows, inside them, and of XML as paths."""
    columns = {
        "number": ColumnSettings.model_validate({"from": "../number", "required": True}),
        "code": ColumnSettings.model_validate({"from": "step.code", "pattern": "[A-Z]+"}),
        "count": ColumnSettings(type="whole", default=1),
        "both": ColumnSettings(value="code + number"),
    }
    body = shape.of_json(columns, [], ["case", "steps"])
    case = body["properties"]["case"]
    row = case["properties"]["steps"]["oneOf"][0]
    assert (body["required"], case["required"]) == (["case"], ["number", "steps"])
    assert row["properties"]["step"]["properties"]["code"] == {"type": ["string", "number"], "pattern": "[A-Z]+"}
    assert row["properties"]["count"] == {"type": ["integer", "string"], "default": 1}
    assert set(row["properties"]) == {"step", "count"}
    assert set(shape.of_xml({"id": ColumnSettings.model_validate({"from": "@id"})}, [], "case/step")["properties"]) == {"@id"}
    assert shape.of_json({}, ["a"], [])["oneOf"][0]["properties"] == {"a": {}}
