"""The figures on a terminal: `casebus stats`. The page shows what people ask first; `--json` has all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.look import table
from monitor.statistics.cases import Tally
from monitor.statistics.distribution import Distribution
from monitor.statistics.result import Statistics
from monitor.times import shown

#: Lines of each list.
TOP = 10


def page(figures: Statistics, zone: tzinfo) -> RenderableType:
    return Group(_head(figures, zone), *_parts(figures))


def _parts(figures: Statistics) -> Iterator[RenderableType]:
    yield _durations(figures)
    yield Text()
    yield _clocks("Clocks by department", figures.cases.by_department)
    yield Text()
    yield _clocks("Clocks by region", figures.cases.by_region)
    yield Text()
    yield _follows(figures)
    if figures.cases.findings:
        yield Text()
        yield _counts("Cases with a finding", figures.cases.findings)
    if figures.dead_letters:
        yield Text()
        yield _counts("Records refused, by reason", figures.dead_letters)


def _head(figures: Statistics, zone: tzinfo) -> Panel:
    total, log = figures.cases.total, figures.log
    late = total.running_overdue_promise + total.stopped_overdue_promise
    legal = total.running_overdue_legal + total.stopped_overdue_legal
    between, flow = log.passing.handover.between_departments, log.flow
    lines = [
        (
            f"{total.cases:,} cases: {total.open:,} open, {total.closed:,} closed; {total.accepted:,} accepted, "
            f"{total.clock_running:,} clocks run, {total.paused:,} of them paused"
        ),
        (
            f"{late:,} past the promise ({total.running_overdue_promise:,} running), "
            f"{legal:,} past the statutory limit ({total.running_overdue_legal:,} running)"
        ),
        (
            f"{log.events:,} events by {len(log.passing.by_department):,} departments in {len(flow.activities):,} activities; "
            f"{between:,} hand-overs between departments"
        ),
        (
            f"{flow.rework.events_minus_distinct_case_activity:,} events repeat an activity; {flow.variants.number:,} paths, "
            f"{flow.variants.singletons:,} of them walked once"
        ),
    ]
    if figures.cases.provisional:
        lines.append(f"{len(figures.cases.provisional):,} provisional: events came, their application has not (not counted)")
    known = f", as known {shown(figures.known, zone)}" if figures.known is not None else ""
    return Panel("\n".join(lines), title=f"as of {shown(figures.as_of, zone)}{known}", title_align="left")


def _durations(figures: Statistics) -> Table:
    names = ("mean", "50 %", "90 %", "95 %", "99 %", "longest")
    made = table("First to last event", *names, right=names, wide=["First to last event"])
    durations = figures.log.throughput.throughput
    made.add_row("calendar days", *_cells(durations.first_to_last_event_calendar_days))
    made.add_row("working days", *_cells(durations.first_to_last_event_workdays))
    made.add_row("events a case", *_cells(figures.log.throughput.events_per_case))
    return made


def _cells(found: Distribution) -> list[str]:
    percentiles = (one and one.linear for one in (found.p50, found.p90, found.p95, found.p99))
    return ["" if value is None else f"{value:,.2f}" for value in (found.mean, *percentiles, found.max)]


def _clocks(title: str, tallies: Mapping[str, Tally]) -> Table:
    names = ("cases", "open", "running", "paused", "late", "over law")
    made = table(title, *names, right=names, wide=[title])
    ordered = sorted(tallies.items(), key=lambda item: (-_late(item[1]), -item[1].open, -item[1].cases, item[0]))
    for name, one in ordered[:TOP]:
        over_law = one.running_overdue_legal + one.stopped_overdue_legal
        numbers = (one.cases, one.open, one.clock_running, one.paused, _late(one), over_law)
        made.add_row(name or "unknown", *(f"{number:,}" if number else "·" for number in numbers))
    if len(ordered) > TOP:
        made.add_row(Text(f"{len(ordered) - TOP} more (--json)", style="dim"))
    return made


def _late(one: Tally) -> int:
    return one.running_overdue_promise + one.stopped_overdue_promise


def _follows(figures: Statistics) -> Table:
    made = table("What follows", "what", "times", right=["times"], wide=("What follows", "what"))
    for pair in figures.log.flow.dfg.top[:TOP]:
        made.add_row(pair.source, pair.target, f"{pair.count:,}")
    return made


def _counts(title: str, counts: Mapping[str, int]) -> Table:
    made = table(title, "number", right=["number"], wide=[title])
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        made.add_row(name.replace("_", " "), f"{count:,}")
    return made
