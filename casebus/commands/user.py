"""`casebus user`: who may see the page, and the tokens of programs."""

from __future__ import annotations

import getpass
import secrets
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from casebus.commands import output
from casebus.deployment import Deployment
from casebus.wiring import Wiring
from monitor.clockmode import wall
from monitor.web.access import Role, User
from monitor.web.accounts import Accounts
from schemas.problem import Problem, ProblemsError

SHORTEST = 10


def add(folder: Path, name: str, role: str, region: str, *, stdin: bool) -> int:
    """The password is asked for, twice; from a pipe with `stdin`. Raises ProblemsError for what cannot be."""
    with _opened(folder) as (wiring, accounts):
        user = User(_name(name), _role(role), _region(wiring, region))
        password = sys.stdin.readline().rstrip("\r\n") if stdin else _asked()
        if len(password) < SHORTEST:
            raise ProblemsError(Problem("password", f"it has {len(password)} characters", f"Take at least {SHORTEST}."))
        accounts.add(user, password, wall())
    sys.stdout.write(f"{user.name} may now sign in as {user.role} of {user.region or 'the whole deployment'}.\n")
    return 0


def show_all(folder: Path, *, as_json: bool) -> int:
    with _opened(folder) as (_, accounts):
        found = accounts.users()
    if as_json:
        output.as_json([user._asdict() for user in found])
    else:
        output.console().print(output.table("", ("name", "role", "region"), found))
    return 0


def remove(folder: Path, name: str) -> int:
    with _opened(folder) as (_, accounts):
        accounts.remove(name)
    sys.stdout.write(f"{name} is signed out and gone.\n")
    return 0


def token(folder: Path, name: str) -> int:
    with _opened(folder) as (_, accounts):
        sys.stdout.write(accounts.new_token(name, wall()) + "\n")
    return 0


def end_tokens(folder: Path, name: str) -> int:
    with _opened(folder) as (_, accounts):
        ended = accounts.end_tokens(name)
    sys.stdout.write(f"{output.several(ended, 'token')} of {name} ended. Make new ones: casebus user token {name}\n")
    return 0


def made_up(accounts: Accounts, name: str) -> str:
    """Somebody who sees everything, with a password made up now; for the demo."""
    password = secrets.token_urlsafe(9)
    accounts.add(User(name, Role.SUPERVISOR), password, wall())
    return password


@contextmanager
def _opened(folder: Path) -> Iterator[tuple[Wiring, Accounts]]:
    wiring = Wiring(Deployment.load(folder))
    with closing(wiring.accounts) as accounts:
        yield wiring, accounts


def _asked() -> str:
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("Again: "):
        raise ProblemsError(Problem("password", "the two are not the same", "Start again."))
    return password


def _name(name: str) -> str:
    if not name.strip() or len(name) > 64:
        raise ProblemsError(Problem(name, "this is no name", "Take 1 to 64 characters."))
    return name.strip()


def _role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError as error:
        raise ProblemsError(Problem(role, "there is no such role", f"Take one of {', '.join(Role)}.")) from error


def _region(wiring: Wiring, region: str) -> str:
    if region and region not in wiring.directory.regions:
        raise ProblemsError(Problem(region, "the directory has no such region", "Take a code of directory/regions.csv."))
    return region
