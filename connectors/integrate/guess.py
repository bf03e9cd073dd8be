"""A first mapping from a first look: which field is the key, the case, the time, the code. Every guess says that it is one."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from connectors.integrate import stages
from connectors.integrate.look import Seen
from connectors.integrate.yamltext import quoted
from connectors.times import TimeReader
from connectors.values import Refusal

_FORMATS = (
    "iso",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y%m%d%H%M%S",
    "%Y%m%d",
    "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日",
    "common",
    "%d-%m-%Y %H:%M:%S",
    "%d-%m-%Y %H:%M",
    "%d/%m/%Y %H:%M",
    "epoch_ms",
    "epoch_s",
    "epoch_us",
)
_EARLY, _FAR = 631_152_000_000_000, 4_102_444_800_000_000  # 1990 and 2100: a number that reads as a time must be a likely one
#: What names of fields hint at, the likeliest role first.
_HINTS: dict[str, str] = {
    "number": r"case|project_?no|办件|受理号|申请号|单号|编号|bjbh|sblsh|dossier|zaak|caseno|biz_?no",
    "version": r"version|版本|bbh",
    "state": r"status|state|状态|zt",  # of several codes, that which says where the case stands
    "code": r"status|state|step|stage|event|action|activity|环节|状态|节点|事件|结果|^node$|^代码$|^code$|zt|hj",
    "region": r"region|xzqh|区划|district|area",
    "item": r"item|事项|sxbm|task_?code",
    "actor": r"operator|clerk|handler|经办|办理人|操作员|czry|^jbr|^blr|^op$|user",
    "applicant": r"applicant|申请人|applyer|sqr",
    "reason": r"reason|原因|理由|opinion|意见|note|备注|说明",
    "person": r"phone|mobile|tel|电话|手机|联系方式|身份证|证件|id_?card|sfz|lxdh|sjh",
    "changed": r"chang|update|modif|更新|修改|cd_time|sync",
}
#: What words of a code hint at; the first that is found counts.
_EVENTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (r"不予受理|not.?accept|inadmiss", "NotAccepted", {}),
    (r"补正告知|要求补正|supplement.?(?:req|ask)|missing", "SupplementRequested", {}),
    (r"补正|supplement", "SupplementReceived", {}),
    (r"不予|不通过|不同意|不准|不批|未通过|驳回|refus|reject|deny|denied", "Decided", {"result": "'REFUSED'"}),
    (r"准予|同意|批准|通过|办结|决定|grant|approv|decid|permit", "Decided", {"result": "'GRANTED'"}),
    (r"受理|accept|admit", "Accepted", {}),
    (r"申请|申办|收件|登记|apply|applied|submit|regist|intake", "Applied", {}),
    (r"撤|withdraw", "Withdrawn", {}),
    (r"退件|退回|return", "Returned", {}),
    (r"领证|送达|取证|发证|collect|deliver|issue", "Collected", {}),
)


class Column(NamedTuple):
    """A guessed column: its name in expressions, the source's field, more settings, and why it was taken."""

    name: str
    field: str
    more: Mapping[str, Any]
    why: str
    #: The step whose time it is, in a ledger with a row for each case.
    stage: stages.Stage | None = None


def draft(seen: Seen, system: str, zone: str) -> str:
    """The YAML of a connector that compiles, with `# guess:` behind everything that somebody must look at."""
    columns = {column.name: column for column in _columns(seen)}
    lines = [f"# A first mapping of {system}: look at every line that says guess, then preview, record and test it.\n"]
    lines += [f"about: {quoted(system)}\n", f"kind: {seen.kind}\n", "source:\n"]
    watermark = {"watermark": columns["changed"].field} if seen.kind == "sql" and "changed" in columns else {}
    for name, value in {**seen.source, **watermark}.items():
        why = "it changes with the row" if name == "watermark" else seen.guessed.get(name, "")
        lines.append(_line(f"  {name}: {quoted(value)}", why))
    lines += [_line(f"zone: {zone}", "of times without an offset"), "\ncolumns:\n"]
    lines += [_line(f"  {one.name}: {_flow({'from': one.field, **one.more})}", one.why) for one in columns.values()]
    taken = {one.field for one in columns.values()}
    lines += [f"  # not used yet: {_flow({'from': field})}\n" for field in seen.fields if field not in taken]
    lines.append("\n" + _key(seen, columns))
    lines += _version(columns, seen)
    lines += [_line("case: number", "the platform's case number, or one that a lookup turns into it")]
    lines += [_line("choose: code", "what says which event a row is")] if "code" in columns else []
    lines += [f"header: {_flow(_header(columns))}\n", "events:\n"]
    return "".join(lines + _events(seen, columns))


def _key(seen: Seen, columns: Mapping[str, Column]) -> str:
    """The row's own number; where it has none, what differs in every row when it is taken together."""
    if "serial" in columns:
        return _line("key: serial", "the row's own number: part of every event's identity, for ever")
    sets = (("number", "code"), ("number", "at"), ("number", "code", "at"))
    known = [[name for name in names if name in columns] for names in sets]
    fit = next((names for names in known if _differ([seen.fields[columns[name].field] for name in names])), None)
    parts = ["text(at.at)" if name == "at" else name for name in fit or known[-1]]
    why = "no field differs in every row, but these together do" if fit else "nothing here differs in every row: name what does"
    return _line(f"key: [{', '.join(parts)}]", why)


def _differ(columns: Sequence[Sequence[Any]]) -> bool:
    rows = [tuple(map(str, row)) for row in zip(*columns, strict=True)]
    return len(set(rows)) == len(rows) > 0


def _version(columns: Mapping[str, Column], seen: Seen) -> list[str]:
    """Without a version of its own, a row that was changed is newer than it was: seconds since 2000-01-01 UTC."""
    if "version" in columns:
        return ["version: version\n"]
    if "changed" not in columns or not (seen.kind == "sql" or seen.source.get("value") == "debezium"):
        return []
    return [_line('version: "(changed.at - 946684800000000) / 1000000"', "a row that changes replaces what it said before")]


def _header(columns: Mapping[str, Column]) -> dict[str, str]:
    fills = {
        "occurred_at": "at",
        "reported_at": "changed",
        "region": "region",
        "item": "item",
        "actor": "actor",
        "activity": "code",
    }
    return {field: name for field, name in fills.items() if name in columns}


def _events(seen: Seen, columns: Mapping[str, Column]) -> list[str]:
    if ledger := _stages(columns):
        results = sorted(set(_texts(seen.fields[columns["result"].field]))) if "result" in columns else []
        found = stages.events(ledger, results, _hinted, {"Applied": _applicant("Applied", columns)})
        return [_line(f"  - {_flow(event)}", "by the column's name; docs/connectors.md has the events") for event in found]
    if "code" not in columns:
        return [_line("  - {type: Accepted}", "no field looks like a code; say which event a row is")]
    codes = sorted({str(value).strip() for value in seen.fields[columns["code"].field] if value not in (None, "")})
    return [_line(f"  - {_flow(_event(code, columns))}", "by its name; docs/connectors.md has the events") for code in codes]


def _stages(columns: Mapping[str, Column]) -> list[stages.Stage]:
    return [column.stage for column in columns.values() if column.stage is not None]


def _hinted(text: str) -> tuple[str, dict[str, str]] | None:
    return next(((kind, body) for words, kind, body in _EVENTS if re.search(words, text, re.IGNORECASE)), None)


def _event(code: str, columns: Mapping[str, Column]) -> dict[str, Any]:
    kind, body = _hinted(code) or ("", {})
    if not kind:
        return {"type": "StepCompleted", "on": code, "body": {"step": "code"}}
    reason = {"reason": "reason"} if "REFUSED" in str(body) and "reason" in columns else {}
    both = {**body, **reason, **_applicant(kind, columns)}
    return {"type": kind, "on": code} | ({"body": both} if both else {})


def _applicant(kind: str, columns: Mapping[str, Column]) -> dict[str, Any]:
    return {"applicant": {"name": "applicant"}} if kind == "Applied" and "applicant" in columns else {}


class _Taking:
    """The columns found so far, and the fields that are left for others."""

    def __init__(self, seen: Seen) -> None:
        self.found: dict[str, Column] = {}
        self.left = {field: values for field, values in seen.fields.items() if field not in seen.aside}

    def take(self, name: str, field: str | None, why: str, stage: stages.Stage | None = None, **more: Any) -> None:
        if field is not None:
            self.found[name] = Column(name, field, more, why, stage)
            self.left.pop(field, None)


def _columns(seen: Seen) -> list[Column]:
    taking = _Taking(seen)
    times = {field: _as_counted(form, seen) for field, values in taking.left.items() if (form := _format(values))}
    keys = seen.source.get("key")
    serial = keys if isinstance(keys, str) else keys[0] if keys else _first(taking.left, _is_key)
    taking.take("serial", serial, "differs in every row", required=True)
    changed = _named("changed", list(times))
    taking.take("changed", changed, "its name", type="time", formats=times.get(changed or "", ""))
    times = {field: form for field, form in times.items() if field in taking.left}
    ledger = stages.stages(times, _one_row_a_case(seen, serial), _hinted)
    for stage in ledger:
        taking.take(stage.name, stage.field, "a step's time by its name", stage, type="time", formats=stage.form)
    if not ledger:
        happened = next(iter(times), None)
        why = "the first field that reads as times"
        taking.take("at", happened, why, type="time", formats=times.get(happened or "", ""), required=True)
    _take_number(taking, seen, serial)
    taking.take("version", _named("version", taking.left), "its name", type="whole", default=1)
    if ledger:
        taking.take("result", stages.result_of(taking.left), "its name")
        _take_others(taking)
    else:
        _take_code_and_others(taking)
        taking.found.setdefault("at", _some_time(taking, seen))
    return list(taking.found.values())


def _take_number(taking: _Taking, seen: Seen, serial: str | None) -> None:
    left = taking.left
    unnamed = {field: values for field, values in left.items() if not re.search(_HINTS["person"], field, re.IGNORECASE)}
    number = _named("number", left) or _named("number", [serial] if serial else []) or _first(unnamed, _is_number)
    named = number is not None and re.search(_HINTS["number"], number, re.IGNORECASE)
    field = number or serial or next(iter(left), next(iter(seen.fields)))
    taking.take("number", field, "its name" if named else "numbers that repeat", clean="key", required=True)


def _take_code_and_others(taking: _Taking) -> None:
    """A code by its name comes before the others, one by its values after them."""
    codes = {field: values for field, values in taking.left.items() if _is_code(values, len(values) - 1)}
    named = _named("state", codes) or _named("code", codes)
    taking.take("code", named, "its name", required=True)
    _take_others(taking)
    if named is None:
        few = _first(taking.left, lambda values: _is_code(values, len(values) // 2))
        taking.take("code", few, "few values", required=True)


def _take_others(taking: _Taking) -> None:
    for name in ("region", "item", "actor", "applicant", "reason"):
        taking.take(name, _named(name, taking.left), "its name")


def _some_time(taking: _Taking, seen: Seen) -> Column:
    """What stands for the time of an event where no other field reads as one."""
    if "changed" in taking.found:
        return taking.found["changed"]._replace(name="at", why="the only field that reads as times")
    return Column("at", next(iter(seen.fields)), {"type": "time", "required": True}, "no field reads as times: name one")


def _one_row_a_case(seen: Seen, serial: str | None) -> bool:
    """Whether a case's number stands in one row only."""
    number = _named("number", seen.fields) or serial
    return number is not None and _is_key(seen.fields[number])


def _as_counted(form: str, seen: Seen) -> str:
    """Debezium counts from 1970 on the source's own clock."""
    return form.replace("epoch_", "clock_") if seen.source.get("value") == "debezium" and form != "epoch_s" else form


def _named(role: str, fields: Mapping[str, Any] | Sequence[str]) -> str | None:
    return next((field for field in fields if re.search(_HINTS[role], field, re.IGNORECASE)), None)


def _first(fields: Mapping[str, Sequence[Any]], test: Callable[[Sequence[Any]], bool]) -> str | None:
    return next((field for field, values in fields.items() if test(values)), None)


def _texts(values: Sequence[Any]) -> list[str]:
    return [str(value).strip() for value in values if value not in (None, "")]


def _is_key(values: Sequence[Any]) -> bool:
    texts = _texts(values)
    return bool(texts) and len(set(texts)) == len(values) and _format(values) == ""


def _is_number(values: Sequence[Any]) -> bool:
    texts = _texts(values)
    return bool(texts) and all(re.fullmatch(r"[\w-]{4,}", text, re.ASCII) and any(map(str.isdigit, text)) for text in texts)


def _is_code(values: Sequence[Any], most: int) -> bool:
    """Filled in every row, short, and with at most so many different values (and never more than 40)."""
    texts = _texts(values)
    return len(texts) == len(values) > 0 and len(set(texts)) <= max(2, min(40, most)) and max(map(len, texts)) <= 40


def _format(values: Sequence[Any]) -> str:
    """The first format in which every value is a likely time; empty when there is none."""
    given = [value for value in values if value not in (None, "")]
    if not given:
        return ""
    if all(isinstance(value, (datetime, date)) for value in given):
        return "iso"
    return next((form for form in _FORMATS if _all_read(TimeReader([form], "UTC"), given)), "")


def _all_read(reader: TimeReader, values: Sequence[Any]) -> bool:
    try:
        return all(_EARLY < reader.read(value)["at"] < _FAR for value in values)
    except Refusal:
        return False


def _flow(value: Mapping[str, Any]) -> str:
    """A flow mapping: keys plain, values quoted."""
    inner = (f"{name}: {_flow(one) if isinstance(one, Mapping) else quoted(one)}" for name, one in value.items())
    return "{" + ", ".join(inner) + "}"


def _line(text: str, why: str) -> str:
    return f"{text}  # guess: {why}\n" if why else f"{text}\n"
