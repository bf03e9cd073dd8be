"""`alerts:` in casebus.yaml: in which language alerts are written, and whom they are told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.yamlfile import Settings


class Webhook(Settings):
    """Alerts are posted here as JSON, at least once; `headers` may carry a token (`${NAME}` reads the environment)."""

    url: str = Field(pattern=r"^https?://[^\s]+$")
    headers: dict[str, str] = Field({})
    #: Seconds to wait for an answer.
    timeout: float = Field(10.0, gt=0)


class AlertSettings(Settings):
    language: Literal["en", "zh"] = "en"
    webhook: Webhook | None = None
    #: In a replay too: what stands at the replayed moment is said once nothing more comes. Otherwise history is mute.
    replay: bool = False
