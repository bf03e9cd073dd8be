"""docs/connectors.md says what is so: its examples load, its samples hold, its list of reasons is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.cleaning import CLEANERS
from connectors.columns import ColumnSettings
from connectors.config import read
from connectors.expressions import Functions
from connectors.formats.delimited import DelimitedSettings
from connectors.formats.jsonlines import JsonLinesSettings
from connectors.formats.markup import MarkupSettings
from connectors.formats.workbook import WorkbookSettings
from connectors.settings import ConnectorSettings

ROOT = Path(__file__).parents[3]
DOC = (ROOT / "docs/connectors.md").read_text("utf-8")


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
def test_the_examples_load_and_their_samples_hold(tmp_path: Path, number: int) -> None:
    """As printed, beside the files that they name."""
    (tmp_path / "connectors").mkdir()
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/steps.yaml").write_text("about: shared\n")
    (tmp_path / "codes.csv").write_text("代码,环节\nSC,审查\nSJ,收件\n", "utf-8")
    (tmp_path / "catalog.json").write_text('{"items": [{"code": "X"}]}')
    path = tmp_path / "connectors/dep.yaml"
    path.write_text(re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)[number], "utf-8")
    assert len(read(path).settings.samples) == (2 if number == 1 else 0)


def test_every_reason_in_the_code_is_explained() -> None:
    """Whoever meets a reason in the dead letters finds it here."""
    text = "".join(path.read_text("utf-8") for path in (ROOT / "connectors").rglob("*.py"))
    reasons = set(re.findall(r'(?:Refusal|Damaged|too_long)\(\s*"([a-z_]+)"', text))
    assert len(reasons) > 15
    assert {reason for reason in reasons if reason not in DOC} == set()


def test_every_setting_cleaning_and_function_is_named() -> None:
    """What the files may say stands in the document."""
    names = {field.alias or name for model in (ConnectorSettings, ColumnSettings) for name, field in model.model_fields.items()}
    for model in (DelimitedSettings, WorkbookSettings, MarkupSettings, JsonLinesSettings):
        names |= set(model.model_fields)
    names |= set(CLEANERS) | set(Functions().table)
    missing = {name for name in names if not re.search(rf"\b{name}\b", DOC)}
    assert missing - {"digits", "longest_row"} == set()
