"""Who may see and do what: roles as a table, and the regions somebody answers for."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from schemas.directory import Region


class Role(StrEnum):
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    OPERATOR = "operator"


class Right(StrEnum):
    """What a role may. Lights and figures are shown to everybody who may sign in."""

    CASES = "cases"  # single cases
    CLEAR = "clear"  # people's names as they are
    SUPERVISE = "supervise"  # take cases up, urge, close
    LETTERS = "letters"  # what was refused
    RAW = "raw"  # the bytes of what was refused: they may hold anything
    LOOKS = "looks"  # who looked at what
    OPERATE = "operate"  # pause, resume, restart, rewind connectors


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.SUPERVISOR: frozenset({Right.CASES, Right.SUPERVISE, Right.LETTERS}),
    Role.AUDITOR: frozenset({Right.CASES, Right.CLEAR, Right.LETTERS, Right.RAW, Right.LOOKS}),
    Role.OPERATOR: frozenset({Right.LETTERS, Right.RAW, Right.OPERATE}),
}


class User(NamedTuple):
    """Somebody signed in. `region` is empty for who sees the whole deployment."""

    name: str
    role: Role
    region: str = ""

    def may(self, right: Right) -> bool:
        return right in RIGHTS[self.role]


#: Region codes; None: all, also cases whose region nobody knows.
Scope = frozenset[str] | None


def scope(user: User, regions: Mapping[str, Region]) -> Scope:
    """The region and all that lies in it. A region that the directory does not have (any more) shows nothing."""
    if not user.region:
        return None
    return inside(user.region, regions)


def inside(region: str, regions: Mapping[str, Region]) -> frozenset[str]:
    """The codes of a region and of all that lies in it; none for one that the directory does not have."""
    return frozenset(code for code in regions if region in _upwards(code, regions))


def within(region: str, allowed: Scope) -> bool:
    return allowed is None or region in allowed


def _upwards(code: str, regions: Mapping[str, Region]) -> list[str]:
    path: list[str] = []
    while code in regions and code not in path:
        path.append(code)
        code = regions[code].parent
    return path
