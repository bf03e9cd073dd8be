"""What a look has found."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One look. `cure` is empty where all is well."""

    what: str
    found: str
    cure: str = ""
