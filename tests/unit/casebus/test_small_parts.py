"""The small parts of the command: markers, progress, patience, tables."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from bus.errors import RetryError
from casebus import wiring
from casebus.__main__ import main, unforeseen
from casebus.commands import output
from casebus.display import Lines
from casebus.supervisor import end_markers
from schemas.codec import default


def test_one_end_marker_goes_into_each_partition() -> None:
    """Each is its own sender's word in the first round; without a key it belongs to no case."""
    markers = end_markers(default(), "run", [0, 1, 2])
    assert [(marker.topic, marker.partition, marker.key) for marker in markers] == [
        ("approval.events", number, None) for number in range(3)
    ]
    assert [default().decode_record(marker.value or b"") for marker in markers] == [
        ("InputEnded", {"run": "run", "hop": 0, "sender": number}) for number in range(3)
    ]
    assert all(("type", b"InputEnded") in marker.headers for marker in markers)


def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """What heals is asked again; what does not is told after a while."""
    answers = iter([RetryError("not yet"), RetryError("not yet"), "now"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, RetryError):
            raise answer
        return answer

    monkeypatch.setattr(wiring.time, "sleep", lambda _: None)
    assert wiring.patiently(ask) == "now"
    monkeypatch.setattr(wiring, "PATIENCE", -1.0)
    answers = iter([RetryError("never")])
    with pytest.raises(RetryError, match="never"):
        wiring.patiently(ask)


def test_lines_say_how_far_the_work_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """One line at the beginning of a phase, then one every few seconds; a total that nobody knows is not made up."""
    monkeypatch.setattr(Lines, "EVERY", 0.0)
    lines = Lines()
    lines.phase("reading")
    lines.progress(1200, 0)
    lines.phase("folding")
    lines.progress(600, 1200)
    assert capsys.readouterr().err.splitlines() == ["reading", "reading: 1,200 so far", "folding", "folding: 600 of 1,200"]


def test_numbers_stand_to_the_right_and_in_thousands() -> None:
    """A title is never broken by the width of its table."""
    console = Console(file=io.StringIO(), width=80)
    console.print(output.table("A title much longer than the table", ("name", ">count"), [("a", 12345), ("b", None)]))
    text = console.file.getvalue()  # type: ignore[attr-defined]  # a StringIO
    assert text.splitlines()[0] == "A title much longer than the table"
    assert "12,345" in text


def test_what_nobody_thought_of_is_a_sentence_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """No traceback, but the way to one."""
    monkeypatch.delenv("CASEBUS_TRACEBACK", raising=False)
    assert "CASEBUS_TRACEBACK=1" in unforeseen(KeyError("x"))
    assert unforeseen(PermissionError(13, "Permission denied", "/data")).startswith("/data: Permission denied")


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_where_a_folder_must_be_is_for_the_user_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: str
) -> None:
    """A sentence and exit code 2: it is no fault of ours."""
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr("sys.argv", ["casebus", "init", str(tmp_path / place)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert (ended.value.code, place in capsys.readouterr().err) == (2, True)
