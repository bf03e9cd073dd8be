"""The OpenAPI page of the doors: what each system's call may hold and what it is answered (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from connectors.web.doors import Door

_ANSWERS = {
    "200": "Kafka has every row; of each, how many events it gave, or why it became a dead letter",
    "400": "the body cannot be read",
    "401": "the token is missing or wrong",
    "408": "the body came too slowly",
    "409": "the call with this Idempotency-Key is still at work",
    "413": "the body is too large",
    "415": "another content type is wanted, or no compression",
    "422": "this Idempotency-Key came with another body",
    "429": "too many calls a second, or so many at once that other systems would wait",
    "503": "Kafka does not take it now: send it again",
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string"},
    "description": "the same key with the same body gets the same answer",
}


def described(doors: Sequence[Door], base: str) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "casebus: what departments may send", "version": "1"},
        "servers": [{"url": base}],
        "paths": {f"/in/{door.system}": {"post": _call(door)} for door in sorted(doors, key=lambda door: door.system)},
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _call(door: Door) -> dict[str, Any]:
    return {
        "summary": f"Rows of {door.system}",
        "security": [{"token": []}],
        "parameters": [_KEY],
        "requestBody": {"required": True, "content": {media: {"schema": door.schema} for media in sorted(door.rules.media)}},
        "responses": {status: {"description": text} for status, text in _ANSWERS.items()},
    }
