"""What Jichuan's seven systems hand over: one format and one vocabulary each, with the dirt of real exports.

Like `demo_city` it imports nothing of ours. Rows repeat, come late, come again corrected, or are plainly wrong; which
wrong row is written where is counted before anything is published.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

from lxml import etree
from openpyxl import Workbook

from casebus import demo_city as city
from casebus.demo_city import Case, Fact
from casebus.demo_truth import truth

BEIJING = timezone(timedelta(hours=8))
Row = dict[str, Any]
TimeText = Callable[[datetime], Any]


def _slashes(at: datetime) -> str:
    return f"{at:%Y/%m/%d %H:%M}"


def _spaced(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def _offset(at: datetime) -> str:
    return at.replace(tzinfo=BEIJING).isoformat()


def _zulu(at: datetime) -> str:
    return f"{at.replace(tzinfo=BEIJING).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _millis(at: datetime) -> int:
    return int(at.replace(tzinfo=BEIJING).timestamp() * 1000)


def _cell(at: datetime) -> datetime:
    return at


@dataclass(frozen=True)
class System:
    """How one system writes: its file, its codes for what happened, its way to write a time, and its file format."""

    name: str
    file: str
    prefix: str
    codes: dict[str, str]
    time: TimeText
    write: Callable[[Path, list[Row]], None]
    #: What a row claims that belongs to no application, and where the numbers of such cases begin.
    step: str
    strangers: int


VALUES = ("ref", "to", "part", "days", "round", "text", "name", "identity", "phone", "channel")


def _row(system: System, fact: Fact, serial: int, item: str, rng: Random) -> Row:
    reported = min(fact.at + fact.lag, city.NOW)
    return {
        "serial": f"{system.prefix}-{serial:07d}",
        "version": fact.version,
        "case": fact.case,
        "code": system.codes[fact.kind],
        "at": system.time(fact.at),
        "reported": system.time(reported),
        "region": fact.region,
        "item": item,
        "operator": f"{fact.department[:2].upper()}{rng.randint(1, 40):02d}",
        **{name: fact.values.get(name) for name in VALUES},
        "order": reported,
    }


# ---------------------------------------------------------------- dirt


def _dirty(system: System, rows: list[Row], rng: Random) -> tuple[list[Row], Counter[str]]:
    """The rows with dirt among them, in the order of reporting, and how many of each wrong kind were added."""
    extra: list[Row] = []
    for row in rows:
        chance = rng.random()
        if chance < 0.01:
            extra.append(dict(row))
        elif chance < 0.02 and row["code"] != system.codes.get("apply"):
            extra.append({**row, "version": 2})
            row["operator"], row["at"] = "??", _earlier(system, row)
    wrong = [_spoil(system, kind, rng.choice(rows), number) for number, kind in enumerate(_wrong_kinds(system, len(rows)), 1)]
    mixed = sorted(rows + extra + [row for row, _ in wrong], key=lambda row: (row["order"], row["serial"], row["version"]))
    return mixed, Counter(kind for _, kind in wrong)


def _earlier(system: System, row: Row) -> Any:
    return system.time(row["order"] - timedelta(days=9))


def _wrong_kinds(system: System, rows: int) -> list[str]:
    kinds = ["missing_time", "impossible_date", "unknown_code", "missing_case", "orphan"]
    kinds += ["broken_line"] if system.file.endswith("jsonl") else []
    kinds += ["unknown_item"] if system.name == city.HALL else []
    return kinds * max(1, rows // 400)


def _spoil(system: System, kind: str, row: Row, number: int) -> tuple[Row, str]:
    """A wrong row beside a right one; its serial number is its own, so that nothing true is lost with it."""
    spoilt = {**row, "serial": f"{system.prefix}-X{number:06d}"}
    orphan = f"{city.COUNTIES[0]}20251231{system.strangers + number}"
    changes: dict[str, Row] = {
        "missing_time": {"at": None},
        "impossible_date": {"at": "2026-02-30 10:00:00"},
        "unknown_code": {"code": "77"},
        "missing_case": {"case": ""},
        "broken_line": {"broken": True},
        "orphan": {"case": orphan, "code": system.codes[system.step]},
        "unknown_item": {"case": orphan, "item": "9912-XX-999", "code": HALL_CODES["apply"]},
    }
    return {**spoilt, **changes[kind]}, kind


# ---------------------------------------------------------------- formats


def _texts(row: Row, names: Iterable[str]) -> list[str]:
    return ["" if row.get(name) is None else str(row[name]) for name in names]


QUALITY_COLUMNS = {
    "流水号": "serial",
    "版本": "version",
    "办件编号": "case",
    "状态": "code",
    "办理时间": "at",
    "上报时间": "reported",
    "行政区划": "region",
    "经办人": "operator",
    "关联号": "ref",
    "去向": "to",
    "说明": "text",
}


def write_quality(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="gb18030", newline="") as file:
        out = csv.writer(file)
        out.writerow(QUALITY_COLUMNS)
        out.writerows(_texts(row, QUALITY_COLUMNS.values()) for row in rows)


FIRE_COLUMNS = {
    "ID": "serial",
    "VER": "version",
    "JOB": "case",
    "STATE": "code",
    "WHEN": "at",
    "SENT": "reported",
    "OFFICER": "operator",
    "REF": "ref",
    "PART": "part",
    "NOTE": "text",
}


def write_fire(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, delimiter=";")
        out.writerow(FIRE_COLUMNS)
        out.writerows(_texts(row, FIRE_COLUMNS.values()) for row in rows)


def write_market(path: Path, rows: list[Row]) -> None:
    path.write_text("".join(_market_line(row) for row in rows), encoding="utf-8")


def _market_line(row: Row) -> str:
    body = {
        "id": row["serial"],
        "ver": row["version"],
        "case": {"no": row["case"], "region": row["region"]},
        "step": {"code": row["code"], "at": row["at"], "ref": row["ref"], "text": row["text"]},
        "who": row["operator"],
        "sent": row["reported"],
    }
    line = json.dumps(body, ensure_ascii=False)
    return (line[: len(line) // 2] if row.get("broken") else line) + "\n"


ENVIRONMENT_COLUMNS = {
    "序号": "serial",
    "版次": "version",
    "项目编号": "case",
    "环节": "code",
    "时间": "at",
    "报送时间": "reported",
    "区划": "region",
    "承办人": "operator",
    "编号": "ref",
    "接收单位": "to",
    "分件": "part",
    "天数": "days",
    "备注": "text",
}


def write_environment(path: Path, rows: list[Row]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("办理情况")
    sheet.append(["霁川市生态环境局审批办理情况"])
    sheet.append([f"导出时间：{city.NOW:%Y年%m月%d日}"])
    sheet.append(list(ENVIRONMENT_COLUMNS))
    for row in rows:
        sheet.append([row.get(name) for name in ENVIRONMENT_COLUMNS.values()])
    sheet.append(["合计", len(rows)])
    book.save(path)


NAMESPACE = "urn:jichuan:planning"


def write_planning(path: Path, rows: list[Row]) -> None:
    root = etree.Element(f"{{{NAMESPACE}}}cases", nsmap={None: NAMESPACE})  # type: ignore[dict-item]  # None is lxml's word for the default namespace
    for number, steps in groupby(sorted(rows, key=lambda row: str(row["case"])), key=lambda row: str(row["case"])):
        case = etree.SubElement(root, f"{{{NAMESPACE}}}case", number=number)
        for row in steps:
            step = etree.SubElement(
                case, f"{{{NAMESPACE}}}step", serial=row["serial"], version=str(row["version"]), code=row["code"]
            )
            for name in ("at", "reported", "region", "operator", "ref", "to", "part", "text"):
                if row[name] is not None:
                    etree.SubElement(step, f"{{{NAMESPACE}}}{name}").text = str(row[name])
    etree.ElementTree(root).write(str(path), encoding="UTF-8", xml_declaration=True, pretty_print=True)


#: column -> value, as in the spreadsheets above
HALL_COLUMNS = {
    "serial": "serial",
    "version": "version",
    "case_no": "case",
    "code": "code",
    "happened": "at",
    "updated": "reported",
    "region": "region",
    "item": "item",
    "operator": "operator",
    "ref": "ref",
    "round": "round",
    "days": "days",
    "note": "text",
    "name": "name",
    "identity": "identity",
    "phone": "phone",
    "channel": "channel",
}


def write_hall(path: Path, rows: list[Row]) -> None:
    with _database(path) as db:
        _table(db, "window_log", HALL_COLUMNS, rows)


HANDLING_COLUMNS = {
    "serial": "serial",
    "version": "version",
    "local_no": "case",
    "code": "code",
    "happened": "at",
    "updated": "reported",
    "operator": "operator",
    "ref": "ref",
    "receiver": "to",
    "part": "part",
    "days": "days",
    "note": "text",
}


def write_construction(path: Path, rows: list[Row]) -> None:
    """Numeric codes and local numbers, each with a table that tells what they mean."""
    numbers = sorted({row["case"] for row in rows if row["case"]})
    locals_ = {number: f"JS{position:06d}" for position, number in enumerate(numbers, 1)}
    with _database(path) as db:
        db.execute("CREATE TABLE state_code (code INTEGER PRIMARY KEY, meaning TEXT)")
        _insert(db, "state_code", [[int(code), kind] for kind, code in CONSTRUCTION_CODES.items()])
        db.execute("CREATE TABLE project (local_no TEXT PRIMARY KEY, case_no TEXT)")
        _insert(db, "project", [[local, number] for number, local in locals_.items()])
        _table(
            db,
            "handling",
            HANDLING_COLUMNS,
            [{**row, "case": locals_.get(row["case"]), "code": int(row["code"])} for row in rows],
        )


def _table(db: sqlite3.Connection, name: str, columns: dict[str, str], rows: list[Row]) -> None:
    db.execute(f"CREATE TABLE {name} (id INTEGER PRIMARY KEY, {', '.join(columns)})")
    _insert(db, name, [[None, *(row[value] for value in columns.values())] for row in rows])


def _insert(db: sqlite3.Connection, table: str, rows: list[list[Any]]) -> None:
    if rows:
        db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)  # noqa: S608  a name of ours


def _database(path: Path) -> sqlite3.Connection:
    path.unlink(missing_ok=True)
    return sqlite3.connect(path)


HALL_CODES = {
    "apply": "SB",
    "receive": "SJ",
    "ask": "BZ",
    "bring": "BL",
    "book": "YY",
    "ticket": "QH",
    "link": "GL",
    "withdraw": "CJ",
    "collect": "LZ",
    "rate": "PJ",
}
QUALITY_CODES = {
    "confirm": "10",
    "accept": "20",
    "refuse": "29",
    "pause": "31",
    "resume": "32",
    "start": "40",
    "finish": "41",
    "across": "50",
    "grant": "90",
    "deny": "99",
}
MARKET_CODES = {"sign": "M00", "accept": "M10", "refuse": "M19", "start": "M20", "finish": "M21", "grant": "M90", "deny": "M99"}
ENVIRONMENT_CODES = {
    "accept": "受理",
    "refuse": "不予受理",
    "start": "审查开始",
    "finish": "审查完成",
    "up": "上报",
    "sign": "接收",
    "pause": "专家评审开始",
    "resume": "专家评审结束",
    "grant": "准予许可",
    "deny": "不予许可",
}
PLANNING_CODES = {"accept": "A", "refuse": "N", "down": "D", "sign": "R", "start": "S", "finish": "F", "grant": "Y", "deny": "X"}
CONSTRUCTION_CODES = {"accept": "1", "refuse": "9", "across": "3", "extend": "4", "grant": "7", "deny": "8"}
FIRE_CODES = {"sign": "RCV", "link": "REG", "finish": "OPN"}

SYSTEMS = (
    System(city.HALL, "hall.sqlite", "HL", HALL_CODES, _spaced, write_hall, "bring", 901000),
    System(city.QUALITY, "quality.csv", "QS", QUALITY_CODES, _slashes, write_quality, "accept", 902000),
    System(city.MARKET, "market.jsonl", "MS", MARKET_CODES, _millis, write_market, "accept", 903000),
    System(city.ENVIRONMENT, "environment.xlsx", "EN", ENVIRONMENT_CODES, _cell, write_environment, "accept", 904000),
    System(city.PLANNING, "planning.xml", "PL", PLANNING_CODES, _zulu, write_planning, "accept", 905000),
    System(city.CONSTRUCTION, "construction.sqlite", "CO", CONSTRUCTION_CODES, _spaced, write_construction, "accept", 906000),
    System(city.FIRE, "fire.csv", "FR", FIRE_CODES, _offset, write_fire, "finish", 907000),
)


def write(folder: Path, cases: int = 500, seed: int = 7) -> dict[str, Any]:
    """Write the exports and, before anybody reads them, the truth (`truth.json`); returns the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    made = city.simulate(cases, seed)
    dead_letters: Counter[str] = Counter()
    for system in SYSTEMS:
        dead_letters += _export(folder, system, made, Random(f"dirt/{seed}/{system.name}"))  # noqa: S311  a made-up city
    told = truth(made, dead_letters)
    (folder / "truth.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    return told


def _export(folder: Path, system: System, cases: list[Case], rng: Random) -> Counter[str]:
    facts = [(_late(fact, rng), case.item.code) for case in cases for fact in case.facts if fact.department == system.name]
    facts.sort(key=lambda pair: pair[0].at)
    rows = [_row(system, fact, serial, item, rng) for serial, (fact, item) in enumerate(facts, 1)]
    mixed, wrong = _dirty(system, rows, rng) if rows else (rows, Counter())
    system.write(folder / system.file, mixed)
    return wrong


def _late(fact: Fact, rng: Random) -> Fact:
    """Some rows are keyed in after the fact (补录): hours or weeks late."""
    return replace(fact, lag=timedelta(hours=rng.randint(2, 900))) if rng.random() < 0.03 else fact
