"""Schema ids of a Confluent-compatible registry (Confluent's own, Apicurio's `/apis/ccompat/v7`, Karapace).

Documented API: https://docs.confluent.io/platform/current/schema-registry/develop/api.html. To write and to read, three calls
suffice: `POST /subjects/{subject}` (find), `POST /subjects/{subject}/versions` (register) and `GET /schemas/ids/{id}`. The
others are for whoever keeps the registry (`casebus registry`).
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from bus.errors import BusError, ConfigurationError, CorruptionError, RetryError
from bus.hidden import place
from bus.settings import RegistrySettings

_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
#: The class of a fault, which Apicurio says before its words.
_JAVA = re.compile(r"^(?:[a-z]\w*\.)+\w+Exception: ")
_UNKNOWN, _INCOMPATIBLE, _UNPROCESSABLE = 404, 409, 422
_UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, OSError)


class UnknownSchemaError(CorruptionError, LookupError):
    """The registry, which is there and has others, knows no such subject or id."""


class HttpRegistry:
    """Asks each thing once: which id is which schema stays so for ever."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._ids: dict[tuple[str, str], int] = {}
        self._schemas: dict[int, str] = {}
        self._headers = {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE}
        self._authorization = _authorization(settings)
        self._opener = urllib.request.build_opener(*_handlers(settings))

    def id_of(self, subject: str, schema: str) -> int:
        """The id of a schema under a subject (its full name: TopicRecordName is `topic-record`), registered if it is new.

        It is looked for first: where somebody else registers schemas, a name that may read suffices.
        Raises ConfigurationError where the registry refuses it, RetryError where it does not answer.
        """
        key = (subject, schema)
        if key not in self._ids:
            found = self.found(subject, schema)
            self._ids[key] = self.register(subject, schema) if found is None else found
        return self._ids[key]

    def schema_of(self, schema_id: int) -> str:
        """The schema with this id.

        Raises UnknownSchemaError where there is none: the record came from another registry. CorruptionError where there are no
        schemas at all: the registry lost them, and no record is to blame.
        """
        if schema_id not in self._schemas:
            try:
                self._schemas[schema_id] = _field(self._ask(f"/schemas/ids/{schema_id}"), "schema", str)
            except UnknownSchemaError as error:
                if self._ask("/subjects"):
                    raise
                said = f"The schema registry {place(self._settings.url)} is empty, but records name its schema {schema_id}."
                raise CorruptionError(f"{said} Restore its database, or name the registry they were written with.") from error
        return self._schemas[schema_id]

    def found(self, subject: str, schema: str) -> int | None:
        """The id of this schema under the subject; None where it is not registered there."""
        try:
            return int(_field(self._ask(_subject(subject), {"schema": schema}), "id", int))
        except UnknownSchemaError:
            return None

    def register(self, subject: str, schema: str) -> int:
        """The id that it gets, or has. Raises ConfigurationError where the registry refuses it."""
        return int(_field(self._ask(f"{_subject(subject)}/versions", {"schema": schema}), "id", int))

    def refusal(self, subject: str, schema: str) -> str:
        """Why the registry would not take this schema beside the subject's others; empty where it would."""
        try:
            answer = self._ask(f"/compatibility{_subject(subject)}/versions?verbose=true", {"schema": schema})
        except UnknownSchemaError:  # the subject's first one
            return ""
        if _field(answer, "is_compatible", bool):
            return ""
        return "; ".join(map(str, answer.get("messages") or ())) or "it is not compatible with an earlier one"

    def level(self, subject: str) -> str | None:
        """The compatibility that the registry holds the subject to, by Confluent's names; None where it knows no such subject."""
        try:
            return str(_field(self._ask(f"{_config(subject)}?defaultToGlobal=true"), "compatibilityLevel", str))
        except UnknownSchemaError:
            return None

    def hold(self, subject: str, level: str) -> None:
        """Hold a subject that is there to this compatibility from now on."""
        self._ask(_config(subject), {"compatibility": level}, "PUT")

    def _ask(self, path: str, body: dict[str, str] | None = None, method: str | None = None) -> Any:
        url = self._settings.url.rstrip("/") + path
        shown = place(url)
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(url, data, self._headers, method=method)  # noqa: S310 - the settings allow http and https only
        if self._authorization:
            request.add_unredirected_header("Authorization", self._authorization)  # it is not for whoever a redirect names
        try:
            with self._opener.open(request, timeout=self._settings.timeout) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise _refusal(shown, error) from error
        except _UNREACHABLE as error:
            raise RetryError(f"The schema registry {shown} does not answer: {getattr(error, 'reason', error)}") from error
        except ValueError as error:
            raise ConfigurationError(
                f"{shown} answers, but not in JSON: kafka.registry must be the address of the API."
            ) from error


def _subject(name: str) -> str:
    return f"/subjects/{urllib.parse.quote(name, safe='')}"


def _config(subject: str) -> str:
    return f"/config/{urllib.parse.quote(subject, safe='')}"


def _handlers(settings: RegistrySettings) -> list[urllib.request.BaseHandler]:
    if not settings.url.startswith("https:"):
        return []
    try:
        return [urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=settings.cafile))]
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"kafka.registry.cafile {settings.cafile} cannot be used: {error}. It must be a PEM file."
        ) from error


def _authorization(settings: RegistrySettings) -> str | None:
    if settings.username is None:
        return None
    password = settings.password.get_secret_value() if settings.password else ""
    pair = base64.b64encode(f"{settings.username}:{password}".encode()).decode()
    return f"Basic {pair}"


def _field(answer: Any, name: str, kind: type[Any]) -> Any:
    value = answer.get(name) if isinstance(answer, dict) else None
    if not isinstance(value, kind):
        raise ConfigurationError(f"The schema registry answered without `{name}`: kafka.registry must be the address of the API.")
    return value


def _refusal(url: str, error: urllib.error.HTTPError) -> BusError:
    number, said = _said(error)
    if error.code == 401:
        return ConfigurationError(f"The schema registry {url} refuses the name or password in kafka.registry (401).")
    if error.code == 403:
        cure = "Register our schemas as somebody who may (casebus registry apply); to read is enough then."
        return ConfigurationError(f"The schema registry {url} does not let the name in kafka.registry do this: {said}. {cure}")
    if error.code in {_INCOMPATIBLE, _UNPROCESSABLE}:
        return ConfigurationError(f"The schema registry {url} refuses the schema: {said}. Ask who keeps the subject.")
    if error.code == _UNKNOWN and number < 40_000:  # a path that is none of the API's
        where = "it ends with /apis/ccompat/v7 at an Apicurio, and with the port at others"
        return ConfigurationError(f"{url} is not there ({said}): kafka.registry must be the address of the API; {where}.")
    if error.code == _UNKNOWN:
        return UnknownSchemaError(f"The schema registry {url} knows no such thing: {said}. Was it set up anew?")
    return RetryError(f"The schema registry {url} answered {error.code}: {said}")


def _said(error: urllib.error.HTTPError) -> tuple[int, str]:
    """The registry's own number of the fault, and its words, which end without a full stop."""
    try:
        answer = json.loads(error.read())
        return int(answer["error_code"]), _JAVA.sub("", str(answer["message"])).rstrip(".")
    except (ValueError, KeyError, TypeError, OSError):
        return 0, str(error.reason)
