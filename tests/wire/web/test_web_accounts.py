"""Who may sign in, and for how long something is remembered of who may not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from monitor.web import accounts as module
from monitor.web.access import Role, User
from monitor.web.accounts import TRIED, TRIES, Accounts
from schemas.problem import ProblemsError

NOW = 1_800_000_000_000_000


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    with closing(Accounts.at(tmp_path / "page.db")) as made:
        made.add(User("chen", Role.SUPERVISOR), "correct horse", NOW)
        yield made


def test_a_program_goes_on_after_a_new_password_and_ends_when_it_is_told(accounts: Accounts) -> None:
    """A password that was forgotten, then one that got out."""
    first, second = accounts.new_token("chen", NOW), accounts.new_token("chen", NOW)
    accounts.add(User("chen", Role.AUDITOR), "battery staple", NOW)
    assert accounts.bearer(first) == User("chen", Role.AUDITOR)
    assert accounts.end_tokens("chen") == 2
    assert accounts.bearer(first) is None
    assert accounts.bearer(second) is None
    assert accounts.end_tokens("chen") == 0
    with pytest.raises(ProblemsError, match="no such user"):
        accounts.end_tokens("nobody")


def test_names_that_nobody_has_are_forgotten_again(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as one likes to try; who waits goes on waiting meanwhile."""
    monkeypatch.setattr(module.passwords, "matches", lambda *_: False)
    monkeypatch.setattr(module, "NAMES", 10)
    for _ in range(TRIES):
        accounts.sign_in("chen", "wrong", NOW + TRIED - 1)
    for number in range(25):
        accounts.sign_in(f"stranger {number}", "wrong", NOW + number % 2)
    assert accounts.waits("chen", NOW + TRIED + 1)
    for number in range(25, 50):
        accounts.sign_in(f"stranger {number}", "wrong", NOW + TRIED + 10)
    kept: dict[str, Any] = accounts._failures
    assert set(kept) == {"chen", *(f"stranger {number}" for number in range(25, 50))}
