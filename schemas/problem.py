"""A fault in what somebody wrote, said so that they can mend it: where, what was found, what to write instead."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """One fault. `where` is a file with line, or a field; `instead` is a remedy in the imperative."""

    where: str
    found: str
    instead: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}. {self.instead}"


class ProblemsError(Exception):
    """Files of a deployment cannot be used as they are. Repaired by whoever wrote them."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))
