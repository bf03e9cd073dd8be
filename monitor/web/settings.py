"""`page:` in casebus.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.yamlfile import Settings

Language = Literal["en", "zh"]


class PageSettings(Settings):
    """Where the page is served, and to whom for how long.

    It listens on this machine only unless `host` says otherwise: in front of others belongs a proxy that speaks TLS.
    """

    host: str = "127.0.0.1"
    #: None: `casebus up` serves no page.
    port: int | None = Field(default=8080, ge=1, le=65535)
    #: What somebody sees who has not chosen.
    language: Language = "zh"
    #: Hours a session lasts without being used.
    session_hours: int = Field(default=12, ge=1, le=720)
    #: Send the session's cookie over TLS only.
    secure: bool = False
