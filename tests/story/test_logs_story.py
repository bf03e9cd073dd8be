"""The log of a whole story: every line one object of the same form, and what it says of a case can be found again."""

from __future__ import annotations

import io
import json
import logging
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import structlog
from city_story import EXAMPLE, City

from bus.ports import Message
from bus.topics import EVENTS
from casebus import logs

#: What each event says beside the four keys of every line. An event that is not here is new: say what it must tell.
SAYS = {
    "assigned": {"loop", "partitions"},
    "stores caught up": {"partitions", "records"},
    "delivered": {"receiver", "case", "delivery", "topic", "partition", "offset", "place", "repeated"},
    "delivery waits": {"receiver", "case", "delivery", "topic", "partition", "offset", "attempts", "reason"},
    "refused": {"connector", "case", "reason", "so_far", "partition", "offset"},
    "row refused": {"connector", "table", "position", "reason", "so_far"},
    "receivers": {"names"},
}
PERSON, NAME = "110101199001010074", "张三丰"
WORDS = re.compile(r"[a-z][a-z ,;']*")


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The example city from its sources to its receivers, with an event that nobody can read and a row that says no time."""
    out = io.StringIO()
    hooks, handlers, level = (sys.excepthook, threading.excepthook), list(logging.getLogger().handlers), logging.getLogger().level
    logs.configure("story", logs.LogSettings(format="json"), out)
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("logs")
        shutil.copytree(EXAMPLE, folder / "city", ignore=shutil.ignore_patterns(".casebus"))
        with (folder / "city/exports/fire.csv").open("a", encoding="utf-8") as file:
            file.write(f"9999,50010320260310099,受理,{NAME},fire@500103,,{NAME},{PERSON}\n")
        city = City(folder, patch, folder / "city")
        city.cluster.publish([Message(EVENTS.name, 0, f"case:{PERSON}".encode(), b"\x00nonsense", 0)])
        city.run().close()
    yield out.getvalue().splitlines()
    structlog.reset_defaults()
    (sys.excepthook, threading.excepthook), logging.getLogger().handlers[:] = hooks, handlers
    logging.getLogger().setLevel(level)


def test_every_line_has_the_form(lines: list[str]) -> None:
    """Time, level, service, event first; and exactly the keys that this event says."""
    assert lines
    for line in lines:
        said: dict[str, Any] = json.loads(line)
        assert list(said)[:4] == ["timestamp", "level", "service", "event"], line
        assert datetime.fromisoformat(said["timestamp"]).utcoffset() is not None
        assert said["level"] in {"debug", "info", "warning", "error"}
        assert WORDS.fullmatch(said["event"]), line
        assert said.keys() - {"timestamp", "level", "service", "event"} == SAYS[said["event"]], line


def test_the_story_tells_of_what_it_should(lines: list[str]) -> None:
    """A form that nothing has would be kept by an empty log."""
    events = {json.loads(line)["event"] for line in lines}
    assert {"assigned", "stores caught up", "delivered", "refused", "row refused"} <= events


def test_what_is_about_a_case_says_where_it_lies(lines: list[str]) -> None:
    """By partition and offset it is found in Kafka, by its number everywhere else."""
    about = [said for line in lines if "case" in (said := json.loads(line))]
    assert about
    for said in about:
        assert {"partition", "offset"} <= said.keys()
        assert said["offset"] >= 0
        assert said.keys() & {"connector", "receiver"}


def test_nobody_is_named_in_the_log(lines: list[str]) -> None:
    """Though a key of the story is somebody's number, and a row that was refused has name and number in it."""
    assert not [line for line in lines if PERSON in line or NAME in line]
