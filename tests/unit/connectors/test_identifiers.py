"""Numbers that prove themselves, and characters that a codec misplaced: put right where there is one answer, else refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from connector_world import CSV, MAPPING, NOW, connector, row
from hypothesis import given
from hypothesis import strategies as st

from connectors import identifiers
from connectors.gb18030 import PAIRS, repaired
from connectors.mapping import Rejection
from connectors.values import Refusal


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("11010519491231002X", "11010519491231002X"),  # the example of GB 11643-1999
        (" 11010519491231002x", "11010519491231002X"),
        ("４４０５２４１８８００１０１００１４", "440524188001010014"),  # and its second one
        ("110105491231002", "11010519491231002X"),
        (None, None),
    ],
)
def test_an_identity_number_has_eighteen_characters(text: str | None, number: str | None) -> None:
    """Width and case are folded; fifteen digits are of the twentieth century."""
    assert identifiers.identity(text) == number


@pytest.mark.parametrize(
    "text", ["110105194912310021", "11010519491331002X", "1101051949123100", "01010519491231002X", "E12345678", ""]
)
def test_an_identity_number_that_fails_its_check_is_refused(text: str) -> None:
    """A wrong check character, a day that never was, another length, a passport."""
    with pytest.raises(Refusal, match="malformed_identity"):
        identifiers.identity(text)


@given(st.from_regex(r"[1-9]\d{5}(19[0-9]{2}|20[01][0-9])(0[1-9]|1[0-2])(0[1-9]|1\d|2[0-8])\d{3}", fullmatch=True))
def test_one_wrong_digit_never_passes(digits: str) -> None:
    """The modulus is prime: any single digit that is changed changes the check character."""
    if not digits.isascii():
        return
    whole = next(f"{digits}{check}" for check in "0123456789X" if _passes(f"{digits}{check}"))
    other = f"{whole[:16]}{(int(whole[16]) + 1) % 10}{whole[17]}"
    assert not _passes(other)


def _passes(number: str) -> bool:
    try:
        return identifiers.identity(number) == number
    except Refusal:
        return False


def test_a_credit_code_proves_itself() -> None:
    """GB 32100-2015: upper case, and the check character of 31 signs."""
    assert identifiers.credit_code(" 91350100m000100y43") == "91350100M000100Y43"  # the example of the standard
    assert identifiers.credit_code(None) is None
    for wrong in ("91350100M000100Y44", "91350100M000100Y4", "91350100I000100Y43"):
        with pytest.raises(Refusal, match="malformed_credit_code"):
            identifiers.credit_code(wrong)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("+86 138-0000-0000", "13800000000"),
        ("0086 13800000000", "13800000000"),
        ("(023) 6754 1234", "02367541234"),
        ("023-67541234 转 801", "02367541234-801"),
        ("４００-８１０-１２３４", "4008101234"),
        (None, None),
    ],
)
def test_a_telephone_is_its_digits(text: str | None, digits: str | None) -> None:
    """Whatever people put between them."""
    assert identifiers.phone(text) == digits


@pytest.mark.parametrize("text", ["12800000000", "1380000000", "无", "13800000000/13900000000", "023-67541234转x"])
def test_what_is_no_telephone_is_refused(text: str) -> None:
    """Two numbers in one cell are not one."""
    with pytest.raises(Refusal, match="malformed_phone"):
        identifiers.phone(text)


@pytest.mark.parametrize(("code", "private", "real"), PAIRS)
def test_a_misplaced_character_is_put_right(code: str, private: int, real: int) -> None:
    """The table stands on the codec as it is: should Python's mapping change, this tells."""
    decoded = bytes.fromhex(code).decode("gb18030")
    assert decoded in (chr(private), chr(real))
    assert repaired(f"王{decoded}") == f"王{chr(real)}"


@given(st.text())
def test_repair_touches_nothing_else(text: str) -> None:
    """And done twice it changes nothing more."""
    assert repaired(repaired(text)) == repaired(text)
    private = {chr(private) for _, private, _ in PAIRS}
    assert [one for one in text if one not in private] == [
        new for old, new in zip(text, repaired(text), strict=True) if old not in private
    ]


def test_columns_are_repaired_by_default_and_prove_their_numbers_when_asked(tmp_path: Path) -> None:
    """A name from a GB18030 table, and an identity number with a wrong digit."""
    found = connector(tmp_path, CSV, MAPPING.replace("who: {}", "who: {}\n  identity: {clean: identity}"))
    plain = {"id": "1", "case_no": "C1", "at": "2025-06-01 09:00:00", "who": "王\ue81e"}
    (event,) = found.mapping.translate(row(**plain, identity=" "), NOW)
    assert event.header["actor"] == {"value": "王\u9fb4"}  # type: ignore[union-attr]  a Rejection would not unpack to one event
    refused = found.mapping.translate(row(**plain, identity="110105194912310021"), NOW)
    assert isinstance(refused, Rejection)
    assert (refused.reason, refused.field) == ("malformed_identity", "identity")
