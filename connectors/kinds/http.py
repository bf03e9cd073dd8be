"""Kind `http`: a department pushes its rows to us, in JSON or XML, and is answered only when Kafka has them.

Calls are taken by the one worker that has the connector; others answer 503 with Retry-After. A row is recognised by its own
number (`key:`), so a call that was cut off can be sent again without harm, after a restart too.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, model_validator

from bus.errors import ConfigurationError
from connectors.formats.markup import Markup, MarkupSettings
from connectors.formats.objects import Origin, decoded, own, rows_of
from connectors.source import Batch, Context, Kind, Settled, Source, SourceRecord, Target
from connectors.values import Refusal
from connectors.web import shape
from connectors.web.caller import Caller, CallSettings
from connectors.web.doors import Door, Rules
from connectors.web.gate import TLS, enter, kept, leave
from connectors.web.inbox import Inbox
from schemas.yamlfile import Map, Settings, validated

_MEDIA = {"json": frozenset({"application/json"}), "xml": frozenset({"application/xml", "text/xml", "application/soap+xml"})}


class HttpSource(Settings):
    """`format` of the body, and where its rows are (`record`: `case.steps` in JSON, `case/step` in XML).

    `token` (from the environment: `${NAME}`), or several while one is replaced; or `token_file`, a token on each line.
    Each may stand as its hash: `sha256:<64 hexadecimal digits>`.
    Times in seconds, sizes in bytes, `room` in rows that may wait for Kafka.
    """

    format: Literal["json", "xml"] = "json"
    record: str | None = None
    namespace: str | None = None
    listen: str = Field("127.0.0.1:8090", pattern=r"^.+:\d{1,5}$")
    certfile: Path | None = None
    keyfile: Path | None = None
    token: SecretStr | list[SecretStr] | None = None
    token_file: Path | None = None
    largest: int = Field(10 << 20, ge=1 << 10, le=1 << 30)
    room: int = Field(20_000, ge=1)
    patience: float = Field(10.0, gt=0, le=300)
    calls_a_second: float = Field(100.0, ge=1)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.token is None) == (self.token_file is None):
            raise ValueError("write token: or token_file:")
        if (self.certfile is None) != (self.keyfile is None):
            raise ValueError("certfile: and keyfile: go together")
        if self.format == "xml" and self.record is None:
            raise ValueError("write record:, the path of the rows from the root's children, such as case/step")
        if any(len(one) < SHORTEST for one in self.secrets()):
            raise ValueError(f"a token needs at least {SHORTEST} characters")
        return self

    def secrets(self) -> list[str]:
        found = self.token if isinstance(self.token, list) else [self.token] if self.token else []
        return [one.get_secret_value() for one in found]


SHORTEST = 16


class Pushed:
    """The calls of one system."""

    def __init__(self, settings: HttpSource, context: Context) -> None:
        self._inbox = Inbox(settings.room)
        self._door = Door(
            Path(context.where).stem,
            _rules(settings),
            self._inbox,
            _reader(settings, context),
            _schema(settings, context),
        )
        self._gate = enter(_address(settings), self._door)

    def wake_by(self, wake: Callable[[], None]) -> None:
        self._inbox.wake_by(wake)

    def fetch(self, position: str | None, limit: int) -> Iterator[Batch]:
        """Whoever waits now. The position counts rows: it is the order in which they came."""
        rows = int(position or 0)
        while records := self._inbox.take(limit):
            numbered = [one._replace(sequence=rows + number) for number, one in enumerate(records, 1)]
            rows += len(numbered)
            yield Batch(numbered, str(rows))

    def settled(self, rows: Sequence[Settled]) -> None:
        self._inbox.settled(rows)

    def close(self) -> None:
        self._gate.shut(self._door)
        self._inbox.close()


def _address(settings: HttpSource) -> tuple[str, int, TLS | None]:
    host, _, port = settings.listen.rpartition(":")
    tls = TLS(str(settings.certfile), str(settings.keyfile)) if settings.certfile else None
    return host.strip("[]"), int(port), tls


def _rules(settings: HttpSource) -> Rules:
    return Rules(
        [kept(token) for token in settings.secrets() or _in_file(settings)],
        _MEDIA[settings.format],
        settings.largest,
        settings.patience,
        settings.calls_a_second,
    )


def _in_file(settings: HttpSource) -> list[str]:
    """The tokens of a file, one on each line. Raises ConfigurationError where it holds none that are long enough."""
    path = settings.token_file or Path()
    try:
        found = path.read_text("utf-8").split()
    except OSError as error:
        raise ConfigurationError(f"The tokens in {path} cannot be read: {error.strerror}. Correct token_file:.") from error
    if not found or any(len(one) < SHORTEST for one in found):
        raise ConfigurationError(f"{path} must hold a token of at least {SHORTEST} characters on each line.")
    return found


def _schema(settings: HttpSource, context: Context) -> dict[str, Any]:
    if settings.format == "xml":
        return shape.of_xml(context.columns, context.fields, settings.record or "")
    return shape.of_json(context.columns, context.fields, settings.record.split(".") if settings.record else [])


def _reader(settings: HttpSource, context: Context) -> Callable[[bytes], list[SourceRecord]]:
    return _xml_reader(settings, context) if settings.format == "xml" else _json_reader(settings)


def _json_reader(settings: HttpSource) -> Callable[[bytes], list[SourceRecord]]:
    way = settings.record.split(".") if settings.record else []

    def read(body: bytes) -> list[SourceRecord]:
        try:
            value = decoded(body)
        except ValueError as error:
            raise Refusal("broken_line", f"found a body that is no JSON ({error})", "Send JSON in UTF-8") from error
        values = value if isinstance(value, list) and not way else [value]
        return [record._replace(raw=_raw(one, record)) for one in values for record in rows_of(one, way, Origin("call", 1, b""))]

    return read


def _raw(value: Any, record: SourceRecord) -> bytes:
    """What came, of this row alone: a dead letter holds it."""
    return own(record) if record.row else json.dumps(value, ensure_ascii=False, default=str).encode()


def _xml_reader(settings: HttpSource, context: Context) -> Callable[[bytes], list[SourceRecord]]:
    form = MarkupSettings(path="call.xml", format="xml", record=settings.record or "", namespace=settings.namespace)

    def read(body: bytes) -> list[SourceRecord]:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "call.xml"
            path.write_bytes(body)
            try:
                return list(Markup(path, form, context, None))
            except ConfigurationError as error:
                raise Refusal("broken_file", f"found XML that is not taken ({error})", "Send it as the page says") from error

    return read


def _settings(node: Map) -> HttpSource:
    return validated(HttpSource, node)


def _located(settings: HttpSource, base: Path) -> HttpSource:
    files = {name: base / path for name in ("certfile", "keyfile", "token_file") if (path := getattr(settings, name))}
    return settings.model_copy(update=files)


def _open(settings: HttpSource, context: Context) -> Source:
    return Pushed(settings, context)


def _target(settings: CallSettings, context: Context) -> Target:
    return Caller(settings, context)


KIND = Kind(
    about="Web calls: the department pushes JSON or XML and is answered when Kafka has it",
    settings=_settings,
    open=_open,
    table=lambda _: "calls",
    nested=lambda settings: settings.format == "json",
    located=_located,
    standing=True,
    left=lambda settings: leave(_address(settings)),
    body=lambda settings, context, body: _reader(settings, context)(body),
    target_settings=CallSettings,
    target=_target,
)
