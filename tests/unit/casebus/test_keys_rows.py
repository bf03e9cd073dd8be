"""Which refused rows a destruction of keys takes along: those that name the case, and nobody else's."""

from __future__ import annotations

import pytest

from casebus.commands.keys import naming


@pytest.mark.parametrize("row", ['{"no":"17"}', '{"no": 17}', "3,17,2026", "17", "ticket 17.", "票号17号", "hall/A-9"])
def test_a_row_names_the_case_by_its_number(row: str) -> None:
    assert naming({"ticket:17", "ticket:A-9"}).search(row.encode())


@pytest.mark.parametrize("row", ["13917001700", "2026-170", "2026-01-17", "17.5", "A17", "", "hall/A-91"])
def test_a_number_within_something_longer_is_not_it(row: str) -> None:
    """A telephone number, a date: the keys of other people's rows would be destroyed for ever."""
    assert not naming({"ticket:17", "ticket:A-9"}).search(row.encode())
