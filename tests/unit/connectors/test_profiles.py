"""Ready-made mappings: the national five tables and Guangdong's ten, from databases that hold such tables to folded cases."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from connector_world import NOW, deployment, reasons, records

from bus.errors import ConfigurationError
from connectors.config import Connector, read
from connectors.documents import PROFILES, profiles
from connectors.mapping import Rejection
from router.case import fold
from router.law import LawProfile
from schemas.case import Case, Outcome, Phase
from schemas.envelope import Event
from schemas.problem import ProblemsError
from schemas.yamlfile import load

NUMBER = "50010120260105001"
NATIONAL = {
    "up_pro_accept": "catalog_code local_catalog_code task_code local_task_code task_handle_item task_name task_version "
    "project_name project_type applyer_name applyer_type applyer_page_type applyer_page_code contact_name contact_type "
    "contact_code contact_mobile legal address zip_code apply_type apply_date org_name org_code handle_user_name "
    "accept_date accept_doc_no promise_date",
    "up_pro_process": "process_name event_name event_start_time event_end_time handle_user_name handle_explain remark",
    "up_pro_result": "result_type result_date result_explain result_cetr_name result_cetr_no is_delivery_results satisfaction "
    "handle_user_name",
    "up_pro_special_procedure": "special_type special_name special_time special_reason applyer_user_name end_time result "
    "special_explain handle_user",
    "up_pro_material": "material_name material_attach_name get_type get_num",
}
COMMON = "row_guid project_no data_source cd_operation cd_batch cd_time"


class Database:
    """Exchange tables as a department fills them: every column is text."""

    def __init__(self, folder: Path, tables: dict[str, str], common: str) -> None:
        self.connection = sqlite3.connect(folder / "front.db", isolation_level=None)
        self.connection.execute("pragma synchronous = off")
        self.columns = {table: [*common.split(), *own.split()] for table, own in tables.items()}
        for table, columns in self.columns.items():
            self.connection.execute(f"create table {table} ({', '.join(columns)})")

    def put(self, table: str, **row: Any) -> None:
        assert set(row) <= set(self.columns[table])
        marks = ", ".join("?" * len(row))
        self.connection.execute(f"insert into {table} ({', '.join(row)}) values ({marks})", list(row.values()))

    def change(self, table: str, guid: str, **row: Any) -> None:
        """In place, as departments do: the row is the same, its operation and its time of change are new."""
        sets = ", ".join(f"{name} = ?" for name in row)
        self.connection.execute(f"update {table} set {sets} where row_guid = ?", [*row.values(), guid])


def connected(folder: Path, profile: str, more: str = "", source: str = '{url: "sqlite:///front.db"}') -> Connector:
    return read(deployment(folder, f"profile: {profile}\nsource: {source}\n{more}"))


def events(found: Connector, position: str | None = None) -> list[Event]:
    """What the router is told: an event with the same id and body counts once."""
    result: list[Event] = []
    for record in records(found, position):
        one = found.mapping.translate(record, NOW + 100 * 86_400_000_000)
        assert not isinstance(one, Rejection), one.text
        known = {(event.id, event.header["body_hash"]) for event in result}
        result += [event for event in one if (event.id, event.header["body_hash"]) not in known]
    return result


def end(found: Connector) -> str:
    return [batch.position for batch in found.open().fetch(None, 1)][-1]


def folded(found: list[Event]) -> Case:
    return fold(found, LawProfile(), f"case:{NUMBER}")


@pytest.fixture
def national(tmp_path: Path) -> Database:
    """One case: applied, accepted, in review, its expert review still going on, its papers named."""
    made = Database(tmp_path, NATIONAL, COMMON)
    said = {"project_no": NUMBER, "data_source": "5001", "cd_operation": "I", "cd_batch": "1"}
    made.put(
        "up_pro_accept",
        **said,
        row_guid="a1",
        cd_time="2026-01-05 10:00:00",
        task_code="1150",
        task_version="3",
        project_type="2",
        apply_type="1",
        applyer_name="张三",
        applyer_type="1",
        org_code="11500000009275000X",
        apply_date="2026-01-05 09:12:00",
        accept_date="2026-01-05 09:40:00",
    )
    for guid, step, start, finish in (
        ("p1", "审核", "2026-01-06 08:30:00", "2026-01-06 17:00:00"),
        ("p2", "误录", "2026-01-06 18:00:00", None),
    ):
        made.put(
            "up_pro_process",
            **said,
            row_guid=guid,
            cd_time="2026-01-06 19:00:00",
            process_name=step,
            event_start_time=start,
            event_end_time=finish,
        )
    made.put(
        "up_pro_special_procedure",
        **said,
        row_guid="s1",
        cd_time="2026-01-08 09:00:00",
        special_name="专家评审",
        special_time="2026-01-08 08:30:00",
    )
    made.put("up_pro_material", **said, row_guid="m1", cd_time="2026-01-05 10:00:00", material_name="申请表")
    return made


@pytest.mark.parametrize("name", profiles())
def test_a_profiles_own_samples_hold(tmp_path: Path, name: str) -> None:
    """As they stand in the product: each table has some, and they are run like any connector's."""
    text = (PROFILES / f"{name}.yaml").read_text("utf-8")
    assert all(table["samples"] for table in load(PROFILES / f"{name}.yaml")["tables"].values())
    text = text.replace("\nsource: {", '\nsource: {url: "sqlite:///x.db", watermark: changed, ', 1)
    text = text.replace("watermark: changed, key: row_guid,", "key: row_guid,")
    assert len(read(deployment(tmp_path, text)).parts) == {"national-five-tables": 5, "guangdong-ten-tables": 10}[name]


def test_five_tables_are_one_connector_and_one_case(national: Database, tmp_path: Path) -> None:
    """An open pause is known though the tables cannot say it; one row gives several events."""
    found = events(connected(tmp_path, "national-five-tables"))
    assert [event.type for event in found] == [
        "Applied",
        "Accepted",
        "StepStarted",
        "StepCompleted",
        "StepStarted",
        "ClockPaused",
    ]
    assert {event.header["source"]["table"] for event in found} == set(NATIONAL) - {"up_pro_result", "up_pro_material"}
    case = folded(found)
    assert (case.phase, [pause.end for pause in case.pauses]) == (Phase.IN_PROGRESS, [None])
    assert case.findings == []


#: What the tables say and no event does: names of what has a code, and persons whom nothing is addressed to.
UNSAID = {
    "up_pro_accept": "data_source cd_batch catalog_code local_catalog_code task_handle_item applyer_page_type "
    "contact_name contact_type contact_code legal address zip_code org_name",
    "up_pro_process": "data_source cd_batch",
    "up_pro_result": "data_source cd_batch result_cetr_name",
    "up_pro_special_procedure": "data_source cd_batch applyer_user_name result special_explain",
    "up_pro_material": "data_source cd_batch material_attach_name",
}


@pytest.mark.parametrize("table", NATIONAL)
def test_each_column_is_read_or_known_to_say_nothing(tmp_path: Path, table: str) -> None:
    """The columns as the standard names them; one that the profile forgets shows here."""
    part = connected(tmp_path, "national-five-tables").parts[table]
    read = {str(column.source or name) for name, column in part.settings.columns.items() if not column.computed}
    if table == "up_pro_material":  # reads its papers as rows inside the application's
        read = {str(one.source) for one in part.settings.columns["papers"].columns.values()} | {"row_guid", "project_no"}
    assert {*COMMON.split(), *NATIONAL[table].split()} - read == set(UNSAID[table].split())


@pytest.mark.parametrize("column", ["local_task_code", "task_name"])
def test_a_column_that_stands_in_for_another_may_be_missing(national: Database, tmp_path: Path, column: str) -> None:
    """Departments made their tables from older papers; a column that is needed is still asked for."""
    national.connection.execute(f"alter table up_pro_accept drop column {column}")
    assert events(connected(tmp_path, "national-five-tables"))[0].header["item"] == "1150"
    national.connection.execute("alter table up_pro_accept drop column apply_date")
    with pytest.raises(ConfigurationError, match="up_pro_accept has no column apply_date"):
        events(connected(tmp_path, "national-five-tables"))


def test_papers_belong_to_the_application(national: Database, tmp_path: Path) -> None:
    """It is told with those that are there; one that comes later, or is taken away, tells it once more, newer and whole."""
    found = connected(tmp_path, "national-five-tables")
    first, position = events(found), end(found)
    assert first[0].body["materials"] == [{"name": "申请表", "form": None, "count": None}]
    said = {"project_no": NUMBER, "get_type": "原件", "get_num": "2"}
    national.put("up_pro_material", **said, row_guid="m2", cd_operation="I", cd_time="2026-01-06 10:00:00", material_name="图纸")
    national.change("up_pro_material", "m1", cd_operation="D", cd_time="2026-01-06 11:00:00")
    second = events(found, position)
    assert [event.type for event in second] == ["Applied", "Accepted"]
    assert second[0].body["materials"] == [{"name": "图纸", "form": "原件", "count": 2}]
    assert (second[0].origin, second[0].header["conflict"]) == (first[0].origin, "REPLACE")
    assert second[0].header["version"] > first[0].header["version"]
    assert folded(first + second) == folded((second + first)[::-1])
    assert events(found, end(found)) == []


def test_papers_wait_for_their_application(national: Database, tmp_path: Path) -> None:
    """Those of a case without an application give nothing until it comes, and then go with it."""
    found = connected(tmp_path, "national-five-tables")
    national.put("up_pro_material", project_no="N2", row_guid="m9", cd_time="2026-01-04 10:00:00", material_name="图纸")
    first, position = events(found), end(found)
    assert {event.case for event in first} == {f"case:{NUMBER}"}
    row = {"project_no": "N2", "cd_time": "2026-01-09 10:00:00", "apply_date": "2026-01-09 09:00:00"}
    national.put("up_pro_accept", **row, row_guid="a2", applyer_name="李四")
    (applied,) = events(found, position)
    assert (applied.case, [paper["name"] for paper in applied.body["materials"]]) == ("case:N2", ["图纸"])


def test_a_department_without_a_table_of_papers(national: Database, tmp_path: Path) -> None:
    """One line leaves it out, for itself and for the application."""
    national.connection.execute("drop table up_pro_material")
    found = connected(tmp_path, "national-five-tables", "tables: {up_pro_material: null}")
    assert events(found)[0].body["materials"] == []


def test_a_changed_row_replaces_and_a_deleted_one_is_corrected(national: Database, tmp_path: Path) -> None:
    """U brings the pause's end, D takes a step away; only what moved is read again, in any order the case is the same."""
    found = connected(tmp_path, "national-five-tables")
    first, position = events(found), end(found)
    national.change(
        "up_pro_special_procedure", "s1", cd_operation="U", cd_time="2026-01-12 18:00:00", end_time="2026-01-12 17:00:00"
    )
    for step in ("p1", "p2"):
        national.change("up_pro_process", step, cd_operation="D", cd_time="2026-01-12 18:00:00")
    said = {"project_no": NUMBER, "cd_operation": "I", "cd_time": "2026-01-15 18:00:00", "result_date": "2026-01-15 17:20:00"}
    national.put("up_pro_result", **said, row_guid="r1", result_type="1", is_delivery_results="1", satisfaction="2")
    second = events(found, position)
    assert [event.type for event in second] == [
        *["Corrected"] * 3, "ClockPaused", "ClockResumed", "Decided", "Collected", "Rated",
    ]  # fmt: skip
    case = folded(first + second)
    assert (len(case.pauses), case.pauses[0].end is not None) == (1, True)
    assert case.steps == []
    assert len(case.corrections) == 3
    assert folded((second + first)[::-1]) == case


def test_a_row_inserted_again_with_its_old_number_counts_once(national: Database, tmp_path: Path) -> None:
    """Some systems never update: the second row with a row_guid is its newer version."""
    national.put(
        "up_pro_process",
        row_guid="p2",
        project_no=NUMBER,
        cd_operation="U",
        cd_time="2026-01-07 09:00:00",
        process_name="复核",
        event_start_time="2026-01-06 18:00:00",
    )
    assert sorted(step.name for step in folded(events(connected(tmp_path, "national-five-tables"))).steps) == ["复核", "审核"]


def test_any_part_of_a_profile_can_be_overridden(national: Database, tmp_path: Path) -> None:
    """A code of one's own, a column of another name, a table that is not filled."""
    more = """
tables:
  up_pro_material: null
  up_pro_accept:
    lookups: {channels: {table: {"1": COURIER}}}
    columns: {authority: {from: data_source}}
"""
    found = connected(tmp_path, "national-five-tables", more)
    (applied,) = [event for event in events(found) if event.type == "Applied"]
    assert (applied.body["channel"], applied.header["authority"]) == ("COURIER", "5001")
    assert "up_pro_material" not in found.parts
    assert (applied.body["form"], applied.header["source"]["system"]) == ("PROMISED", "dep")


def test_an_unknown_code_refuses_its_row_with_the_profiles_line(national: Database, tmp_path: Path) -> None:
    """The line says which lookup to extend; the place is no path of this machine."""
    national.change("up_pro_accept", "a1", apply_type="自助")
    found = connected(tmp_path, "national-five-tables")
    refused = found.mapping.translate(records(found)[0], NOW)
    assert isinstance(refused, Rejection)
    assert (refused.reason, refused.table) == ("unknown_channel", "up_pro_accept")
    assert refused.where.startswith("profiles/national-five-tables.yaml:")


def test_a_table_that_is_not_there_is_told_after_the_others(national: Database, tmp_path: Path) -> None:
    """What the department has comes all the same."""
    national.connection.execute("drop table up_pro_process")
    source = connected(tmp_path, "national-five-tables").open()
    tables: list[str] = []

    def read_all() -> None:
        for batch in source.fetch(None, 10):
            tables.extend(record.table for record in batch.records)

    with pytest.raises(ConfigurationError, match="no such table: up_pro_process"):
        read_all()
    assert tables == ["up_pro_accept", "up_pro_special_procedure", "up_pro_material"]


FAULTS = {
    "an unknown profile": (
        "profile: five\nsource: {url: x}\n",
        "dep.yaml:1: there is no profile `five`. Write one of guangdong-ten-tables,",
    ),
    "no address": ("profile: national-five-tables\n", "dep.yaml:1: `source.url` is missing. Write where the exchange tables are"),
    "no watermark": (
        'profile: guangdong-ten-tables\nsource: {url: "sqlite:///x"}\n',
        "`source.watermark` is missing. Name the column that grows",
    ),
    "an unknown key": (
        'profile: national-five-tables\nsource: {url: "sqlite:///x"}\ntables:\n  up_pro_result:\n    colums: {}\n',
        "dep.yaml:5: `colums` is no key of this place. Write `columns`?",
    ),
    "no table": (
        'profile: national-five-tables\nsource: {url: "sqlite:///x"}\ntables:\n  up_pro_result: 5\n',
        "dep.yaml:4: `up_pro_result` is no table",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_use_of_a_profile_is_told(tmp_path: Path, fault: str) -> None:
    """With the line of the deployment's own file."""
    text, told = FAULTS[fault]
    with pytest.raises(ProblemsError) as caught:
        read(deployment(tmp_path, text))
    assert told in str(caught.value)


GUANGDONG = {
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
WATERMARKED = '{url: "sqlite:///front.db", watermark: changed}'


@pytest.fixture
def guangdong(tmp_path: Path) -> Database:
    """One case through all ten tables; the serial that the exchange database counts is the watermark."""
    made = Database(tmp_path, GUANGDONG, "changed SBLSH SXBM XZQHDM VERSION REC_FLAG")
    filled: list[tuple[str, dict[str, Any]]] = [
        ("SB", {"SBSJ": "2026-01-05 09:10:00", "SQRMC": "陈一", "SQRLX": "0", "TJFS": "1", "PDH": "A012"}),
        ("WSYSL", {"YSLSJ": "2026-01-05 09:30:00", "YSLJGDM": "1"}),
        ("BJGZ", {"BZGZSJ": "2026-01-05 10:20:00", "BZCLQD": "身份证、委托书"}),
        ("BJSL", {"BZSJ": "2026-01-05 10:50:00"}),
        ("SL", {"SLSJ": "2026-01-05 11:00:00", "SLJGDM": "1", "D_ZZJGDM": "006939748"}),
        ("TBCXSQ", {"TBCXKSRQ": "2026-01-06 09:00:00", "TBCXZL": "8"}),
        ("TBCXJG", {"TBCXJSRQ": "2026-01-08 09:00:00"}),
        ("SPCL", {"SPSJ": "2026-01-09 15:00:00", "SPHJDM": "2", "SPHJMC": "审核", "SPHJZTDM": "1"}),
        ("BJ", {"BJSJ": "2026-01-12 17:00:00", "BJJGDM": "0", "ZJHZH": "粤证1号"}),
        ("LQDJ", {"LQSJ": "2026-01-13 09:00:00", "LQFS": "窗口"}),
    ]
    for changed, (table, row) in enumerate(filled, 1):
        common = {"SBLSH": NUMBER, "SXBM": "0042", "XZQHDM": "440103", "VERSION": 1, "REC_FLAG": "0"}
        made.put(f"EX_GDBS_{table}", changed=changed, **common, **row)
    return made


def test_ten_tables_are_one_connector_and_one_case(guangdong: Database, tmp_path: Path) -> None:
    """From the application to the licence, nothing to find fault with."""
    found = events(connected(tmp_path, "guangdong-ten-tables", source=WATERMARKED))
    assert {event.type for event in found} == {
        "Applied", "Linked", "PreAccepted", "SupplementRequested", "SupplementReceived", "Accepted",
        "ClockPaused", "ClockResumed", "StepCompleted", "Decided", "Collected",
    }  # fmt: skip
    case = folded(found)
    assert (case.phase, case.region, case.item, case.findings) == (Phase.ENDED, "440103", "0042", [])
    assert [pause.end is not None for pause in case.pauses] == [True]


def test_a_resubmission_replaces_and_a_deleted_row_is_cancelled(guangdong: Database, tmp_path: Path) -> None:
    """VERSION counts from 1 and the highest stands; REC_FLAG D cancels the very event that the row had given."""
    found = connected(tmp_path, "guangdong-ten-tables", source=WATERMARKED)
    first, position = events(found), end(found)
    guangdong.connection.execute("update EX_GDBS_BJ set VERSION = 2, BJJGDM = '7', BJJGMS = '材料虚假', changed = 11")
    guangdong.connection.execute("update EX_GDBS_LQDJ set REC_FLAG = 'D', changed = 12")
    second = events(found, position)
    assert [event.type for event in second] == ["Decided", "Corrected"]
    assert second[1].body["corrects"] in {event.id for event in first if event.type == "Collected"}
    case = folded(second + first)
    assert (case.outcome, case.collected_at) == (Outcome.REFUSED, None)


def test_a_forwarded_case_is_handed_down(guangdong: Database, tmp_path: Path) -> None:
    """F_XZQHDM: a region below works on."""
    guangdong.connection.execute("update EX_GDBS_SL set F_XZQHDM = '440103001'")
    found = events(connected(tmp_path, "guangdong-ten-tables", source=WATERMARKED))
    (down,) = [event for event in found if event.type == "HandedDown"]
    assert (down.body["to"], down.header["authority"]) == ("006939748@440103001", "006939748@440103")


def test_a_department_may_describe_its_own_tables(tmp_path: Path) -> None:
    """`tables:` needs no profile: what the tables share stands once."""
    connection = sqlite3.connect(tmp_path / "own.db", isolation_level=None)
    connection.execute("create table a (id integer, n text, at text)")
    connection.execute("create table b (id integer, n text, at text)")
    connection.execute("insert into a values (1, 'X', '2025-01-05 09:00:00')")
    connection.execute("insert into b values (1, 'X', '2025-01-05 10:00:00'), (2, '', '2025-01-05 10:00:00')")
    text = """
    kind: sql
    source: {url: "sqlite:///own.db", key: id}
    key: id
    case: n
    zone: Asia/Shanghai
    header: {occurred_at: "time(at, 'iso')"}
    tables:
      in: {source: {table: a}, events: [{type: Applied}]}
      out: {source: {table: b}, events: [{type: Accepted}]}
    """
    assert reasons(read(deployment(tmp_path, text))) == ["Applied", "Accepted", "missing_case"]
