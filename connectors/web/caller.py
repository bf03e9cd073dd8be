"""Deliveries as web calls: one POST for each, recognised by its Idempotency-Key, its answer the receipt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from pydantic import Field, SecretStr, field_validator

from bus.errors import BusError, ConfigurationError, RetryError
from bus.hidden import place
from connectors.source import Context, LaterError, Receipt, RefusedError
from schemas.yamlfile import Settings

#: Answers that another attempt may change (RFC 9110; 425 of RFC 8470, 429 of RFC 6585).
_PASSING = frozenset({408, 409, 425, 429})
#: Answers that say nothing of the delivery: the address or the token is wrong, and can be put right.
_OURS = frozenset({401, 403, 404, 405, 407})
_SHOWN = 300


class CallSettings(Settings):
    """Where the receiving system takes deliveries. `timeout` in seconds."""

    url: str = Field(pattern=r"^https?://.+", repr=False)
    token: SecretStr | None = None
    timeout: float = Field(10.0, gt=0, le=30)

    @field_validator("url")
    @classmethod
    def _leads_somewhere(cls, url: str) -> str:
        try:
            host = httpx.URL(url).host
            host.encode("idna")
        except (httpx.InvalidURL, UnicodeError) as error:
            raise ValueError(f"no address ({error}), write one such as https://host:8443/inbox") from None
        if not host:
            raise ValueError("no host, write an address such as https://host:8443/inbox")
        return url

    @field_validator("token")
    @classmethod
    def _fits_a_header(cls, token: SecretStr | None) -> SecretStr | None:
        held = token.get_secret_value() if token else ""
        if not (held.isascii() and held.isprintable()):
            raise ValueError("a token is letters, digits and signs of ASCII in one line")
        return token


class Caller:
    """One receiving system. 2xx says that it has the delivery; 200 with `repeated: true` that it had it already.

    An answer in JSON may sign for it: `received_at` (ISO 8601 with an offset) and `receipt`, its own number.
    """

    def __init__(self, settings: CallSettings, context: Context) -> None:
        token = settings.token.get_secret_value() if settings.token else ""
        self._settings, self._where, self._place = settings, context.where, place(settings.url)
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        """Raises RetryError where waiting helps, ConfigurationError for wrong settings, RefusedError where it is refused."""
        headers = self._headers | {"Idempotency-Key": str(delivery["delivery_id"])}
        try:
            answer = httpx.post(self._settings.url, json=dict(delivery), headers=headers, timeout=self._settings.timeout)
        except httpx.HTTPError as error:
            raise RetryError(f"{self._place} does not answer ({error}). It will be tried again.") from error
        if answer.is_success:
            return self._receipt(answer)
        raise self._refusal(answer)

    def _refusal(self, answer: httpx.Response) -> BusError:
        said = f"{self._place} answered {answer.status_code}: {answer.text[:_SHOWN] or 'nothing more'}."
        if answer.status_code in _PASSING or answer.is_server_error:
            seconds = _seconds(answer.headers.get("Retry-After", ""))
            again = f"{said} It will be tried again."
            return RetryError(again) if seconds is None else LaterError(again, seconds)
        if answer.status_code in _OURS:
            return ConfigurationError(f"{self._where}: {said} Correct target:, or ask those who run it.")
        return RefusedError(f"{said} Look at the delivery with those who run it, then deliver it again.")

    def _receipt(self, answer: httpx.Response) -> Receipt:
        try:
            told = answer.json()
        except (ValueError, RecursionError):  # delivered it is, whatever the answer holds
            told = {}
        told = told if isinstance(told, dict) else {}
        where = str(told.get("receipt") or answer.headers.get("Location") or self._place)
        return Receipt(where, told.get("repeated") is True, _signed(told.get("received_at")))


def _seconds(text: str) -> float | None:
    """Retry-After in seconds or as a date (RFC 9110, 10.2.3), a day at most; None for what is neither."""
    try:
        wanted = float(text) if text.isdecimal() else (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wanted, 0.0), 86_400.0)


def _signed(text: Any) -> int | None:
    """Microseconds; None for an answer that does not sign."""
    try:
        at = datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None
    return None if at is None or at.tzinfo is None else round(at.timestamp() * 1_000_000)
