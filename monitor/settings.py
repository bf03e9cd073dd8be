"""`alerts:` in casebus.yaml: in which language alerts are written, and whom they are told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator

from bus.hidden import plain
from schemas.yamlfile import Settings


class Webhook(Settings):
    """Alerts are posted here as JSON, at least once; address and `headers` may carry a token (write `${NAME}`)."""

    url: str = Field(pattern=r"^https?://[^\s]+$", repr=False)
    headers: dict[str, SecretStr] = Field({})
    #: Seconds to wait for an answer.
    timeout: float = Field(10.0, gt=0)

    @field_validator("url")
    @classmethod
    def _without_password(cls, url: str) -> str:
        return plain(url, "headers: {Authorization: ...}")

    @field_validator("headers")
    @classmethod
    def _sendable(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        """Otherwise each message would fail, and the fault would show the header."""
        for name, value in headers.items():
            held = value.get_secret_value()
            if not (name.isascii() and name.isprintable() and held.isascii() and held.isprintable()):
                raise ValueError("a header is letters, digits and signs of ASCII in one line")
        return headers


class AlertSettings(Settings):
    language: Literal["en", "zh"] = "en"
    webhook: Webhook | None = None
    #: In a replay too: what stands at the replayed moment is said once nothing more comes. Otherwise history is mute.
    replay: bool = False
