"""`logs:` in casebus.yaml: one line an event, as `key=value`, as JSON, or coloured for a terminal; personal numbers masked.

Each line has `timestamp` (UTC), `level`, `service` and `event` (a few plain words, the same ones for the same thing); what it
is about stands in keys of its own: `case`, `connector`, `receiver`, `partition`, `offset`, `reason`. What libraries say comes in
the same form. Sentences for people that end a process (`casebus: ...`) stay as they are.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, TextIO, get_args

import structlog
from structlog.typing import EventDict, Processor

from bus.errors import ConfigurationError
from connectors.identifiers import identity
from connectors.values import Refusal
from schemas.yamlfile import Settings

Format = Literal["logfmt", "json", "console"]
Level = Literal["debug", "info", "warning", "error"]
HEAD = ("timestamp", "level", "service", "event")
FORMAT, LEVEL = "CASEBUS_LOG_FORMAT", "CASEBUS_LOG_LEVEL"
_IDENTITY = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
#: Not what follows a host or a number, as the port and the digits of an address.
_MOBILE = re.compile(r"(?<![0-9A-Za-z.])(?<!\d[:-])(?:\+86-?)?1[3-9]\d{9}(?![0-9A-Za-z])")
#: Names of what is ours: in it a telephone-like number is a number of a case, an offset, a file.
_OURS = frozenset({*HEAD, "case", "event_id", "delivery", "position", "file", "logger"})


class LogSettings(Settings):
    """How each service logs. The environment (CASEBUS_LOG_FORMAT, CASEBUS_LOG_LEVEL) goes before it: a container has no file."""

    format: Format = "logfmt"
    level: Level = "info"

    def under(self, environment: Mapping[str, str]) -> LogSettings:
        """Raises ConfigurationError for a word that is none of ours."""
        said = {"format": (FORMAT, get_args(Format)), "level": (LEVEL, get_args(Level))}
        changes = {}
        for field, (name, words) in said.items():
            if (word := environment.get(name)) and word not in words:
                raise ConfigurationError(f"{name} is `{word}`. Write one of {', '.join(words)}.")
            if word:
                changes[field] = word
        return self.model_copy(update=changes)


def configure(service: str, settings: LogSettings | None = None, stream: TextIO | None = None) -> None:
    """For the whole process: ours, what libraries log, and what nobody has caught."""
    chosen = (settings or LogSettings()).under(os.environ)
    out = stream or sys.stderr
    level = logging.getLevelNamesMapping()[chosen.level.upper()]
    common: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        _named(service),
        structlog.processors.format_exc_info,
        masked,
    ]
    renderer = _renderer(chosen.format, out)
    structlog.configure(
        processors=[*common, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,  # a module's logger may be older than this
    )
    handler = logging.StreamHandler(out)
    chain: list[Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=chain, foreign_pre_chain=[_library, *common]))
    logging.basicConfig(level=logging.ERROR, handlers=[handler], force=True)
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # its errors reach us as exceptions, said in our words
    _catch_all()


def _renderer(form: Format, out: TextIO) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    if form == "console":
        return structlog.dev.ConsoleRenderer(colors=out.isatty(), sort_keys=False)
    return structlog.processors.LogfmtRenderer(key_order=HEAD, bool_as_flag=False)


def _named(service: str) -> Processor:
    def name(_: Any, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return {key: event[key] for key in HEAD} | dict(event)

    return name


def _library(_: Any, __: str, event: EventDict) -> EventDict:
    """What a library says is its sentence; ours are events, so that a search for ours finds no other's."""
    record: logging.LogRecord = event["_record"]
    return {"event": "a library says", "logger": record.name, "said": event["event"]} | {
        key: value for key, value in event.items() if key != "event"
    }


def masked(_: Any, __: str, event: EventDict) -> EventDict:
    """Identity numbers wherever they stand, a case's own number among them; mobile numbers where texts of others are quoted."""
    return {key: _masked(value, ours=key in _OURS) if isinstance(value, str) else value for key, value in event.items()}


def _masked(text: str, *, ours: bool) -> str:
    hidden = _IDENTITY.sub(_hidden, text)
    return hidden if ours else _MOBILE.sub(lambda found: f"{found[0][:-8]}********", hidden)


def _hidden(found: re.Match[str]) -> str:
    """Only what proves itself: any other eighteen digits are a number of something else."""
    try:
        identity(found[0])
    except Refusal:
        return found[0]
    return f"{found[0][:6]}{'*' * 12}"


def _catch_all() -> None:
    """A traceback, where one must be, is one line as everything else."""
    log = structlog.get_logger("casebus")

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        log.error("ended by a fault", exc_info=(kind, error, trace))

    def thread_told(said: threading.ExceptHookArgs) -> None:
        if said.exc_value is not None and not issubclass(said.exc_type, SystemExit):
            name = said.thread.name if said.thread else ""
            log.error("a thread ended by a fault", thread=name, exc_info=(said.exc_type, said.exc_value, said.exc_traceback))

    sys.excepthook, threading.excepthook = told, thread_told
