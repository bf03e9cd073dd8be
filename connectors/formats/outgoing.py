"""Deliveries as files: one JSON file for each delivery id, complete from the moment it has its name."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bus.errors import RetryError
from connectors.formats.sftp import SftpSettings
from connectors.source import Context, Receipt
from schemas.yamlfile import Settings


class TargetSettings(Settings):
    """The folder that the receiving system watches, here or on an SFTP server (below the folder of its address)."""

    folder: str
    sftp: SftpSettings | None = None


class Outgoing:
    """A folder of this machine."""

    def __init__(self, settings: TargetSettings, context: Context) -> None:
        self._folder = context.base / settings.folder

    def deliver(self, delivery: Mapping[str, Any]) -> Receipt:
        """Raises RetryError when the folder cannot be written."""
        target = self._folder / file_name(delivery)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if target.exists():
                return Receipt(str(target), True)
            _write(target, content(delivery))
        except OSError as error:
            raise RetryError(f"{self._folder} cannot be written: {error.strerror}. It will be tried again.") from error
        return Receipt(str(target), False)


def _write(target: Path, data: bytes) -> None:
    """Another process sees the whole file or none: write aside, force it to the disk, rename, force the folder too."""
    aside = target.with_name(aside_name(target.name))
    with aside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def file_name(delivery: Mapping[str, Any]) -> str:
    """A name that leads nowhere else, the same for the same delivery."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", str(delivery["delivery_id"])) + ".json"


def aside_name(name: str) -> str:
    """What it is called until it is whole: of one's own, for two may deliver the same at once."""
    return f".{name}.{os.getpid()}.tmp"


def content(delivery: Mapping[str, Any]) -> bytes:
    return json.dumps(delivery, ensure_ascii=False, indent=1).encode()
