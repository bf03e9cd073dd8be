"""How Jichuan's seven systems write: each its columns, its codes for what happened, its way to write a time, its file format.

Imports nothing of ours but the made-up city.
"""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from itertools import groupby
from pathlib import Path
from typing import Any

from lxml import etree
from openpyxl import Workbook

from casebus.demo_city import NOW

BEIJING = timezone(timedelta(hours=8))
Row = dict[str, Any]
TimeText = Callable[[datetime], Any]


def slashes(at: datetime) -> str:
    return f"{at:%Y/%m/%d %H:%M}"


def spaced(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def offset(at: datetime) -> str:
    return at.replace(tzinfo=BEIJING).isoformat()


def zulu(at: datetime) -> str:
    return f"{at.replace(tzinfo=BEIJING).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def millis(at: datetime) -> int:
    return int(at.replace(tzinfo=BEIJING).timestamp() * 1000)


def cell(at: datetime) -> datetime:
    return at


# -- codes

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

# -- files


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
    sheet.append([f"导出时间：{NOW:%Y年%m月%d日}"])
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
