"""Draw docs/law.md from the tables: `python -m router.drawing > docs/law.md`. A test holds the file to this."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from router.case import EFFECTS
from router.decide import all_rules
from router.findings import FINDINGS
from router.law import AFTER_END, IGNORED, MAIN, PRESUPPOSES, TRACKS, Transition
from schemas.case import Phase

_HEAD = """# The law as the router knows it

Drawn from `router/law.py`, `router/findings.py` and `router/rules/` by `python -m router.drawing > docs/law.md`; a test holds it
to them. Nothing is refused because a table does not foresee it: the fact is applied, and a finding stands until a later event
explains it.
Articles without a name are those of the Administrative Licensing Law (行政许可法). What a region may set is section
`rules.law` of casebus.yaml (`router.law.LawProfile`).
"""


def drawn() -> str:
    """The whole document."""
    parts = (_HEAD, *_main(), *_beside(), *_after(), *_coarse(), *_findings(), *_rules(), *_names(), *_ignored())
    return "\n".join(parts).rstrip() + "\n"


def _main() -> Iterable[str]:
    yield "## The main phase\n\n```mermaid\nstateDiagram-v2"
    arrows: dict[tuple[str, str], list[str]] = {}
    for row in MAIN.values():
        for phase in sorted(row.phases):
            if phase != row.to and (phase != Phase.NONE or row.event == "Applied"):
                arrows.setdefault((phase, row.to), []).append(row.event)
    yield from (f"    {start} --> {to}: {', '.join(events)}" for (start, to), events in arrows.items())
    yield "```\n"
    yield "`none` is the phase of a provisional case: work is known, its application is not, and the picture leaves it out.\n"
    yield "A phase never goes back; only `Reopened` (重新办理) begins an ended case anew: `accepted`, or `received` where it"
    yield "never was. Its limits run from that day, it lies with who held it, its findings stay.\n"
    yield "`decided` is a stay only where a closing step (归档) ends the case; else the decision does.\n"
    yield from _table(("event", "leads to", "regularly from", "elsewhere"), (_transition(row) for row in MAIN.values()))


def _transition(row: Transition) -> tuple[str, ...]:
    elsewhere = f"finding `{row.otherwise}`" if row.otherwise else "no finding"
    moved = "moves forward all the same" if row.always else "moves nothing"
    return (row.event, row.to, ", ".join(sorted(row.phases)), f"{elsewhere}, {moved}")


def _beside() -> Iterable[str]:
    yield "\n## Beside the main phase\n"
    rows = ((track.name, ", ".join(track.starts), ", ".join(track.ends), track.meaning) for track in TRACKS)
    yield from _table(("what lasts", "starts", "ends", "meaning"), rows)


def _after() -> Iterable[str]:
    yield "\n## After the end\n"
    yield f"Allowed without a finding: {', '.join(sorted(AFTER_END))}.\n"
    yield "Everything else is flagged (`event_after_end`) or set aside, as the profile says (`after_end`).\n"


def _findings() -> Iterable[str]:
    yield "## Findings\n"
    yield from _table(
        ("code", "what it says", "basis", "in order would have been"),
        ((f"`{code}`", row.sentence, row.basis, row.order) for code, row in FINDINGS.items()),
    )


def _coarse() -> Iterable[str]:
    yield "## Times told coarsely\n"
    yield "An event known only as a day (or a minute, a month) stands after what it presupposes and what happened in that time;"
    yield "two events of one source and one moment keep the order of their source. An application is presupposed by all work.\n"
    rows = ((name, ", ".join(sorted(before - {"Applied"})) or "the application") for name, before in sorted(PRESUPPOSES.items()))
    yield from _table(("event", "presupposes"), rows)
    yield ""


def _names() -> Iterable[str]:
    yield "\n## One case, many names\n"
    yield "A `Linked` event ties an appointment, a ticket, a local number or a second number to a case: what is recorded"
    yield "under the other key is forwarded, its bytes unchanged. A link that is cancelled, or whose row comes again with another"
    yield "key, is undone: what it forwarded is taken back there, and what was decided on it is compensated. `links` in an"
    yield "event's header is information: it is shown with the case and ties nothing. A source row whose newer version names"
    yield "another case leaves the old one (`router/rows.py`)."


def _rules() -> Iterable[str]:
    yield "\n## Routing rules\n"
    rows = ((f"`{rule.name}`", rule.title, ", ".join(sorted(rule.claims)), rule.basis) for rule in all_rules())
    yield from _table(("rule", "what it does", "tells", "basis"), rows)


def _ignored() -> Iterable[str]:
    yield "\n## Events that change no case\n"
    yield f"{len(EFFECTS)} types have an effect. These have none:\n"
    yield from _table(("event", "why"), IGNORED.items())


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterable[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from (_row(row) for row in rows)


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(drawn())
