"""casebus.yaml and the folder around it: what is read, and how a fault is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casebus.commands import init
from casebus.deployment import Deployment, Head
from casebus.wiring import Frozen, Wall, Wiring
from schemas.problem import ProblemsError

GOOD = "name: town\nkafka: {partitions: 2}\n"


def written(folder: Path, text: str) -> Path:
    (folder / "casebus.yaml").write_text(text, encoding="utf-8")
    return folder


def faults(folder: Path, text: str) -> str:
    with pytest.raises(ProblemsError) as told:
        Deployment.load(written(folder, text))
    return str(told.value)


def test_a_folder_or_its_file_is_the_deployment(tmp_path: Path) -> None:
    """Both name the same; what is not written has a default."""
    folder = written(tmp_path, GOOD)
    assert Deployment.load(folder) == Deployment.load(folder / "casebus.yaml")
    deployment = Deployment.load(folder)
    assert (deployment.settings.zone, deployment.settings.kafka.brokers) == ("Asia/Shanghai", "embedded")
    assert deployment.data == folder / ".casebus"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("name: town\nkafak: {}\n", 2, "Write `kafka`?"),
        ("name: Two Towns\n", 1, "`name`"),
        ("name: town\nzone: Moon/Sea\n", 2, "such as Asia/Shanghai"),
        ("name: town\nclock: {mode: frozen}\n", 2, "needs `at`"),
        ("name: town\nkafka: {partitions: none}\n", 2, "`kafka.partitions`"),
        ("name: town\nrules:\n  clock: {profile: mars}\n", 3, "no profile of clock rules"),
    ],
)
def test_every_fault_has_its_line_and_a_remedy(tmp_path: Path, text: str, line: int, said: str) -> None:
    """Whoever wrote the file finds the place at once."""
    told = faults(tmp_path, text)
    assert f"casebus.yaml:{line}: " in told
    assert said in told


def test_where_no_deployment_is_the_way_to_one_is_told(tmp_path: Path) -> None:
    """The commonest mistake: the wrong folder."""
    with pytest.raises(ProblemsError, match="casebus init"):
        Deployment.load(tmp_path)


def test_a_secret_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`${NAME}` in any value; a missing one is a fault with its line."""
    text = "name: town\nkafka:\n  brokers: ${BROKERS}\n"
    assert "casebus.yaml:3" in faults(tmp_path, text)
    monkeypatch.setenv("BROKERS", "kafka-1:9092,kafka-2:9092")
    assert Deployment.load(written(tmp_path, text)).settings.kafka.bootstrap == "kafka-1:9092,kafka-2:9092"


def test_a_moment_is_local_unless_it_says_otherwise(tmp_path: Path) -> None:
    """Local midnight is another day in UTC."""
    deployment = Deployment.load(written(tmp_path, GOOD))
    there = datetime(2026, 6, 29, 16, tzinfo=UTC)
    assert deployment.moment("2026-06-30") == deployment.moment("2026-06-29T16:00+00:00") == int(there.timestamp()) * 1_000_000
    with pytest.raises(ProblemsError, match="Write it as"):
        deployment.moment("yesterday")


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31T18:00"])
def test_a_moment_that_no_clock_reaches_is_told(tmp_path: Path, text: str) -> None:
    """Calendars end somewhere: the year 1 ended the command, the year 9999 took it a minute."""
    with pytest.raises(ProblemsError, match="from 1900 to 2199"):
        Deployment.load(written(tmp_path, GOOD)).moment(text)


def test_what_init_writes_has_nothing_to_mend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its samples are run, its references resolved; the name comes from the folder's."""
    folder = tmp_path / "My Town 2"
    assert init.run(folder) == 0
    wiring = Wiring(Deployment.load(folder))
    assert wiring.problems() == []
    assert wiring.settings.name == "my-town-2"
    assert "casebus check" in capsys.readouterr().out


def test_all_files_are_checked_and_all_faults_told_at_once(tmp_path: Path) -> None:
    """One fault in each kind of file gives one line for each."""
    folder = tmp_path / "town"
    init.run(folder)
    (folder / "calendars" / "2026.yaml").write_text("holidays: [2026-13-01]\n", encoding="utf-8")
    (folder / "directory" / "regions.csv").write_text("code,name,level,parent\n1,a,moon,\n", encoding="utf-8")
    permits = folder / "connectors" / "permits.yaml"
    permits.write_text(permits.read_text(encoding="utf-8").replace("kind: files", "kind: fax"), encoding="utf-8")
    told = [problem.where for problem in Wiring(Deployment.load(folder)).problems()]
    assert {name for name in ("2026.yaml:1", "regions.csv:2", "permits.yaml:") for place in told if name in place} == {
        "2026.yaml:1",
        "regions.csv:2",
        "permits.yaml:",
    }


def test_the_clock_of_receipts_follows_the_mode(tmp_path: Path) -> None:
    """Wall: this machine's time. Frozen, and replay with a moment: that moment."""
    wall = Wiring(Deployment.load(written(tmp_path, GOOD)))
    frozen = Wiring(Deployment.load(written(tmp_path, GOOD + "clock: {mode: frozen, at: '2026-06-30T18:00'}\n")))
    assert isinstance(wall.receipts, Wall)
    assert isinstance(frozen.receipts, Frozen)
    assert frozen.receipts.now() == frozen.deployment.moment("2026-06-30T10:00Z")
    assert not frozen.replays


def test_what_init_writes_names_every_setting(tmp_path: Path) -> None:
    """A newcomer sees all there is; taken out of its comment each example is right."""
    folder = tmp_path / "new"
    init.run(folder)
    file = folder / "casebus.yaml"
    plain = Deployment.load(folder).settings
    text = re.sub(r"(?m)^#: ", "", file.read_text("utf-8"))
    file.write_text(text.replace("${CASEBUS_KAFKA:-embedded}", "host:9092"), "utf-8")  # whom `security:` is for
    wiring = Wiring(Deployment.load(folder))
    shown = wiring.settings
    assert shown.model_fields_set == Head.model_fields.keys()
    assert shown.model_fields_set > plain.model_fields_set
    for section in (shown.page, shown.alerts, shown.clock):
        assert section.model_fields_set == type(section).model_fields.keys()
    assert wiring.problems() == []


def test_a_threshold_of_no_indicator_has_its_line(tmp_path: Path) -> None:
    """The indicators know no file; the sentence does."""
    wiring = Wiring(Deployment.load(written(tmp_path, GOOD + "calendar: {country: CN}\nthresholds: {late_entri: 1}\n")))
    assert any(str(one).startswith(f"{tmp_path}/casebus.yaml:4: `late_entri` is no indicator.") for one in wiring.problems())
