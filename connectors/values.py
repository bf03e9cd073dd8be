"""Values of legacy systems, read strictly: what cannot be read is refused with a reason and a remedy, never guessed."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple


class Refusal(Exception):  # noqa: N818  a verdict on a row, not a failure of the program
    """This value cannot be used. `reason` is a code in snake_case, `found` and `instead` are for people."""

    def __init__(self, reason: str, found: str, instead: str, field: str = "", where: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.found = found
        self.instead = instead
        self.field = field
        self.where = where


class Damaged(NamedTuple):
    """A cell whose value was lost before we read it. It refuses the row only where the mapping uses the cell."""

    reason: str
    found: str
    instead: str


#: Beyond 2**53 a floating-point number no longer tells neighbouring integers apart.
EXACT = 2**53
_LOW, _HIGH = -(2**63), 2**63 - 1
_SHOWN = 80
_TRUE = frozenset({"true", "t", "yes", "y", "1", "是"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "否"})
#: Digits of a number, or zeros before and behind it, that any system means seriously.
_LONGEST = 308
_INTEGER = re.compile(r"[+-]?\d+(?:\.0*)?")
_SCIENTIFIC = re.compile(r"[+-]?\d(?:\.\d+)?[eE]\+?\d{2}")
#: What groups thousands (1,234.50; 1.234,50; 1 234,50; 1'234.50), by the sign that parts the decimals.
_GROUPED = {
    point: re.compile(rf"[+-]?\d{{1,3}}(?:(?P<by>[{other} '’])\d{{3}})(?:(?P=by)\d{{3}})*")
    for point, other in ((".", ","), (",", r"\."))
}
_GROUPING = re.compile(r"[.,\s'’]")


def shown(value: Any) -> str:
    """The value as a person may read it in a sentence, cut at 80 characters."""
    text = value if isinstance(value, str) else repr(value)
    text = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return f"'{text}'" if isinstance(value, str) else text


def verdict(value: Any, word: str, where: str = "") -> bool:
    """True or false as a condition gave it. Raises Refusal for all else: a text such as '0' must not decide by being one."""
    if not isinstance(value, bool):
        found = f"`{word}` gave {shown(value)}, which is neither true nor false"
        raise Refusal("expression_failed", found, "Write a comparison", word, where)
    return value


def text_of(value: Any) -> str | None:
    """The value as text without loss; None stays None."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float_text(value)
    return _other_text(value)


def _float_text(value: float) -> str:
    if not math.isfinite(value) or (value.is_integer() and abs(value) > EXACT):
        raise Refusal("damaged_number", f"found the number {value}, which has lost digits", "Send it as text")
    return str(int(value)) if value.is_integer() else repr(value)


def _other_text(value: Any) -> str:
    if isinstance(value, Damaged):
        raise Refusal(*value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).hex()
    if isinstance(value, (Mapping, Sequence)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def apostrophe(text: str) -> str:
    """Excel's marker for "this is text": a leading quote that belongs to no value."""
    return text[1:] if text[:1] in ("'", "’", "‘") else text


def width(text: str) -> str:
    """Full-width letters, digits and spaces become the usual ones (Unicode NFKC)."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def key_text(text: str) -> str:
    """A key as people meant it: width folded, blanks and the spreadsheet's apostrophe removed."""
    if text.isascii() and text.isalnum():
        return text
    text = width(text).strip()
    return apostrophe(text).strip() if text[:1] in "'’‘" else text


def int_of(value: Any) -> int | None:
    """A whole number that fits 64 bits; text may carry a sign, full-width digits and a fraction of zeros."""
    if isinstance(value, str) and value.isdecimal() and value.isascii() and len(value) < 19:
        return int(value)  # what nearly every row has
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value if value is None else _fits(value)
    text = width(text_of(value) or "").strip()
    if len(text) > _LONGEST or not _INTEGER.fullmatch(text):
        raise Refusal("unreadable_number", f"found {shown(value)}", "Send a whole number")
    return _fits(int(text.partition(".")[0]))


def _fits(value: int) -> int:
    if not _LOW <= value <= _HIGH:
        raise Refusal("unreadable_number", f"found {shown(value)}, which needs more than 64 bits", "Read it as text")
    return value


def decimal_of(value: Any, point: str = ".") -> Decimal | None:
    """An exact decimal number. `point` parts the decimals of a text; what else stands in it must group thousands."""
    if value is None:
        return None
    text = width(text_of(value) or "").strip()
    try:
        number = Decimal(_ungrouped(text, point) if isinstance(value, str) else text)
    except InvalidOperation:
        instead = "Send a decimal number, or say in the mapping what parts the decimals (decimal:)"
        raise Refusal("unreadable_number", f"found {shown(value)}", instead) from None
    if not number.is_finite() or abs(number.adjusted()) > _LONGEST:
        raise Refusal("unreadable_number", f"found {shown(value)}", "Send a decimal number")
    return number


def _ungrouped(text: str, point: str) -> str:
    """The number as Python writes it. Raises InvalidOperation where a sign can be neither: 80,00 is not eight thousand."""
    whole, _, decimals = text.partition(point)
    if _GROUPED[point].fullmatch(whole):
        whole = _GROUPING.sub("", whole)
    if _GROUPING.search(whole) or _GROUPING.search(decimals) or "_" in text:  # that is how Python alone groups
        raise InvalidOperation
    return f"{whole}.{decimals}" if decimals else whole


def number_of(value: Any, point: str = ".") -> float | None:
    """A number for comparisons; money goes through `money_of`, which is exact."""
    number = decimal_of(value, point)
    return None if number is None else float(number)


def money_of(value: Any, digits: int = 2, point: str = ".") -> int | None:
    """An amount in minor units (12.34 is 1234), exactly."""
    number = decimal_of(value, point)
    if number is None:
        return None
    minor = number.scaleb(digits)
    if minor != minor.to_integral_value():
        raise Refusal(
            "unreadable_number", f"found {shown(value)}, which has more than {digits} decimals", "Send whole minor units"
        )
    return _fits(int(minor))


def bool_of(value: Any) -> bool | None:
    """True or false, as systems write it: true/false, yes/no, 1/0, 是/否."""
    if value is None or isinstance(value, bool):
        return value
    text = (text_of(value) or "").strip().casefold()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise Refusal("unreadable_value", f"found {shown(value)}", "Send true or false")


def list_of(value: Any) -> list[Any] | None:
    """A list: a JSON array as it is, text cut at commas, semicolons and 、, empty pieces dropped."""
    if value is None or isinstance(value, list):
        return value
    pieces = re.split(r"[,;、，；]", text_of(value) or "")
    return [piece.strip() for piece in pieces if piece.strip()]


def looks_scientific(text: str) -> bool:
    """True for a number that a spreadsheet has turned into 9.9E+18: its digits are lost."""
    return "E" in text.upper() and _SCIENTIFIC.fullmatch(text) is not None
