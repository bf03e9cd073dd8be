"""Schema ids of a Confluent-compatible registry (Confluent's own, Apicurio's `/apis/ccompat/v7`, Karapace).

Documented API: https://docs.confluent.io/platform/current/schema-registry/develop/api.html. Of it, two calls suffice:
`POST /subjects/{subject}/versions` (register, or find what is registered already) and `GET /schemas/ids/{id}`.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from bus.errors import BusError, ConfigurationError, CorruptionError, RetryError
from bus.settings import RegistrySettings

_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
_INCOMPATIBLE, _UNPROCESSABLE = 409, 422
_UNREACHABLE = (urllib.error.URLError, http.client.HTTPException, OSError)


class HttpRegistry:
    """Asks each thing once: what a registry has said stays so for ever."""

    def __init__(self, settings: RegistrySettings) -> None:
        self._settings = settings
        self._ids: dict[tuple[str, str], int] = {}
        self._schemas: dict[int, str] = {}
        self._headers = {"Accept": _MEDIA_TYPE, "Content-Type": _MEDIA_TYPE}
        self._authorization = _authorization(settings)
        self._opener = urllib.request.build_opener(*_handlers(settings))

    def id_of(self, subject: str, schema: str) -> int:
        """The id of a schema under a subject (its full name: TopicRecordName is `topic-record`), registered if it is new.

        Raises ConfigurationError where the registry refuses it, RetryError where it does not answer.
        """
        key = (subject, schema)
        if key not in self._ids:
            answer = self._ask(f"/subjects/{urllib.parse.quote(subject, safe='')}/versions", {"schema": schema})
            self._ids[key] = _field(answer, "id", int)
        return self._ids[key]

    def schema_of(self, schema_id: int) -> str:
        """The schema with this id. Raises CorruptionError where there is none: the record came from another registry."""
        if schema_id not in self._schemas:
            self._schemas[schema_id] = _field(self._ask(f"/schemas/ids/{schema_id}"), "schema", str)
        return self._schemas[schema_id]

    def _ask(self, path: str, body: dict[str, str] | None = None) -> Any:
        url = self._settings.url.rstrip("/") + path
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(url, data, self._headers)  # noqa: S310 - the settings allow http and https only
        if self._authorization:
            request.add_unredirected_header("Authorization", self._authorization)  # it is not for whoever a redirect names
        try:
            with self._opener.open(request, timeout=self._settings.timeout) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise _refusal(url, error) from error
        except _UNREACHABLE as error:
            raise RetryError(f"The schema registry {url} does not answer: {getattr(error, 'reason', error)}") from error
        except ValueError as error:
            raise ConfigurationError(f"{url} answers, but not in JSON: kafka.registry must be the address of the API.") from error


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
    said = _said(error)
    if error.code in {401, 403}:
        return ConfigurationError(f"The schema registry {url} refuses the name or password in kafka.registry ({error.code}).")
    if error.code in {_INCOMPATIBLE, _UNPROCESSABLE}:
        return ConfigurationError(f"The schema registry {url} refuses the schema: {said}. Ask who keeps the subject.")
    if error.code == 404:
        return CorruptionError(f"The schema registry {url} knows no such thing: {said}. Was it set up anew?")
    return RetryError(f"The schema registry {url} answered {error.code}: {said}")


def _said(error: urllib.error.HTTPError) -> str:
    try:
        answer = json.loads(error.read())
        return str(answer["message"])
    except (ValueError, KeyError, TypeError, OSError):
        return str(error.reason)
