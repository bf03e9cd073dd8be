"""Values as YAML takes them on one line: JSON, with what YAML would read otherwise written as escapes."""

from __future__ import annotations

import json
import re
from typing import Any

#: Characters that YAML 1.1 and 1.2 refuse, or take for ends of lines.
_UNFIT = re.compile("[^\t\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


def quoted(value: Any) -> str:
    """One line of YAML that reads as this value; `${` stays what it is."""
    text = json.dumps(value, ensure_ascii=False, default=str).replace("${", "$${")
    return _UNFIT.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
