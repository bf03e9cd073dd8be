"""A first look at a topic: what its values are written in, and what their rows hold, read as kind `kafka` will read them."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from bus.errors import ConfigurationError
from bus.ports import Client
from connectors.formats import messages
from connectors.formats.textlines import LINE
from connectors.integrate import trees
from connectors.integrate.look import ROWS, Seen
from connectors.kinds import kinds
from connectors.source import Context
from connectors.values import Refusal
from schemas import yamlfile
from schemas.codec import CONFLUENT, SINGLE_OBJECT
from schemas.problem import ProblemsError

#: Settings below `source:`, and why each of them was guessed.
Guessed = tuple[dict[str, Any], dict[str, str]]
_OPERATIONS = frozenset("crudtm")
_ENCODINGS = ("utf-8", "gb18030")
_DELIMITERS = "\t|;,"
#: What stands around the row of Debezium's envelope and is worth a column.
_AROUND = ("../op", "../source.table")


def look(given: Mapping[str, Any], schema: str | None, client: Client, base: Path) -> Seen:
    """`given` is which topic, and where its cluster is; `schema` where the schema of Avro is: a registry's address or a file.

    Raises ConfigurationError where there is nothing to see, or nothing can be made of it.
    """
    values = _sample(given["topic"], client)
    form, guessed = _form(given["topic"], values, schema)
    source = {**given, **form}
    rows = _rows(source, client, base)
    if source["value"] in ("json", "avro") and _most(_envelope(row) for row in rows):
        source["value"], guessed["value"] = "debezium", "its values are envelopes of changes"
        rows = _rows(source, client, base)
    if source["value"] in ("csv", "text"):
        return Seen("kafka", source, _flat(rows), guessed)
    found = trees.of_json([{name: held for name, held in row.items() if name != ".."} for row in rows])
    if found.record:
        source["record"], guessed["record"] = ".".join(found.record), "the list that holds most objects"
        rows = _rows(source, client, base)
    around = _AROUND if source["value"] == "debezium" and not found.record else ()
    fields = {name: [trees.value(row, name) for row in rows] for name in (*found.fields, *around)}
    return Seen("kafka", source, fields, guessed, around)


def _sample(topic: str, client: Client) -> list[bytes]:
    """The first values of each partition that tell of something."""
    try:
        begins = client.begins([topic])
    except ConfigurationError as error:
        raise ConfigurationError(f"{error} Correct --from, or name the topic's cluster: --brokers.") from error
    records = (one for batch in client.read(begins) for one in batch if one.value)
    values = [one.value or b"" for one in islice(records, ROWS)]
    if not values:
        raise ConfigurationError(f"The topic {topic} holds no records to guess by. Ask the department to send some.")
    return values


def _form(topic: str, values: Sequence[bytes], schema: str | None) -> Guessed:
    if _most(isinstance(_decoded(value), (dict, list)) for value in values):
        return {"value": "json"}, {"value": "its values read so"}
    if _most(value.startswith((SINGLE_OBJECT, CONFLUENT)) for value in values):
        return _avro(topic, values, schema)
    return _lines(topic, values)


def _most(found: Any) -> bool:
    """More than half: real topics hold some spoilt records."""
    counted = Counter(map(bool, found))
    return counted[True] > counted[False]


def _decoded(value: bytes) -> Any:
    try:
        return messages.json_in(value)
    except ValueError:
        return None


def _envelope(row: Mapping[str, Any]) -> bool:
    payload = row.get("payload", row)
    return isinstance(payload, dict) and payload.get("op") in _OPERATIONS and ("after" in payload or "before" in payload)


def _avro(topic: str, values: Sequence[bytes], schema: str | None) -> Guessed:
    if schema is None:
        ids = sorted({int.from_bytes(value[1:5], "big") for value in values if value.startswith(CONFLUENT)})
        known = f"of the registry's schemas {', '.join(map(str, ids))}" if ids else "in single-object encoding"
        raise ConfigurationError(
            f"The topic {topic} holds Avro {known}. Name the registry's address, or the schema's file: --schema."
        )
    where = {"registry": schema} if "://" in schema else {"schemas": [schema]}
    return {"value": "avro", **where}, {"value": "its values begin so"}


def _lines(topic: str, values: Sequence[bytes]) -> Guessed:
    encoding = next((one for one in _ENCODINGS if _most(_readable(value, one) for value in values)), None)
    if encoding is None:
        raise ConfigurationError(
            f"What the topic {topic} holds is neither JSON nor Avro nor text. Write its connector by hand: docs/connectors.md."
        )
    texts = [value.decode(encoding) for value in values if _readable(value, encoding)]
    lines = [line for text in texts for line in text.splitlines() if line.strip()]
    spoken = {} if encoding == "utf-8" else {"encoding": encoding}
    why = {"encoding": "these bytes can be read so"}
    delimiter = max(_DELIMITERS, key=lambda sign: sum(sign in line for line in lines))
    if not _most(delimiter in line for line in lines):
        return {"value": "text", **spoken}, {**why, "value": f"no sign parts its lines; a row has one field, {LINE}"}
    found = {"value": "csv", **spoken, "delimiter": delimiter, **_names(texts, delimiter)}
    more = {
        "value": "its values are lines",
        "delimiter": "it stands in most lines",
        "names": "nobody says them: ask the department",
    }
    return found, {**why, **more}


def _readable(value: bytes, encoding: str) -> bool:
    try:
        return "\0" not in value.decode(encoding)
    except UnicodeDecodeError:
        return False


def _names(texts: Sequence[str], delimiter: str) -> dict[str, Any]:
    """None where each value begins with the same line: then it heads the others."""
    heads = {text.splitlines()[0] for text in texts if text.strip()}
    if len(heads) == 1 and all(len(text.splitlines()) > 1 for text in texts):
        return {}
    widths = Counter(
        len(cells) for cells in csv.reader((line for text in texts for line in text.splitlines()), delimiter=delimiter)
    )
    return {"names": [f"column{number}" for number in range(1, widths.most_common(1)[0][0] + 1)]}


def _rows(source: Mapping[str, Any], client: Client, base: Path) -> list[Mapping[str, Any]]:
    """Rows by the very reader that will read them later. Raises ConfigurationError where it can read none."""
    kind = kinds()["kafka"]
    node = yamlfile.Map(base, 1)
    node.update(source)
    try:
        settings = kind.located(kind.settings(node), base)
    except ProblemsError as error:
        raise ConfigurationError(". ".join(f"{one.found}. {one.instead}" for one in error.problems)) from error
    with closing(kind.open(settings, Context(base, [], source["topic"], client))) as opened:
        records = list(islice((one for batch in opened.fetch(None, ROWS) for one in batch.records), ROWS))
    rows = [one.row for one in records if one.fault is None]
    if not rows:
        fault = next(
            (one.fault for one in records if one.fault is not None), Refusal("", "nothing in it tells of a row", "Send one")
        )
        raise ConfigurationError(f"No record of {source['topic']} can be read: {fault.found}. {fault.instead}.")
    return rows


def _flat(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)}
