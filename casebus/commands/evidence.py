"""`casebus evidence`: what a case's journal and the departments' signatures prove, in a file that is checked offline."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from casebus.commands import output
from casebus.commands.open_view import opened
from casebus.evidence import FORMAT, Findings, checked, made
from monitor.caseview import key_of
from schemas.keyfile import public_keys
from schemas.problem import Problem, ProblemsError

BROKEN = 1


def write(folder: Path, number: str, to: Path | None) -> int:
    """The file is written whole or not at all. Raises ProblemsError for a case that nobody knows."""
    with opened(folder) as (wiring, view), wiring.client() as client:
        settings = wiring.settings.signatures
        place = wiring.deployment.folder / settings.keys
        keys = public_keys(place) if place.is_dir() else {}
        evidence = made(client, wiring.codec, key_of(view, number), keys)
    path = to or Path(f"evidence-{number.replace(':', '-').replace('/', '-')}.json")
    text = json.dumps(evidence, ensure_ascii=False, indent=1) + "\n"
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
    signed = output.several(len(evidence["signatures"]), "signature")
    sys.stdout.write(
        f"{output.several(len(evidence['entries']), 'entry', 'entries')} and {signed} of {evidence['case']} in {path}.\n"
    )
    return 0


def verify(file: Path, keys: Path | None, *, as_json: bool) -> int:
    """1 where chain or a signature does not hold. `keys`: a folder of keys that the reader trusts."""
    evidence = _loaded(file)
    own = None if keys is None else public_keys(keys)
    found = checked(evidence, own)
    if as_json:
        output.as_json(_plain(found))
    else:
        _show(found, trusted=own is not None)
    return 0 if found.good else BROKEN


def _loaded(file: Path) -> dict[str, Any]:
    try:
        evidence = json.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ProblemsError(Problem(str(file), f"it cannot be read: {error.strerror}", "Name the evidence's file.")) from error
    except (ValueError, RecursionError) as error:
        raise ProblemsError(Problem(str(file), "it is no JSON", "Name a file that casebus evidence wrote.")) from error
    if not isinstance(evidence, dict) or evidence.get("format") != FORMAT:
        raise ProblemsError(Problem(str(file), f"its format is not `{FORMAT}`", "Name a file that casebus evidence wrote."))
    return evidence


def _plain(found: Findings) -> dict[str, Any]:
    return {
        "case": found.case,
        "good": found.good,
        "entries": found.entries,
        "head": found.head,
        "problems": [str(one) for one in found.problems],
        "events": [line._asdict() for line in found.lines],
    }


def _show(found: Findings, *, trusted: bool) -> None:
    console = output.console()
    rows = [(one.sequence, one.event, one.authority, one.system, one.key, one.standing) for one in found.lines]
    console.print(output.table(found.case, (">entry", "event", "authority", "system", "key", "signature"), rows))
    chain = "broken" if found.problems else "whole"
    counts = Counter(one.standing for one in found.lines)
    said = ", ".join(f"{number:,} {standing}" for standing, number in sorted(counts.items()))
    console.print(f"The chain of {output.several(found.entries, 'entry', 'entries')} is {chain}; signatures: {said or 'none'}.")
    for text in (
        *(str(one) for one in found.problems),
        *(f"Entry {one.sequence}: {one.text}" for one in found.lines if one.text),
    ):
        console.print(text)
    console.print(f"Head: {found.head}. Compare it with what the bus knows (casebus audit), for a chain that was cut short.")
    if counts["holds"] and not trusted:
        console.print("The keys are those in the file: compare their fingerprints with the departments, or name --keys FOLDER.")
