"""Items: what can be applied for, by whom it is handled, in which time. One file an item (`schemas.itemfile`), versioned.

catalogue = Catalogue.load(Path("mycity/catalogue"), directory)
catalogue.item("0123-001", None, date(2026, 3, 1))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import NamedTuple

from schemas.directory import LEVELS, Directory, Level
from schemas.itemfile import ItemText, StepText, VersionText, faults
from schemas.problem import Problem, ProblemsError
from schemas.rules import Limit
from schemas.words import Form
from schemas.yamlfile import Map, load, validated


class Step(NamedTuple):
    """One step of the graph. `by` is relative to the case: `Directory.resolve` names the authority. `when` is CEL."""

    name: str
    by: str
    title: str = ""
    after: tuple[str, ...] = ()
    when: str | None = None
    limit: Limit | None = None


class Item(NamedTuple):
    """One version of an item, as it holds in one region."""

    code: str
    name: str
    department: str
    version: str
    start: date
    end: date | None
    form: Form
    promised: Limit | None
    statutory: Limit | None
    accepted_at: Level | None
    decided_at: Level | None
    assisting: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def joint(self) -> bool:
        """Whether several departments approve: the lead decides only after all assistants have."""
        return self.form is Form.JOINT or bool(self.assisting)

    @property
    def hands_up(self) -> bool:
        """Whether a lower level accepts what a higher one decides."""
        return bool(self.accepted_at and self.decided_at and self.decided_at < self.accepted_at)

    def step(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    def ready(self, done: Iterable[str]) -> tuple[Step, ...]:
        """The steps not done that nothing undone comes before: they run side by side."""
        finished = frozenset(done)
        return tuple(step for step in self.steps if step.name not in finished and finished.issuperset(step.after))


class Catalogue:
    """The items of a deployment, each with its versions in order of their first day."""

    def __init__(self, texts: Iterable[ItemText] = ()) -> None:
        self._texts = {text.item: text for text in texts}
        self._versions = {code: tuple(sorted(text.versions, key=_start)) for code, text in self._texts.items()}
        self._made: dict[tuple[str, str, str], Item] = {}

    @classmethod
    def load(cls, folder: Path, directory: Directory | None = None) -> Catalogue:
        """Raises ProblemsError with a file and line for each fault; with a directory, departments are checked too."""
        problems: list[Problem] = []
        texts = [text for path in sorted(folder.glob("*.yaml")) if (text := _text(path, directory, problems))]
        if problems:
            raise ProblemsError(*problems)
        return cls(texts)

    def __contains__(self, code: object) -> bool:
        return code in self._texts

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        """The codes of all items."""
        return iter(self._texts)

    def knows(self, code: str, version: str) -> bool:
        return any(known.version == version for known in self._versions.get(code, ()))

    def item(self, code: str, version: str | None, on: date, region: str = "") -> Item | None:
        """The item in the named version, else in the one that holds on the day; None where there is none.

        A version that the catalogue does not know (departments number their own) counts as not named: ask `knows`.
        """
        versions = self._versions.get(code, ())
        found = next((known for known in versions if known.version == version), None) or _holding(versions, on)
        return self._item(code, found, region) if found else None

    def last(self, code: str, region: str = "") -> Item | None:
        """The item in its last version; None where there is none, or where it ended: the item was abolished."""
        return self.item(code, None, date.max, region)

    def _item(self, code: str, version: VersionText, region: str) -> Item:
        key = (code, version.version, region if region in version.regions else "")
        if key not in self._made:
            self._made[key] = _item(self._texts[code], version, key[2])
        return self._made[key]


def _start(version: VersionText) -> date:
    return version.start


def _holding(versions: Iterable[VersionText], on: date) -> VersionText | None:
    """The last version begun by the day, unless it has ended: a version without an end gives way to the next."""
    begun = [version for version in versions if version.start <= on]
    return begun[-1] if begun and (begun[-1].end is None or on <= begun[-1].end) else None


def _item(text: ItemText, version: VersionText, region: str) -> Item:
    local = version.regions.get(region)
    return Item(
        text.item,
        text.name,
        text.department,
        version.version,
        version.start,
        version.end,
        version.form,
        (local and local.promised) or version.promised,
        (local and local.statutory) or version.statutory,
        (local and local.accepted_at) or version.accepted_at,
        (local and local.decided_at) or version.decided_at,
        version.assisting,
        tuple(_step(step) for step in version.steps),
    )


def _step(step: StepText) -> Step:
    return Step(step.step, step.by, step.name or step.step, step.after, step.when, step.limit)


def _text(path: Path, directory: Directory | None, problems: list[Problem]) -> ItemText | None:
    """One file, or None and its faults."""
    try:
        node = load(path)
        text = validated(ItemText, node)
    except ProblemsError as error:
        problems.extend(error.problems)
        return None
    if text.item != path.stem:
        problems.append(
            Problem(node.where("item"), f"item {text.item} stands in {path.name}", f"Name the file {text.item}.yaml.")
        )
    problems.extend(faults(text, node))
    if directory:
        problems.extend(_strangers(text, node, directory))
    return text


def _strangers(text: ItemText, node: Map, directory: Directory) -> Iterator[Problem]:
    """Departments and regions that the directory does not have."""
    departments = {authority.department for authority in directory.authorities.values()}
    hint = "Add it to directory/authorities.csv, or correct the name."
    for number, version in enumerate(text.versions):
        place = node["versions"][number]
        for department in version.assisting:
            if department not in departments:
                yield Problem(place.where("assisting"), f"department {department} is not in the directory", hint)
        for index, step in enumerate(version.steps):
            if not _known(step.by, departments, directory.authorities):
                yield Problem(place["steps"][index].where("by"), f"{step.by} is not in the directory", hint)
        for region in version.regions:
            if region not in directory.regions:
                where = place["regions"].where(region)
                yield Problem(
                    where, f"region {region} is not in the directory", "Add it to directory/regions.csv, or correct it."
                )


def _known(by: str, departments: set[str], authorities: Mapping[str, object]) -> bool:
    department, _, place = by.partition("@")
    return department in departments if place in LEVELS else by in authorities
