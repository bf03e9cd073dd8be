"""Writes the city's nodes anew: their YAML, their items, and what their systems hold. `python examples/city/nodes.py`

Each department fills its tables in a shape of its own, and none was changed for the bus. This program imports nothing of
the bus: `truth.csv` is what must come out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lives import CITY, DEPARTMENTS, Life, Node, lives, nodes, regions, rows, system_of
from moves import Custody, Telling, custody, moves, tellings
from shapes import WRITERS
from tales import ITEMS, TALES

HERE = Path(__file__).parent
#: The department sends by itself; `push.py` plays it.
SENT = frozenset({"push", "topic"})

#: What a node's YAML says besides its name: how its system is read. The mappings of the shapes stand in `mappings/`.
READ = {
    "gb-csv": ("mappings/flow.yaml", "{{path: exports/{0}.csv, format: csv, encoding: gb18030}}"),
    "zip": ("mappings/flow.yaml", "{{path: exports/{0}.zip, format: csv, member: '*.csv', encoding: utf-8}}"),
    "xlsx": ("mappings/flow.yaml", "{{path: exports/{0}.xlsx, format: xlsx, header_row: 2, totals: 合计}}"),
    "xml": ("[mappings/flow.yaml, mappings/xml.yaml]", "{{path: exports/{0}.xml, format: xml, record: case/step}}"),
    "json-lines": ("[mappings/flow.yaml, mappings/json.yaml]", "{{path: exports/{0}.jsonl, format: jsonl}}"),
    "chinese-table": (
        "[mappings/flow.yaml, mappings/table.yaml]",
        '{{url: "sqlite:///exports/{0}.db", table: 办件过程, key: 流水号, watermark: 更新时间}}',
    ),
    "push": ("[mappings/flow.yaml, mappings/json.yaml, mappings/push.yaml]", ""),
    "topic": ("[mappings/flow.yaml, mappings/json.yaml, mappings/topic.yaml]", "{{topic: approval.ingress.{0}}}"),
}


def connector(node: Node) -> str:
    """The node's YAML file."""
    if node.shape == "five-tables":
        return _profile(node, "national-five-tables", f'{{url: "sqlite:///exports/{node.name}.db"}}')
    if node.shape == "ten-tables":
        return _profile(node, "guangdong-ten-tables", f'{{url: "sqlite:///exports/{node.name}.db", watermark: GXSJ}}')
    include, source = READ[node.shape]
    read = f"source: {source.format(node.name)}\n" if source else ""
    return f"about: {node.title}\ninclude: {include}\n{read}{_deliver(node)}"


def _profile(node: Node, profile: str, source: str) -> str:
    header = f"header: {{authority: \"'{node.authority}'\", region: \"'{node.region}'\"}}\n"
    return f"about: {node.title}\nprofile: {profile}\nsource: {source}\n{header}{_deliver(node)}"


def _deliver(node: Node) -> str:
    to = node.authority if node.region == CITY else f"*@{node.region}"
    return f'deliver: {{to: "{to}", kind: files, target: {{folder: "${{CASEBUS_OUT:-out}}/{node.name}"}}}}\n'


def items(told: Iterable[Life]) -> Iterator[tuple[str, str]]:
    """One item that the counties decide, two of each department (its own, and one handed up to it), and those of the moves."""
    head = ITEM.format(code="SHOP-01", name="个体工商户登记", department="service-hall", form="promised")
    yield "SHOP-01", head + LEVELS.format("county", "county")
    codes = {step.item for life in told for step in life.steps if step.item}
    for name, title in DEPARTMENTS.items():
        for code, form, accepted in (
            (f"{name.upper()}-01", "promised", "municipal"),
            (f"{name.upper()}-02", "handed_up", "county"),
        ):
            if code in codes:
                head = ITEM.format(code=code, name=f"{title}审批事项{code[-1]}", department=name, form=form)
                yield code, head + LEVELS.format(accepted, "municipal")
    for code, (name, department, form, accepted, assisting) in ITEMS.items():
        head = ITEM.format(code=code, name=name, department=department, form=form)
        assists = f"    assisting: [{', '.join(assisting)}]\n" if assisting else ""
        yield code, head + LEVELS.format(accepted, accepted) + assists


ITEM = """\
item: {code}
name: {name}
department: {department}
versions:
  - version: "2026"
    from: 2026-01-01
    form: {form}
    promised: 12
    statutory: 20
"""
LEVELS = "    accepted_at: {}\n    decided_at: {}\n"


# ---------------------------------------------------------------- all of it


def write(folder: Path) -> None:
    """Everything that the nodes need, and the truth, below this folder."""
    told = [*lives(), *moves()]
    for node in nodes():
        _put(folder / "connectors" / f"{node.name}.yaml", connector(node))
        made = rows(node, told)
        target = folder / ("sent" if node.shape in SENT else "exports") / node.name
        target.parent.mkdir(parents=True, exist_ok=True)
        WRITERS[node.shape](target, made)
    for code, text in items(told):
        _put(folder / "catalogue" / f"{code}.yaml", text)
    _directory(folder / "directory", told)
    _truth(folder / "truth.csv", told)
    _readme(folder / "README.md")
    _csv(folder / "moves.csv", Telling._fields, tellings())
    _csv(folder / "custody.csv", Custody._fields, custody(told))


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _directory(folder: Path, told: Iterable[Life]) -> None:
    """Beside what stands there by hand: lines of other regions and authorities are written anew."""
    known = dict(regions())
    places = {(code, name, "county", CITY) for code, name in known.items()}
    _merge(folder / "regions.csv", places, 0)
    halls = {(node.title, *node.authority.split("@")) for node in nodes()}
    named = {name for life in told for step in life.steps for name in (step.who, step.b)}
    lines = {name for name in named if name.partition("@")[0] in DEPARTMENTS}
    below = {(f"{known[one[-6:]]}{DEPARTMENTS[one[:-7]]}", *one.split("@")) for one in lines if one[-6:] != CITY}
    _merge(folder / "authorities.csv", halls | below, slice(1, 3))


def _merge(path: Path, made: Iterable[tuple[str, ...]], key: int | slice) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        head, *old = list(csv.reader(file))
    made = list(made)
    known = {str(row[key]) for row in made} | {str(list(row[key])) for row in made if isinstance(key, slice)}
    kept = [row for row in old if str(row[key]) not in known]
    _csv(path, head, kept + [list(row) for row in sorted(made, key=lambda row: row[key])])


def _truth(path: Path, told: Sequence[Life]) -> None:
    by_name = {node.name: node for node in nodes()}
    made = []
    for life in sorted(told, key=lambda life: life.number):
        systems = {system_of(step.who) for step in life.steps}
        sent = any(by_name[name].shape in SENT for name in systems)
        ended = f"{life.ended:%Y-%m-%d %H:%M}" if life.ended else ""
        made.append([life.number, life.outcome, ended, "sent" if sent else "there", life.shows])
    _csv(path, ["case", "outcome", "decided", "told", "shows"], made)


def _readme(path: Path) -> None:
    """The table of the lives, below its heading; what stands before and behind is written by hand."""
    if not path.is_file():
        return
    lines = path.read_text("utf-8").splitlines(keepends=True)
    first = lines.index(TABLE) + 2
    last = next((number for number in range(first, len(lines)) if not lines[number].startswith("|")), len(lines))
    path.write_text("".join([*lines[:first], *_lines(), *lines[last:]]), "utf-8")


TABLE = "| what happens | case | its system | rules that tell it |\n"


def _lines() -> Iterator[str]:
    shapes = {node.region: f"{node.title}: {node.shape}" for node in nodes() if node.region != CITY}
    rules: dict[str, list[str]] = {}
    for telling in tellings():
        rules.setdefault(telling.case, []).append(telling.rule)
    for life, tale in zip(moves(), TALES, strict=True):
        told = ", ".join(dict.fromkeys(rules[life.key]))
        yield f"| {life.shows} | `{life.number}` | {shapes[tale.region]} | {told} |\n"


def _csv(path: Path, head: Sequence[str], made: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *made])


if __name__ == "__main__":
    write(HERE)
