"""A case on the terminal: `casebus case show NUMBER`. Pure: the same view always gives the same page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitor.caseview import CaseView
from monitor.look import STYLES, days, lag, lamp, table
from monitor.times import shown
from monitor.told import Told
from schemas.clock import Kind, Light

_NOTHING = Text("none", style="dim")


def page(view: CaseView, zone: tzinfo) -> RenderableType:
    """The whole page: head, timeline, clock, findings, hand-overs."""
    return Group(_head(view, zone), *_sections(view, zone))


def _sections(view: CaseView, zone: tzinfo) -> Iterator[RenderableType]:
    yield _section("What happened")
    yield _timeline(view, zone)
    yield _section(f"Why the light is {view.clock['light']}")
    yield _account(view) if view.account else Text("Not accepted: no clock has started.", style="dim")
    yield _section("What was found")
    yield _findings(view, zone) if view.findings else _NOTHING
    yield _section("Who handed it to whom")
    yield _moves(view, zone) if view.moves else _NOTHING
    yield _section("Who was told what, and why")
    yield _told(view, zone) if view.told else _NOTHING


def _section(title: str) -> Text:
    return Text(f"\n{title}", style="bold")


def _head(view: CaseView, zone: tzinfo) -> Panel:
    case = view.case
    outcome = f", {str(case['outcome']).replace('_', ' ')}" if case["outcome"] else ""
    grid = Table.grid(padding=(0, 3))
    grid.add_row("item", f"{case['item'] or 'unknown'} {case['item_version']}", "state", str(case["phase"]) + outcome)
    grid.add_row("filed with", case["authority"] or "unknown", "held by", case["holder"] or case["authority"] or "unknown")
    grid.add_row("applicant", case["applicant"] or "unknown", "channel", str(case["channel"] or "unknown").lower())
    grid.add_row(
        "applied", shown(case["applied_at"], zone) or "unknown", "accepted", shown(case["accepted_at"], zone) or "not yet"
    )
    grid.add_row("clock", _clock(view.clock), "ended", shown(case["ended_at"], zone) or "open")
    if view.personal:
        grid.add_row("personal", ", ".join(f"{'destroyed' if one.destroyed else 'sealed'}: {one.key}" for one in view.personal))
    light = Light(view.clock["light"])
    title = Text.assemble((view.key, "bold"), "  ", lamp(light), f"  as of {shown(view.as_of, zone)}")
    return Panel(grid, title=title, title_align="left", border_style=STYLES[light])


def _clock(clock: dict[str, Any]) -> str:
    if clock["light"] == Light.NONE:
        return "not started"
    limits = [
        f"{name} {clock[limit]}{f' until {clock[due]}' if clock[due] else ''}"
        for name, limit, due in (("promised", "promised_limit", "due"), ("legal", "statutory_limit", "statutory_due"))
        if clock[limit] is not None
    ]
    state = "paused" if clock["paused"] else "running" if clock["running"] else "stopped"
    return "; ".join([f"{days(clock['elapsed_days'])}, {state}", *limits])


def _timeline(view: CaseView, zone: tzinfo) -> Table:
    made = table(
        "when",
        "reported",
        "received",
        "event",
        "activity",
        "authority",
        "who",
        right=("reported", "received"),
        wide=("activity", "authority"),
    )
    below = {one.sequence for one in view.told}
    for one in (moment for moment in view.timeline if moment.sequence not in below):
        what = Text(one.what)
        if one.standing:
            what = Text.assemble((one.what, "strike"), (f" {one.standing.replace('_', ' ')}", "yellow"))
        late = lag(one.reported_at, one.occurred_at), lag(one.received_at, one.occurred_at)
        made.add_row(shown(one.occurred_at, zone), *late, what, one.activity, one.authority, one.actor)
    return made


#: Articles without a name are of this law, as everywhere in the product.
_LAW = "Administrative Licensing Law "
_KINDS = {
    Kind.DUE: "bold",
    Kind.LATE_EXTENSION: "yellow",
    Kind.COUNTED: "",
    Kind.OFF: "dim",
    Kind.PAUSED: "cyan",
    Kind.PAUSE: "cyan",
}


def _account(view: CaseView) -> Table:
    made = table("from", "to", "what the clock did", "because of", wide=["what the clock did"])
    for one in view.account:
        style = "bold red" if one.kind == Kind.DUE and one.text.endswith("passed") else _KINDS.get(Kind(one.kind), "")
        law, _, article = one.article.rpartition("art. ")
        because = f"art. {article}" if law == _LAW else one.article
        made.add_row(
            one.first, "" if one.last == one.first else one.last, Text(one.text, style=style), Text(because, style="dim")
        )
    return made


#: How a finding's facts are called.
_NAMES = {"phase": "state then"}


def _findings(view: CaseView, zone: tzinfo) -> Table:
    made = Table.grid(padding=(0, 2))
    for one in view.findings:
        facts = _named({_NAMES.get(name, name): value.replace("_", " ") for name, value in one.facts.items()}, zone)
        basis = Text(one.basis, style="dim")
        said = Text(one.sentence + facts, style="yellow")
        if one.order:
            said.append(f"\nIn order: {one.order}", style="dim")
        made.add_row(shown(one.at, zone), said, basis)
    return made


def _moves(view: CaseView, zone: tzinfo) -> Table:
    made = table("sent", "", "from", "to", "received", "answered", wide=("from", "to"))
    for one in view.moves:
        received = Text(shown(one.received_at, zone)) if one.received_at is not None else Text("on its way", style="yellow")
        part = f" {one.part}" if one.part else ""
        made.add_row(shown(one.sent_at, zone), one.kind + part, one.sender, one.receiver, received, shown(one.answered_at, zone))
    return made


def _told(view: CaseView, zone: tzinfo) -> Table:
    """Rule and law once, where the rule first speaks; the item's version once, where a condition does not ask for it again."""
    made, known = Table.grid(padding=(0, 2)), set[str]()
    for one in view.told:
        what = one.what.replace("_", " ")
        said = Text.assemble((what, "strike" if one.taken_back else "bold"), " to ", one.to)
        said.append(" taken back since" if one.taken_back else "", style="yellow")
        said.append(_named(one.facts, zone))
        why = f"\n{one.title} (rule {one.rule}; {one.basis})"
        said.append("".join(line for line in (why, _because(one)) if line not in known), style="dim")
        known |= {why, _because(one)}
        made.add_row(shown(one.at, zone), said)
    return made


def _named(facts: Mapping[str, str], zone: tzinfo) -> str:
    said = [f"{name.replace('_', ' ')}: {_readable(name, text, zone)}" for name, text in facts.items()]
    return f" ({'; '.join(said)})" if said else ""


def _readable(name: str, text: str, zone: tzinfo) -> str:
    return shown(int(text), zone) if name.endswith("_at") and text.isdigit() else text


def _because(one: Told) -> str:
    """The item's version, and the condition with what it saw."""
    if not one.item_version:
        return ""
    said = f"\nItem {one.item}, version {one.item_version}"
    if not one.condition:
        return said
    values = ", ".join(f"{name} = {text}" for name, text in one.values.items())
    return f"{said}: {one.condition} held, with {values}"
