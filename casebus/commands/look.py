"""Commands that look at what has been recorded: `stats`, `watch`, `case show`, `audit`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace
from rich.console import Console

from casebus.commands import output
from casebus.commands.open_view import opened
from casebus.wiring import Wiring, patiently
from monitor.board import Board, board
from monitor.statistics.compute import Inputs, compute
from monitor.statistics.result import Statistics
from monitor.statistics.source import Window
from monitor.statistics.text import page
from monitor.view import View
from monitor.watch import screen
from monitor.watch import watch as live


def stats(folder: Path, at: str | None, known: str | None, *, as_json: bool) -> int:
    with opened(folder) as (wiring, view):
        figures = statistics(wiring, view, window(wiring, at, known))
    if as_json:
        output.as_json(figures.to_json(wiring.deployment.zone))
    else:
        output.console().print(page(figures, wiring.deployment.zone))
    return 0


def window(wiring: Wiring, at: str | None, known: str | None) -> Window:
    moment = wiring.deployment.moment
    return Window(moment(at) if at else None, moment(known) if known else None)


def statistics(wiring: Wiring, view: View, within: Window = Window()) -> Statistics:  # noqa: B008  an immutable value
    return compute(view, inputs(wiring), wiring.now(view)(), within)


def export(folder: Path, to: Path, *, clear: bool) -> int:
    from monitor.export import write

    with opened(folder) as (wiring, view):
        count = write(view, to, wiring.deployment.zone, clear=clear)
    output.console().print(f"{output.several(count, 'event')} in {to}.")
    return 0


def watch(folder: Path, *, once: bool, as_json: bool) -> int:
    with opened(folder) as (wiring, view):
        if as_json:
            output.as_json(msgspec.to_builtins(picture(wiring, view)))
        elif once:
            output.console().print(screen(picture(wiring, view), wiring.deployment.zone))
        else:
            stay(wiring, view)
    return 0


def picture(wiring: Wiring, view: View) -> Board:
    return board(view, wiring.clockwork, wiring.now(view)(), view.progress())


def stay(wiring: Wiring, view: View, each_time: Callable[[], None] = lambda: None) -> None:
    """Live, until interrupted: that is how one leaves it. `each_time` is called before each look."""

    def look() -> Board:
        each_time()
        return picture(wiring, view)

    with suppress(KeyboardInterrupt):
        live(look, wiring.deployment.zone, Console())


def case(folder: Path, number: str, at: str | None, *, as_json: bool) -> int:
    from monitor import casetext
    from monitor.caseview import Asked, Sentence, case_view, key_of
    from monitor.told import told
    from router.decide import all_rules
    from router.findings import FINDINGS

    with opened(folder) as (wiring, view):
        asked = Asked(wiring.now(view)(), wiring.deployment.moment(at) if at else None, wiring.ring)
        sentences = {code: Sentence(*rule) for code, rule in FINDINGS.items()}
        shown = case_view(view, key_of(view, number), inputs(wiring), sentences, asked)
        rules = {rule.name: (rule.title, rule.basis) for rule in all_rules()}
        with view.snapshot() as snapshot:
            shown = replace(shown, told=told(snapshot, shown.key, rules, asked.when))
    if as_json:
        output.as_json(shown.to_json(wiring.clockwork))
    else:
        output.console().print(casetext.page(shown, wiring.deployment.zone))
    return 0


def inputs(wiring: Wiring) -> Inputs:
    return Inputs(wiring.codec, wiring.folding, wiring.clockwork)


def audit(folder: Path, *, as_json: bool) -> int:
    from bus.topics import EVENTS
    from casebus.audit.run import Inputs as Sides
    from casebus.audit.run import audit as compare
    from casebus.audit.sealed import Seals
    from casebus.audit.told import Reading

    with opened(folder) as (wiring, view), wiring.client() as client:
        how = Reading(wiring.receipts.now(), wiring.replays, wiring.deployment.zone, Seals(wiring.ring).fact)
        committed = patiently(lambda: client.committed(wiring.router_group, [EVENTS.name]))
        report = compare(Sides(client, wiring.codec, view, wiring.compared, how, committed))
    if as_json:
        output.as_json(report.to_json())
        return report.exit_code
    console = output.console()
    if report.differences:
        rows = [(one.case, one.day, one.side, one.cause) for one in report.differences]
        console.print(output.table(output.several(len(rows), "difference"), ("case", "day", "side", "cause"), rows))
    counted = ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in report.counts.items())
    console.print(f"{'Differences' if report.differences else 'All sides are equal'}: {counted}.")
    if report.waiting or report.behind:
        events, cases = output.several(report.waiting, "event"), output.several(report.behind, "case")
        left = f"{events} on the way to the router, {cases} newer than the view shows"
        console.print(f"On their way: {left}. They are audited when they have come.")
    return report.exit_code
