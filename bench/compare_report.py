"""What `bench.compare` found, as a Markdown table and sentences."""

from __future__ import annotations

from typing import Any

from bench.compare_field import FIELD, PLAIN, ROUTER, Contestant

#: Name of a figure, its column's heading, how it is written.
COLUMNS = (
    ("cpu_us", "processor time an event", "{:.0f} µs"),
    ("events_a_second", "events a second", "{:,.0f}"),
    ("mb", "memory", "{:.0f} MB"),
    ("p50_ms", "latency p50", "{:,.0f} ms"),
    ("p99_ms", "p99", "{:,.0f} ms"),
    ("recovery_s", "out again after kill -9", "{:.1f} s"),
    ("results", "results", "{:,.0f}"),
    ("lost", "lost", "{:.0f}"),
    ("twice", "twice", "{:.0f}"),
)


def written(result: dict[str, Any]) -> str:
    """The table, the router's shares, who was left out and why, and the conditions."""
    lines = ["| | " + " | ".join(heading for _, heading, _ in COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    found = result["contestants"]
    lines += [_row(one.words, found[one.name]) for one in FIELD if one.name in found]
    lines += ["", *shares(found)]
    lines += [f"Left out: {_named(name).words}: {why.rstrip('.')}." for name, why in result["left_out"].items()]
    lines += ["", conditions(result)]
    return "\n".join(lines)


def _row(words: str, figures: dict[str, float]) -> str:
    cells = [form.format(figures[name]) if name in figures else "-" for name, _, form in COLUMNS]
    return f"| {words} | {' | '.join(cells)} |"


def shares(found: dict[str, dict[str, float]]) -> list[str]:
    """Each router beside the plain loop of the same client, and beside the two libraries."""
    lines = []
    for one in FIELD:
        if one.kind == ROUTER and one.name in found:
            others = [other for other in FIELD if other.name in found and _measure(other, one)]
            lines += [_share(one, other, found) for other in others]
    return lines


def _measure(other: Contestant, one: Contestant) -> bool:
    """Whether `other` is what this router is held against."""
    return other.kind != ROUTER and (other.kind != PLAIN or other.client == one.client)


def _share(one: Contestant, other: Contestant, found: dict[str, dict[str, float]]) -> str:
    ours, theirs = found[one.name], found[other.name]
    rate, busy = ours["events_a_second"] / theirs["events_a_second"], ours["cpu_us"] / theirs["cpu_us"]
    return f"{one.words}: {rate:.2f} of the rate of {other.words}, {busy:.2f} of its processor time."


def conditions(result: dict[str, Any]) -> str:
    plan = result["plan"]
    batches = "one batch" if plan["rounds"] == 1 else f"the median of {plan['rounds']} batches"
    size = f"{batches} of {plan['events']:,} events after {plan['warm_up']:,} to warm up"
    where = f"{result['cores']} cores, load {result['load_before']:.1f} before, {result['at']}"
    return f"{where}; {size}; latency at {plan['rate']:,} events a second."


def right(result: dict[str, Any]) -> bool:
    """Whether the routers lost nothing and wrote nothing twice."""
    ours = [figures for name, figures in result["contestants"].items() if _named(name).kind == ROUTER]
    return all(figures["lost"] == 0 and figures["twice"] == 0 for figures in ours)


def _named(name: str) -> Contestant:
    return next(one for one in FIELD if one.name == name)
