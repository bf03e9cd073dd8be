"""Names of files as people wrote them: programs on Chinese Windows leave names in GBK on systems that expect UTF-8."""

from __future__ import annotations

import os


def readable(name: str) -> str:
    """A name for people, for positions and for patterns; what the system calls the file stays as it is.

    Half characters, as which Python holds bytes that are no UTF-8, could be written nowhere.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raw = os.fsencode(name)
        try:
            return raw.decode("gb18030")
        except UnicodeDecodeError:
            return raw.decode("utf-8", "backslashreplace")
    return name
