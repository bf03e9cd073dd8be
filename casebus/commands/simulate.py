"""`casebus simulate`: recorded cases under other items, days or rules. It reads the view and publishes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import and_, select

from casebus.commands import output
from casebus.commands.open_view import opened
from casebus.deployment import FILE, Rules
from casebus.wiring import Wiring
from monitor import tables
from monitor.view import Snapshot, View
from router.case import fold
from router.contexts import Contexts
from router.effect import local_date
from router.simulate import Terms
from router.whatif import Pair, Side, compare
from schemas import limits
from schemas.calendar import Calendar
from schemas.case import Case
from schemas.catalogue import Catalogue
from schemas.envelope import Event
from schemas.problem import Problem, ProblemsError
from schemas.rules import overlaid
from schemas.yamlfile import load, validated

_HEADS = (
    "department",
    "item",
    ">cases",
    ">end otherwise",
    ">abolished",
    ">late",
    ">late then",
    ">days sooner",
    ">days counted",
    "load",
)


class Asked(NamedTuple):
    """What is to be changed, and from which application on; what is not named stays as it is."""

    since: str
    catalogue: Path | None = None
    calendar: Path | None = None
    rules: Path | None = None


class Row:
    """One item of one department."""

    def __init__(self, department: str, item: str) -> None:
        self.department, self.item = department, item
        self.cases = self.otherwise = self.abolished = self.sooner = self.counted = 0
        self.late, self.late_after = 0, 0
        self.load: Counter[str] = Counter()

    def add(self, pair: Pair) -> None:
        self.cases += 1
        self.otherwise += pair.changed
        self.abolished += pair.abolished
        self.late += pair.before.late
        self.late_after += pair.after.late and not pair.abolished
        self.sooner += 0 if pair.abolished else pair.sooner
        self.counted += 0 if pair.abolished else pair.counted
        self._moves(pair)

    def _moves(self, pair: Pair) -> None:
        """Who decides one case more, who one less."""
        if pair.abolished:
            self.load[pair.before.decider] -= 1
        elif pair.before.decider != pair.after.decider:
            self.load[pair.before.decider] -= 1
            self.load[pair.after.decider] += 1

    def to_json(self) -> dict[str, Any]:
        return {
            "department": self.department,
            "item": self.item,
            "cases": self.cases,
            "otherwise": self.otherwise,
            "abolished": self.abolished,
            "late": self.late,
            "late_after": self.late_after,
            "days_sooner": self.sooner,
            "days_counted": self.counted,
            "load": {name: count for name, count in sorted(self.load.items()) if count},
        }


def run(folder: Path, asked: Asked, *, as_json: bool) -> int:
    """Raises ProblemsError with file and line for a fault in the other catalogue, calendar or rules."""
    with opened(folder) as (wiring, view):
        rows = simulated(wiring, view, asked)
    found = [row.to_json() for row in rows]
    if as_json:
        output.as_json({"since": asked.since, "published": 0, "items": found})
        return 0
    cells = [[*list(one.values())[:9], _load(one["load"])] for one in found if one["otherwise"]]
    if cells:
        output.console().print(output.table(f"Cases applied for since {asked.since}, under the other terms", _HEADS, cells))
    output.console().print(_summary(rows))
    return 0


def _summary(rows: list[Row]) -> str:
    """One sentence for whoever has to decide."""
    cases, otherwise, sooner = (sum(getattr(row, name) for row in rows) for name in ("cases", "otherwise", "sooner"))
    same = sum(not row.otherwise for row in rows)
    late, then = sum(row.late for row in rows), sum(row.late_after for row in rows)
    return (
        f"Of {cases} cases {otherwise} would have gone otherwise: {sooner} working days sooner in all,"
        f" {then} late instead of {late}. {output.several(same, 'item')} as before. Nothing was published."
    )


def _load(load: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:+d}" for name, count in load.items())


def simulated(wiring: Wiring, view: View, asked: Asked) -> list[Row]:
    """By department and item, the most changed first."""
    then, other = sides(wiring, asked)
    now, since = wiring.now(view)(), wiring.deployment.moment(asked.since)
    with view.snapshot() as snapshot:
        return compared(_recorded(snapshot, wiring, since), (then, other), now)


def compared(recorded: Iterable[tuple[str, list[Event]]], both: tuple[Side, Side], now: int) -> list[Row]:
    """The same of any recorded cases, each with its events. Pure."""
    then, other = both
    rows: dict[tuple[str, str], Row] = {}
    for key, events in recorded:
        case = fold(events, then.law.profile, key)
        again = case if then.law.profile == other.law.profile else fold(events, other.law.profile, key)
        pair = compare(case, then, again, other, now)
        rows.setdefault((pair.department, pair.item), Row(pair.department, pair.item)).add(pair)
    return sorted(rows.values(), key=lambda row: (-row.otherwise, row.department, row.item))


def sides(wiring: Wiring, asked: Asked) -> tuple[Side, Side]:
    """As it is, and as it would be. Cases are judged by the version they had; in another catalogue by its last one."""
    catalogue = Catalogue.load(_folder(asked.catalogue), wiring.directory) if asked.catalogue else None
    calendar = _calendar(wiring, asked.calendar) if asked.calendar else wiring.calendar
    own = wiring.settings.rules
    rules = _rules(wiring, asked.rules) if asked.rules else own
    return _side(wiring, (wiring.catalogue, wiring.calendar, own), last=False), _side(
        wiring, (catalogue or wiring.catalogue, calendar, rules), last=catalogue is not None
    )


def _side(wiring: Wiring, by: tuple[Catalogue, Calendar, Rules], *, last: bool) -> Side:
    catalogue, calendar, rules = by
    zone = wiring.settings.zone
    terms = limits.Terms(rules.clock, calendar, wiring.deployment.zone)
    profile = rules.law.model_copy(update={"terms": terms})

    def item(case: Case) -> Any:
        if last or case.applied_at is None:
            return catalogue.last(case.item, case.region)
        return catalogue.item(case.item, case.item_version or None, local_date(case.applied_at, zone), case.region)

    contexts = Contexts(catalogue, wiring.directory, zone, last=last)
    return Side(Terms(profile, contexts), terms, item, wiring.directory)


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise ProblemsError(
            Problem(str(path), "here is no folder of items", "Copy the deployment's catalogue/ and change the copy.")
        )
    return path


def _calendar(wiring: Wiring, path: Path) -> Calendar:
    settings = wiring.settings.calendar
    return Calendar.from_settings(
        settings.model_copy(update={"files": (*settings.files, str(path.absolute()))}), wiring.deployment.folder
    )


def _rules(wiring: Wiring, path: Path) -> Rules:
    """A file written as section `rules:` of casebus.yaml; what it does not name stays as it is."""
    if not path.is_file():
        raise ProblemsError(
            Problem(str(path), "here is no file of rules", "Write `clock:` or `law:` into it as under `rules:` in casebus.yaml.")
        )
    given = load(path)
    validated(Rules, given)
    own = load(wiring.deployment.path(FILE)).get("rules") or {}
    return Rules.model_validate(overlaid(own, given))


def _recorded(snapshot: Snapshot, wiring: Wiring, since: int) -> Iterator[tuple[str, list[Event]]]:
    """The events that count of each case applied for since then."""
    e, aside, cases = tables.events.c, tables.set_aside, tables.cases.c
    joined = tables.events.join(tables.cases, and_(cases.case_key == e.case_key, cases.forwards_to == "", ~cases.expired))
    joined = joined.outerjoin(aside, and_(aside.c.case_key == e.case_key, aside.c.sequence == e.sequence))
    query = select(e.case_key, e.raw).select_from(joined).where(aside.c.standing.is_(None), cases.applied_at >= since)
    for key, group in groupby(snapshot.stream(query.order_by(e.case_key)), key=attrgetter("case_key")):
        yield key, [wiring.codec.decode(row.raw) for row in group]
