"""How the systems of the city write: each shape a function from rows to a file. None knows the bus."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from lives import Row
from lxml import etree
from openpyxl import Workbook

HEADINGS = ("流水号", "编号", "环节", "时间", "机关", "事项", "甲", "乙")
NAMES = ("id", "number", "what", "at", "who", "item", "a", "b")


def _text(row: Row) -> list[str]:
    return [row.serial, row.number, row.what, f"{row.at:%Y-%m-%d %H:%M}", row.who, row.item, row.a, row.b]


def _table(made: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([HEADINGS, *map(_text, made)])
    return text.getvalue()


def gb_csv(path: Path, made: Sequence[Row]) -> None:
    path.with_suffix(".csv").write_bytes(_table(made).encode("gb18030"))


def zipped(path: Path, made: Sequence[Row]) -> None:
    with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("办件/三月.csv", (2026, 4, 1, 8, 0, 0))
        archive.writestr(entry, _table(made))


def xlsx(path: Path, made: Sequence[Row]) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["办件明细"])
    sheet.append(list(HEADINGS))
    for row in made:
        sheet.append([row.serial, row.number, row.what, row.at, row.who, row.item, row.a, row.b])
    sheet.append(["合计", len(made)])
    book.save(path.with_suffix(".xlsx"))


def xml(path: Path, made: Sequence[Row]) -> None:
    root = etree.Element("cases")
    for number in dict.fromkeys(row.number for row in made):
        case = etree.SubElement(root, "case", number=number)
        for row in made:
            if row.number == number:
                step = etree.SubElement(case, "step", id=row.serial)
                for name, value in list(zip(NAMES, _text(row), strict=True))[2:]:
                    etree.SubElement(step, name).text = value or None
    etree.ElementTree(root).write(path.with_suffix(".xml"), encoding="utf-8", xml_declaration=True, pretty_print=True)


def _object(row: Row) -> dict[str, str]:
    return {name: value for name, value in zip(NAMES, _text(row), strict=True) if value}


def json_lines(path: Path, made: Sequence[Row]) -> None:
    lines = (json.dumps(_object(row), ensure_ascii=False) + "\n" for row in made)
    path.with_suffix(".jsonl").write_text("".join(lines), "utf-8")


def chinese_table(path: Path, made: Sequence[Row]) -> None:
    columns = ", ".join(f"{heading} text" for heading in HEADINGS[1:])
    _database(path, [f"create table 办件过程 (流水号 integer primary key, {columns}, 更新时间 text)"], "办件过程", [
        [*_text(row), f"{row.at + timedelta(minutes=5):%Y-%m-%d %H:%M:%S}"] for row in made
    ])  # fmt: skip


def _database(path: Path, tables: Sequence[str], name: str, made: Sequence[Sequence[object]]) -> None:
    _fill(path, tables, {name: made})


def _fill(path: Path, tables: Sequence[str], made: Mapping[str, Sequence[Sequence[object]]]) -> None:
    file = path.with_suffix(".db")
    file.unlink(missing_ok=True)
    database = sqlite3.connect(file)
    for table in tables:
        database.execute(table)
    for name, content in made.items():
        for row in content:
            database.execute(f"insert into {name} values ({', '.join('?' * len(row))})", row)  # noqa: S608  our own names
    database.commit()
    database.execute("vacuum")
    database.close()


FIVE = {
    "up_pro_accept": "task_code task_version task_name project_name project_type applyer_name applyer_type "
    "applyer_page_code contact_mobile apply_type apply_date org_code handle_user_name accept_date accept_doc_no promise_date",
    "up_pro_process": "process_name event_name event_start_time event_end_time handle_user_name handle_explain",
    "up_pro_result": "result_type result_date result_explain result_cetr_no is_delivery_results satisfaction handle_user_name",
    "up_pro_special_procedure": "special_type special_name special_time special_reason end_time handle_user",
    "up_pro_material": "material_name get_type get_num",
}
FIVE_COMMON = "row_guid project_no cd_operation cd_batch cd_time"


def _made(tables: dict[str, str], common: str) -> list[str]:
    return [
        f"create table {name} ({', '.join(f'{one} text' for one in f'{common} {own}'.split())})" for name, own in tables.items()
    ]


def _full(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def five_tables(path: Path, made: Sequence[Row]) -> None:
    """The national exchange tables: a row a case in most of them, and nowhere to tell a supplement or a hand-over."""
    content: dict[str, list[Sequence[object]]] = {name: [] for name in FIVE}
    for number, steps in _by_case(made):
        for table, row in _five(number, steps):
            content[table].append(row)
    _fill(path, _made(FIVE, FIVE_COMMON), content)


def _five(number: str, steps: dict[str, Row]) -> Iterator[tuple[str, list[object]]]:
    def common(table: str, moment: datetime) -> list[object]:
        return [f"{table}-{number}", number, "I", "1", _full(moment)]

    applied, accepted, ended = steps["申请"], steps["受理"], steps["办结"]
    people = ["张三", "1" if applied.b == "NATURAL_PERSON" else "2", None, None, "1"]
    dates = [_full(applied.at), applied.who, "李四", _full(accepted.at), f"受{number[-4:]}", None]
    yield "up_pro_accept", [*common("a", accepted.at), applied.item, None, "事项", None, "2", *people, *dates]
    yield "up_pro_material", [*common("m", accepted.at), "申请表", "1", "1"]
    if step := steps.get("环节完成"):
        times = [_full(step.at - timedelta(hours=1)), _full(step.at)]
        yield "up_pro_process", [*common("p", step.at), step.a, step.a, *times, "王五", "同意" if step.b == "PASS" else "退回"]
    if paused := steps.get("中止"):
        resumed = steps["恢复"]
        yield "up_pro_special_procedure", [
            *common("s", resumed.at), "8", "专家评审", _full(paused.at), "需要评审", _full(resumed.at), "王五",
        ]  # fmt: skip
    granted, score = ended.a == "GRANTED", steps.get("评价")
    last = [ended.b or None, f"证{number[-4:]}", "1" if "领证" in steps else "0", score.a if score else None, "赵六"]
    yield "up_pro_result", [*common("r", ended.at), "1" if granted else "3", _full(ended.at), *last]


TEN = {
    "EX_GDBS_SB": "SBSJ SQRMC SQRLX SQRZJHM LXRSJ TJFS SBXMMC YWLSH PDH",
    "EX_GDBS_WSYSL": "YSLSJ YSLJGDM YSLJGYY",
    "EX_GDBS_SL": "SLSJ SLJGDM SLHZH BSLYY SLRXM D_ZZJGDM F_XZQHDM",
    "EX_GDBS_SPCL": "SPSJ SPHJDM SPHJMC SPHJZTDM SPYJ SPRXM",
    "EX_GDBS_BJGZ": "BZGZSJ BZCLQD BZGZFCRXM",
    "EX_GDBS_BJSL": "BZSJ",
    "EX_GDBS_TBCXSQ": "XH TBCXKSRQ TBCXZL TBCXMC SQLY TBCXPZR TBCXSX",
    "EX_GDBS_TBCXJG": "XH TBCXJSRQ",
    "EX_GDBS_BJ": "BJSJ BJJGDM BJJGMS ZJHZH",
    "EX_GDBS_LQDJ": "LQSJ ZJHZH LQFS",
}
TEN_COMMON = "SBLSH SXBM XZQHDM VERSION REC_FLAG GXSJ"


def ten_tables(path: Path, made: Sequence[Row]) -> None:
    """Guangdong's exchange tables: a table for each thing that happens."""
    content: dict[str, list[Sequence[object]]] = {name: [] for name in TEN}
    for number, steps in _by_case(made):
        for table, moment, own in _ten(steps):
            item, who = steps["申请"].item, steps["申请"].who
            content[f"EX_GDBS_{table}"].append([number, item, who.rpartition("@")[2], "1", "0", _full(moment), *own])
    _fill(path, _made(TEN, TEN_COMMON), content)


def _ten(steps: dict[str, Row]) -> Iterator[tuple[str, datetime, list[object]]]:
    for row in steps.values():
        when, department = _full(row.at), row.who.partition("@")[0]
        own: dict[str, tuple[str, list[object]]] = {
            "申请": ("SB", [when, "陈一", "0" if row.b == "NATURAL_PERSON" else "1", None, None, "1", None, None, None]),
            "受理": ("SL", [when, "1", f"受{row.number[-4:]}", None, "黄二", department, None]),
            "环节完成": ("SPCL", [when, "2", row.a, "1" if row.b == "PASS" else "2", None, "何三"]),
            "补正告知": ("BJGZ", [when, row.a, "黄二"]),
            "补正收件": ("BJSL", [when]),
            "中止": ("TBCXSQ", ["1", when, "8", "专家评审", "需要评审", "何三", "10"]),
            "恢复": ("TBCXJG", ["1", when]),
            "办结": ("BJ", [when, "0" if row.a == "GRANTED" else "7", row.b or None, f"证{row.number[-4:]}"]),
            "领证": ("LQDJ", [when, row.a, "窗口"]),
        }
        if row.what in own:
            table, values = own[row.what]
            yield table, row.at, values


def _by_case(made: Sequence[Row]) -> Iterator[tuple[str, dict[str, Row]]]:
    for number in dict.fromkeys(row.number for row in made):
        yield number, {row.what: row for row in made if row.number == number}


WRITERS: dict[str, Callable[[Path, Sequence[Row]], None]] = {
    "gb-csv": gb_csv,
    "zip": zipped,
    "xlsx": xlsx,
    "xml": xml,
    "json-lines": json_lines,
    "chinese-table": chinese_table,
    "five-tables": five_tables,
    "ten-tables": ten_tables,
    #: What the department will send by itself: `push.py` plays it.
    "push": json_lines,
    "topic": json_lines,
}
