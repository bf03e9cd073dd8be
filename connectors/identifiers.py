"""Numbers that carry their own proof: identity numbers, credit codes, telephones. What fails its check is refused, not mended."""

from __future__ import annotations

import re
from datetime import date

from connectors.values import Refusal, key_text, shown

#: GB 11643-1999: the weights of the first 17 digits (powers of 2 modulo 11), and the check character by remainder.
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_IDENTITY = re.compile(r"[1-9]\d{5}(?:\d{2})?\d{6}\d{3}[\dX]?", re.ASCII)

#: GB 32100-2015: no I, O, S, V, Z; the weights are the powers of 3 modulo 31.
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_POWERS = tuple(pow(3, place, 31) for place in range(17))
_CREDIT = re.compile(rf"[{_SIGNS}]{{2}}\d{{6}}[{_SIGNS}]{{10}}", re.ASCII)

_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_FIXED = re.compile(r"0\d{2,3}[1-9]\d{6,7}|[48]00\d{7}|[1-9]\d{6,7}", re.ASCII)
_BETWEEN = re.compile(r"[\s().·-]")


def identity(text: str | None) -> str | None:
    """A citizen's identity number (GB 11643), 18 characters; one of 15 is of the twentieth century and gets its check character.

    Raises Refusal `malformed_identity`: other documents (passports) have columns, or a condition, of their own.
    """
    if text is None:
        return None
    number = key_text(text).upper()
    whole = number if len(number) == 18 else f"{number[:6]}19{number[6:]}"
    if not _IDENTITY.fullmatch(number) or len(number) not in (15, 18) or not _born(whole[6:14]):
        raise _malformed("identity", text, "is no identity number")
    check = _identity_check(whole)
    if len(number) == 18 and number[17] != check:
        raise _malformed("identity", text, "fails its check character")
    return whole[:17] + check


def _identity_check(number: str) -> str:
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False)) % 11]


def _born(text: str) -> bool:
    try:
        date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return False
    return True


def credit_code(text: str | None) -> str | None:
    """A unified social credit code (GB 32100), upper case. Raises Refusal `malformed_credit_code`."""
    if text is None:
        return None
    code = key_text(text).upper()
    if not _CREDIT.fullmatch(code):
        raise _malformed("credit_code", text, "is no credit code of 18 characters")
    if code[17] != _credit_check(code):
        raise _malformed("credit_code", text, "fails its check character")
    return code


def _credit_check(code: str) -> str:
    return _SIGNS[-sum(_SIGNS.index(sign) * weight for sign, weight in zip(code, _POWERS, strict=False)) % 31]


def phone(text: str | None) -> str | None:
    """A telephone number of China in digits: without +86, blanks and signs; an extension stays behind `-`.

    Raises Refusal `malformed_phone`.
    """
    if text is None:
        return None
    plain, _, extension = re.sub(r"(?i)\s*(?:ext\.?|转|#|x)\s*", "#", key_text(text)).partition("#")
    digits = re.sub(r"^(?:\+|00)86", "", _BETWEEN.sub("", plain))
    if not (_MOBILE.fullmatch(digits) or _FIXED.fullmatch(digits)) or not (extension.isdigit() or extension == ""):
        raise _malformed("phone", text, "is no telephone number")
    return f"{digits}-{extension}" if extension else digits


def alike(text: str, digits: str) -> str | None:
    """Another number that proves itself as this one does, made of twelve `digits`; None for a text that is none of them."""
    if key_text(text) != text:
        return None
    for check, made in ((identity, _another_identity), (credit_code, _another_code), (phone, _another_phone)):
        try:
            if check(text):
                return made(text, digits)
        except Refusal:
            continue
    return None


def _another_identity(number: str, digits: str) -> str:
    """Of somebody born on the first day of 1990 in the first district."""
    if len(number) == 15:
        return f"110101900101{digits[:3]}"
    whole = f"11010119900101{digits[:3]}"
    return whole + _identity_check(whole)


def _another_code(_: str, digits: str) -> str:
    whole = f"91110000{digits[:9]}"
    return whole + _credit_check(whole)


def _another_phone(number: str, digits: str) -> str:
    """A mobile number of the kind that forms show as examples; of a fixed line the area stays."""
    if _MOBILE.fullmatch(number):
        return f"1380000{digits[:4]}"
    others = iter(digits)
    places = [place for place, sign in enumerate(number) if sign.isdigit()][-6:]
    return "".join(next(others) if place in places else sign for place, sign in enumerate(number))


def _malformed(what: str, text: str, how: str) -> Refusal:
    return Refusal(f"malformed_{what}", f"found {shown(text)}, which {how}", "Correct it at the source")
