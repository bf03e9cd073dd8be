"""How lines of a log look: the same keys first, personal numbers masked, libraries and tracebacks in the same form."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from bus.errors import ConfigurationError
from bus.rarely import Rarely
from casebus import logs

PERSON = "110101199001010074"  # proves itself
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """These settings are the whole process's."""
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    before, level = list(root.handlers), root.level
    yield
    structlog.reset_defaults()
    root.handlers[:], (sys.excepthook, threading.excepthook) = before, hooks
    root.setLevel(level)


def configured(form: logs.Format = "json", level: logs.Level = "info") -> io.StringIO:
    out = io.StringIO()
    logs.configure("route", logs.LogSettings(format=form, level=level), out)
    return out


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_each_line_begins_with_the_same_keys() -> None:
    """Then come those of the event, in the order in which they were said."""
    out = configured()
    structlog.get_logger().info("delivered", receiver="water", case="case:1")
    assert list(lines(out)[0]) == ["timestamp", "level", "service", "event", "receiver", "case"]
    assert lines(out)[0]["service"] == "route"
    assert lines(out)[0]["timestamp"].endswith("Z")


def test_a_line_of_keys_and_values() -> None:
    """What stands as long as nobody says otherwise."""
    out = configured("logfmt")
    structlog.get_logger().warning("delivery waits", attempts=2)
    assert out.getvalue().split(" ", 1)[1] == 'level=warning service=route event="delivery waits" attempts=2\n'
    assert out.getvalue().startswith("timestamp=20")


def test_a_line_for_people_has_no_colours_in_a_file() -> None:
    """They are for terminals."""
    out = configured("console")
    structlog.get_logger().info("assigned", partitions=[1, 2])
    assert "assigned" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_levels() -> None:
    """What is below is not written."""
    out = configured(level="warning")
    structlog.get_logger().info("assigned")
    structlog.get_logger().error("failed")
    assert [line["event"] for line in lines(out)] == ["failed"]


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a word that is none is said, not passed over."""
    monkeypatch.setenv(logs.FORMAT, "json")
    out = configured("logfmt")
    structlog.get_logger().info("assigned")
    assert lines(out)
    monkeypatch.setenv(logs.LEVEL, "loud")
    with pytest.raises(ConfigurationError, match=r"CASEBUS_LOG_LEVEL is `loud`\. Write one of debug, info"):
        configured()


@pytest.mark.parametrize(
    ("key", "text", "shown"),
    [
        ("reason", f"found '{PERSON}', twice", "found '110101************', twice"),
        ("case", f"case:{PERSON}", "case:110101************"),
        ("case", "case:50000120260309000001", "case:50000120260309000001"),
        ("reason", "110101199001010070 proves nothing", "110101199001010070 proves nothing"),
        ("reason", "call 13800138000 now", "call 138******** now"),
        ("reason", '422: {"phone":13812345678,"name":"x"}', '422: {"phone":138********,"name":"x"}'),
        ("reason", "电话:13812345678 tel:13812345678", "电话:138******** tel:138********"),
        ("reason", "mobile-13812345678", "mobile-138********"),
        ("case", "hall:13800138000", "hall:13800138000"),
        ("reason", "connecting to 127.0.0.1:13800138000", "connecting to 127.0.0.1:13800138000"),
    ],
    ids=[
        "quoted",
        "a case's number",
        "a number of a case",
        "no identity",
        "telephone",
        "JSON",
        "colons",
        "dash",
        "like a telephone",
        "no telephone",
    ],
)
def test_personal_numbers_are_masked(key: str, text: str, shown: str) -> None:
    """A case that bears its applicant's identity number as well as a row that an error quotes."""
    out = configured()
    structlog.get_logger().warning("connector stopped", **{key: text})
    assert lines(out)[0][key] == shown


def test_what_libraries_say_comes_in_the_same_form() -> None:
    """As an event of its own, with the library's name; Kafka's own client stays silent."""
    out = configured()
    logging.getLogger("asyncssh").error("no route for %s", PERSON)
    logging.getLogger("kafka.client").error("noise")
    assert [(one["event"], one["logger"], one["said"]) for one in lines(out)] == [
        ("a library says", "asyncssh", "no route for 110101************")
    ]
    assert "_record" not in lines(out)[0]


def test_faults_that_nobody_caught_are_one_line() -> None:
    """Of the process and of its threads."""
    out = configured()
    try:
        {}[PERSON]
    except KeyError as error:
        sys.excepthook(type(error), error, error.__traceback__)

    def fail() -> None:
        raise ValueError("in a thread")

    thread = threading.Thread(target=fail, name="casebus-poller")
    thread.start()
    thread.join()
    first, second = lines(out)
    assert first["event"] == "ended by a fault"
    assert "Traceback" in first["exception"]
    assert PERSON not in first["exception"]
    assert second["thread"] == "casebus-poller"


def test_what_happens_often_is_told_seldom() -> None:
    """The first, the tenth, the hundredth, each kind by itself."""
    rarely = Rarely()
    assert [number for _ in range(1000) if (number := rarely.count("water", "unknown_code"))] == [1, 10, 100, 1000]
    assert rarely.count("water", "late") == 1


def test_kinds_that_somebody_makes_up_are_one_kind_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each first of its kind is told, so that new names for ever would fill memory and log."""
    monkeypatch.setattr("bus.rarely.KINDS", 3)
    rarely = Rarely()
    assert sum(bool(rarely.count(f"key-{number}")) for number in range(100)) == 3 + 2
